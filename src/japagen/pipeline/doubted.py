"""Rows whose label is doubted, by a language model or by a student: both must show that they know before a row goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from japagen.curate import noise
from japagen.curate.audit import audited, read_audit
from japagen.curate.gate import trial
from japagen.curate.independence import clearance
from japagen.curate.judge import doubts, judge
from japagen.llm import load_llm
from japagen.llm.budget import Budget
from japagen.llm.store import ReplyStore
from japagen.pipeline.bound import BATCHES, Bound
from japagen.pipeline.rules import judge_price, target_file
from japagen.records import Dropped, Example
from japagen.rundir import REPLIES
from japagen.sections import JudgeSection, NoiseSection
from japagen.streams import stream_seed
from japagen.student import Training, load_student
from japagen.student.holdout import apart_from

LABEL_NOISE = "label_noise"


@dataclass(slots=True)
class Doubted:
    """What one of them found: rows that go, columns of all rows, and what to tell."""

    dropped: dict[str, Dropped] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)


def judged(bound: Bound, section: JudgeSection, rows: Sequence[Example], written: Sequence[Example]) -> Doubted:
    """The judge's verdict on each row; what it doubts goes only if an audit shows that it can tell right from wrong.

    Args:
        bound: of the run.
        section: who judges, and what it may cost.
        rows: to be judged.
        written: all rows of the run, which the audit may name.
    """
    task, experiment = bound.task, bound.experiment
    known = {row.id: row for row in written} | {row.id: row for row in rows}  # an audit shows rows as they were mended
    audit = read_audit(target_file(experiment, section.audit), task, known.values()) if section.audit else {}
    own = section.llm or experiment.llm
    llm = bound.model() if section.llm is None else load_llm(section.llm, folder=bound.run.path / BATCHES)
    if section.llm is not None and llm.notice:
        bound.say(llm.notice)
    price = judge_price(experiment, section)
    budget = Budget(section.budget, price, spent=bound.spent("curate"))
    shared = bound.shared_store(own)
    with ReplyStore(bound.run.folder("curate") / REPLIES, shared=shared, budget=budget) as store:
        verdicts = judge(
            rows, task, llm, store, section=own, seed=experiment.seed, on_progress=bound.on_progress
        )  # fmt: skip
        usage = store.usage()
    found = doubts(rows, verdicts, task)
    cleared = clearance(audited(rows, verdicts, audit, task), task.label_names)
    applied = cleared.enabled and section.drop
    sentence = cleared.sentence
    if not section.audit:
        sentence = "No audit is named (curate.judge.audit), so its doubts are told and nothing is dropped."
    elif cleared.enabled and not section.drop:
        sentence += " Nothing was dropped: curate.judge.drop is false."
    result = Doubted()
    for place, (row, verdict) in enumerate(zip(rows, verdicts, strict=True)):
        columns: dict[str, Any] = {"judge_label": verdict.label}
        if verdict.given is not None:
            columns["judge_probability"] = round(verdict.given, 4)
        result.columns[row.id] = columns
        if applied and place in found and row.label in cleared.labels:
            result.dropped[row.id] = Dropped(row, *found[place])
    counts = Counter(rows[place].label for place in found)
    result.told = {
        "llm": llm.name,
        "rows": len(rows),
        "unread": sum(verdict.label is None for verdict in verdicts),
        "doubted": {label: counts[label] for label in task.label_names},
        "audited": len(audit),
        "independence": None if cleared.measured is None else asdict(cleared.measured),
        "applied": applied,
        "sentence": sentence,
        "usage": asdict(usage) | {"usd": budget.usd(usage)},
    }
    return result


def noisy(
    bound: Bound,
    section: NoiseSection,
    rows: Sequence[Example],
    control: Sequence[Example] = (),
    shown: Sequence[Example] = (),
) -> Doubted:
    """What a student that has not seen a row says of its label; what it doubts goes only if that helps on gold dev rows.

    Whom it must help is the first student of the experiment, which answers for the run.

    Args:
        bound: of the run.
        section: who is asked.
        rows: to be trained on.
        control: of a second round, looked at in the same way but no part of the trial.
        shown: gold rows that a second round was written after: they, and others about their images, cannot speak for it.
    """
    seed = stream_seed(bound.experiment.seed, "noise") % 2**32
    training = Training(bound.experiment.train.encoder, bound.task.metric)
    together = [*rows, *control]
    found = noise.label_noise(
        together,
        student=noise.judge(section.student, pair=bound.task.is_pair, training=training),
        folds=section.folds,
        seed=seed,
        on_progress=bound.on_progress,
    )
    doubted = {together[place].id: found.opinions[place] for place in found.flagged}
    name = bound.experiment.train.students[0]
    verdict = trial(
        rows,
        [row for row in rows if row.id not in doubted],
        apart_from(bound.gold.dev, shown),
        task=bound.task,
        student=load_student(name, training),
        name=name,
        seeds=section.seeds,
        seed=seed,
        change=f"dropping {sum(row.id in doubted for row in rows)} rows of doubted label",
        on_progress=bound.on_progress,
    )
    result = Doubted()
    if found.opinions:
        result.columns = {row.id: dict(opinion.columns) for row, opinion in zip(together, found.opinions, strict=True)}
    if verdict.applied:
        result.dropped = {
            row.id: Dropped(row, LABEL_NOISE, doubted[row.id].detail) for row in together if row.id in doubted
        }
    result.told = {
        "student": section.student,
        "folds": section.folds,
        "rows": len(together),
        "flagged": found.flagged_by_label,
        "joint": {"labels": list(found.labels), "counts": found.joint},
        "trial": None if verdict.trial is None else asdict(verdict.trial),
        "applied": verdict.applied,
        "sentence": f"{found.sentence} {verdict.sentence}",
    }
    return result


def with_columns(rows: Sequence[Example], columns: Mapping[str, Mapping[str, Any]]) -> list[Example]:
    """The rows with what was said of them as further columns."""
    return [replace(row, meta={**row.meta, **columns[row.id]}) if row.id in columns else row for row in rows]
