"""The students of a run as a table: what each is, what it learnt from and how, and what became of its decision.

Drawn from `classifier.json` and `decision.json` of every seed, as means over seeds; what they do not say is left out.
Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from japagen.report.words import JSON, count, finite, metric_name, number

Row = dict[str, Any]
WORDS = {
    "linear": "logistic regression on character n-grams",
    "embedding": "logistic regression on sentence embeddings",
    "encoder": "pretrained encoder, fine-tuned",
}


def students(trained: Sequence[JSON], experiment: JSON, metric: str) -> Row:
    """One column for each student.

    Args:
        trained: every classifier: student, seed, train_rows, dev_rows, anchor_rows, about (its classifier.json) and
            decision (its decision.json).
        experiment: the settings; its train.dev says what dev rows are.
        metric: the task's own, in which dev rows are scored.

    Returns:
        names of the students; rows (fact, one cell for each); decisions, one for each part that was considered.
    """
    seeds: dict[str, list[JSON]] = {}
    for one in trained:
        seeds.setdefault(str(one.get("student", "unnamed")), []).append(one)
    dev = str((experiment.get("train") or {}).get("dev") or "")
    told = [_facts(name, runs, dev, metric) for name, runs in seeds.items()]
    rows = [
        (fact, [facts.get(fact, "") for facts in told]) for fact in dict.fromkeys(f for facts in told for f in facts)
    ]
    return {
        "names": list(seeds),
        "rows": [(fact, cells) for fact, cells in rows if any(cells)],
        "decisions": [part for name, runs in seeds.items() for part in _parts(name, runs)],
    }


def _facts(name: str, runs: Sequence[JSON], dev: str, metric: str) -> dict[str, str]:
    about, training = _inner(runs[0], "about"), _inner(runs[0], "about", "training")
    rate, head = finite(training.get("learning_rate")), finite(training.get("head_learning_rate"))
    dev_rows = _mean([run.get("dev_rows") for run in runs])
    dev_score = _mean([_kept_pass(run).get("dev") for run in runs])
    on = " ".join(filter(None, [count(dev_rows) if dev_rows else "", dev]))
    places = [training.get("precision"), training.get("device")]
    before, after = (_mean([_inner(run, "decision").get(key) for run in runs]) for key in ("ece_before", "ece_after"))
    return {
        "what it is": WORDS.get(name, ""),
        "model": _model(about),
        "seeds": count(len(runs)),
        "learnt from": _learnt_from(runs),
        "training": _training(runs),
        "learning rate": "" if rate is None else f"{rate:g}" + (f", head {head:g}" if head is not None else ""),
        "precision, device": ", ".join(str(place) for place in places if place),
        "training loss": ""
        if (loss := _mean([_kept_pass(run).get("loss") for run in runs])) is None
        else f"{loss:.2g}",
        "dev score": ""
        if dev_score is None
        else f"{metric_name(metric)} {number(dev_score, 3)}" + (f" on {on} rows" if on else ""),
        "calibration error (ECE)": ""
        if before is None or after is None
        else f"{number(before, 3)}, after the decision {number(after, 3)}",
    }


def _model(about: JSON) -> str:
    """The pretrained model at its commit, and how much it reads; of a folder of the user's only its name."""
    name, revision = str(about.get("model") or about.get("encoder") or ""), about.get("revision")
    longest = finite(about.get("max_length"))
    if not name:
        return ""
    told = f"{name} at {str(revision)[:12]}" if revision else PurePath(name.replace("\\", "/")).name
    return f"{told}, at most {count(longest)} tokens" if longest else told


def _learnt_from(runs: Sequence[JSON]) -> str:
    rows, gold = (_mean([run.get(key) for run in runs]) for key in ("train_rows", "anchor_rows"))
    if rows is None:
        return ""
    return f"{count(rows - gold)} synthetic and {count(gold)} gold rows" if gold else f"{count(rows)} synthetic rows"


def _training(runs: Sequence[JSON]) -> str:
    """Steps and passes, those that were planned where it ended early, and which pass's weights count."""
    steps = _mean([_inner(run, "about", "training").get("steps") for run in runs])
    passes = _mean([len(_passes(run)) or None for run in runs])
    planned = finite(_inner(runs[0], "about", "training").get("passes"))
    best = _mean([_inner(run, "about", "training").get("best_epoch") for run in runs])
    told = [f"{count(steps)} steps"] if steps else []
    if passes:
        of = f" of {count(planned)}" if planned and planned > passes else ""
        told.append(f"{count(passes)}{of} {'passes' if of or passes > 1 else 'pass'} over the rows")
    if best is not None:
        told.append(f"weights of pass {count(best + 1)}")
    return ", ".join(told)


def _passes(run: JSON) -> list[JSON]:
    return _objects(_inner(run, "about", "training").get("epochs"))


def _kept_pass(run: JSON) -> JSON:
    """Loss and dev score of the pass whose weights count: the last one, or the best one where training ended early."""
    passes, best = _passes(run), finite(_inner(run, "about", "training").get("best_epoch"))
    at = len(passes) - 1 if best is None else int(best)
    return passes[at] if 0 <= at < len(passes) else {}


def _parts(name: str, runs: Sequence[JSON]) -> list[Row]:
    """Each part of the decision: in how many seeds it was adopted, and the reason of the first one."""
    findings: dict[str, list[JSON]] = {}
    for run in runs:
        for finding in _objects(_inner(run, "decision").get("findings")):
            findings.setdefault(str(finding.get("part", "unnamed")), []).append(finding)
    rows = []
    for part, told in findings.items():
        adopted = sum(finding.get("adopted") is True for finding in told)
        verdict = {0: "refused", len(told): "adopted"}.get(adopted, f"adopted by {adopted} of {len(told)} seeds")
        reason = str(told[0].get("reason") or "")
        if reason and 0 < adopted < len(told):
            reason = f"seed {runs[0].get('seed', 0)}: {reason}"
        rows.append({"student": name, "part": part, "verdict": verdict, "reason": reason})
    return rows


def _inner(told: JSON, *keys: str) -> JSON:
    for key in keys:
        inner = told.get(key)
        told = inner if isinstance(inner, Mapping) else {}
    return told


def _objects(told: object) -> list[JSON]:
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []


def _mean(values: Sequence[object]) -> float | None:
    known = [value for given in values if (value := finite(given)) is not None]
    return sum(known) / len(known) if known else None
