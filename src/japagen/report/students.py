"""The students of a run as a table: what each is, what it learnt from and how, and what became of its decision.

Drawn from `classifier.json` and `decision.json` of every seed, as means over seeds; what they do not say is left out.
Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from japagen.report.language import message, quoted, say
from japagen.report.words import JSON, count, finite, listed, metric_name, number, source_name

Row = dict[str, Any]
WORDS = {
    "linear": message("logistic regression on character n-grams"),
    "embedding": message("logistic regression on sentence embeddings"),
    "encoder": message("pretrained encoder, fine-tuned"),
}
PARTS = {
    "temperature": message("temperature"),
    "prior": message("prior"),
    "offsets": message("offsets"),
    "expectation": message("expectation"),
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
        (say(fact), [facts.get(fact, "") for facts in told])
        for fact in dict.fromkeys(f for facts in told for f in facts)
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
    on = " ".join(filter(None, [count(dev_rows) if dev_rows else "", source_name(dev)]))
    places = [training.get("precision"), training.get("device")]
    before, after = (_mean([_inner(run, "decision").get(key) for run in runs]) for key in ("ece_before", "ece_after"))
    return {
        message("what it is"): say(WORDS[name]) if name in WORDS else "",
        message("model"): _model(about),
        message("seeds"): count(len(runs)),
        message("learnt from"): _learnt_from(runs),
        message("training"): _training(runs),
        message("learning rate"): _rate(rate, head),
        message("precision, device"): listed(place for place in places if place),
        message("training loss"): ""
        if (loss := _mean([_kept_pass(run).get("loss") for run in runs])) is None
        else f"{loss:.2g}",
        message("dev score"): ""
        if dev_score is None
        else f"{metric_name(metric)} {number(dev_score, 3)}" + (say(" on {n} rows", n=on) if on else ""),
        message("calibration error (ECE)"): ""
        if before is None or after is None
        else say("{before}, after the decision {after}", before=number(before, 3), after=number(after, 3)),
    }


def _rate(rate: float | None, head: float | None) -> str:
    if rate is None:
        return ""
    return f"{rate:g}" if head is None else say("{rate}, head {head}", rate=f"{rate:g}", head=f"{head:g}")


def _model(about: JSON) -> str:
    """The pretrained model at its commit, and how much it reads; of a folder of the user's only its name."""
    name, revision = str(about.get("model") or about.get("encoder") or ""), about.get("revision")
    longest = finite(about.get("max_length"))
    if not name:
        return ""
    told = PurePath(name.replace("\\", "/")).name
    if revision:
        told = say("{model} at {revision}", model=name, revision=str(revision)[:12])
    return say("{model}, at most {n} tokens", model=told, n=count(longest)) if longest else told


def _learnt_from(runs: Sequence[JSON]) -> str:
    rows, gold = (_mean([run.get(key) for run in runs]) for key in ("train_rows", "anchor_rows"))
    if rows is None:
        return ""
    if gold:
        return say("{n} synthetic and {gold} gold rows", n=count(rows - gold), gold=count(gold))
    return say("{n} synthetic rows", n=count(rows))


def _training(runs: Sequence[JSON]) -> str:
    """Steps and passes, those that were planned where it ended early, and which pass's weights count."""
    steps = _mean([_inner(run, "about", "training").get("steps") for run in runs])
    passes = _mean([len(_passes(run)) or None for run in runs])
    planned = finite(_inner(runs[0], "about", "training").get("passes"))
    best = _mean([_inner(run, "about", "training").get("best_epoch") for run in runs])
    told = [say("{n} steps", n=count(steps))] if steps else []
    if passes and planned and planned > passes:
        told.append(say("{n} of {all} passes over the rows", n=count(passes), all=count(planned)))
    elif passes:
        told.append(say("{n} passes over the rows" if passes > 1 else "{n} pass over the rows", n=count(passes)))
    if best is not None:
        told.append(say("weights of pass {n}", n=count(best + 1)))
    return listed(told)


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
        verdict = say("adopted by {n} of {all} seeds", n=adopted, all=len(told))
        if adopted in (0, len(told)):
            verdict = say("adopted") if adopted else say("refused|part")
        reason = quoted(str(told[0].get("reason") or ""))
        if reason and 0 < adopted < len(told):
            reason = say("seed {seed}: {reason}", seed=runs[0].get("seed", 0), reason=reason)
        rows.append(
            {"student": name, "part": say(PARTS[part]) if part in PARTS else part, "verdict": verdict, "reason": reason}
        )
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
