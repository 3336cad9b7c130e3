"""Runs that are finished, read from disk: what every system said of every test row, and what is known of the run.

Only files are looked at that a stage wrote and that nobody changed since. Runs of earlier versions are read as far as their
files go.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from japagen.errors import RunError
from japagen.knowledge import WORD, Mechanisms, mechanisms
from japagen.metrics import CORRELATIONS
from japagen.push.facts import model_name
from japagen.records import digest
from japagen.rundir import Run, digest_or_none, read_json

JSON = Mapping[str, Any]


class _Answer(NamedTuple):
    id: str
    label: str
    value: float | None


Said = dict[tuple[str, int], list[_Answer]]
"""By system and seed."""
_REDO = "make the stage again with --redo evaluate"


@dataclass(frozen=True, slots=True)
class Measured:
    """A system of a run.

    Attributes:
        name, kind, student, k: as in ``scores.json``.
        scores: by metric.
        labels: by seed, the label of every test row.
        values: by seed, the number of every test row, None where there is no answer; empty where rows have none.
        cost: of asking a language model, if it is known.
    """

    name: str
    kind: str
    student: str
    k: int | None
    scores: Mapping[str, JSON]
    labels: tuple[tuple[str, ...], ...]
    values: tuple[tuple[float | None, ...], ...]
    cost: JSON | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A run whose systems have been measured.

    Attributes:
        name: of the run: its experiment's, or its folder where two are called the same.
        folder: where it lies.
        task, kind, metric, metrics, label_names: what was measured on, and by what; the task's own metric first.
        settings: the experiment, as JSON.
        kadg: which mechanisms of KADG it used.
        llm: who wrote and answered.
        ids, gold: of the test rows.
        gold_values: their numbers; None where labels are no numbers, or the run is too old to have kept them.
        groups: of the test rows; None where they are independent.
        rows_digest: of the test rows with their texts; None where a run is too old to have it.
        systems: by name.
        scores: ``scores.json``.
        accounts, usage: by stage.
        sweep: the one that it is an arm of; else empty.
        taken: by stage the arm that it was taken over from.
        texts: digest of the texts that students learnt from; None where it is not known.
        answers: digest of all that was measured.
        analysis: ``analysis.json``; None where there is none, or it was changed since.
    """

    name: str
    folder: Path
    task: str
    kind: str
    metric: str
    metrics: tuple[str, ...]
    label_names: tuple[str, ...]
    settings: JSON
    kadg: Mechanisms
    llm: str
    ids: tuple[str, ...]
    gold: tuple[str, ...]
    gold_values: tuple[float, ...] | None
    groups: tuple[str, ...] | None
    rows_digest: str | None
    systems: Mapping[str, Measured]
    scores: JSON
    accounts: Mapping[str, JSON]
    usage: Mapping[str, JSON]
    sweep: str = ""
    taken: Mapping[str, str] = field(default_factory=dict)
    texts: str | None = None
    answers: str = ""
    analysis: JSON | None = None


def read_run(path: str | Path) -> Finished:
    """A finished run.

    Raises:
        RunError: there is none, it has not been evaluated, nothing was measured in it, or it is damaged.
    """
    place = Run.open(path)
    done = {stage: place.done(stage) for stage in ("generate", "curate", "evaluate")}
    evaluated = done["evaluate"]
    if evaluated is None:
        raise RunError(
            "is not finished: its systems have not been measured",
            where=place.path,
            remedy=f"finish it with: {place.command}",
        )
    folder = place.folder("evaluate")
    for name in ("scores.json", "predictions.jsonl"):
        if digest_or_none(folder / name) != evaluated["outputs"].get(name):
            raise RunError("is gone or was changed since the stage was done", where=folder / name, remedy=_REDO)
    scores = read_json(folder / "scores.json")
    try:
        if not scores["systems"]:
            raise RunError(
                "nothing was measured in this run: it has no gold test rows",
                where=place.path,
                remedy="name them under 'gold', in the task or the experiment",
            )
        _check_scores(scores)
        return _read(place, scores, {stage: one for stage, one in done.items() if one})
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise RunError(f"damaged: {error!r}", where=folder, remedy=_REDO) from error


def _check_scores(scores: JSON) -> None:
    """Refuse numbers that are none, and facts beside the scores that lack a part; what raises here is damage."""
    for system in scores["systems"]:
        for name, score in {scores["metric"]: system["scores"][scores["metric"]], **system["scores"]}.items():
            _check_numbers(score, f"{name} of '{system['name']}'")
    if contrast := scores.get("contrast"):
        names = {system["name"] for system in scores["systems"]}
        if not {contrast["system"], contrast["against"]} <= names or not isinstance(contrast["declared"], bool):
            raise ValueError("the contrast is between systems that were not measured")
        _check_numbers(contrast["difference"] or {}, "the contrast")
    for told in scores.get("contamination") or ():
        for part in ("of", "exact", "canonical", "near"):
            if not isinstance(told[part], int):
                raise ValueError(f"contamination: '{part}' is no count")
        if not (isinstance(told["set"], str) and isinstance(told["against"], str)):
            raise ValueError("contamination: a set has no name")


def _check_numbers(score: JSON, where: str) -> None:
    for part in ("value", "low", "high", "p"):
        value = score.get(part)
        if value is not None and not (isinstance(value, int | float) and math.isfinite(value)):
            raise ValueError(f"{where}: {part} is {value!r}")


def _read(place: Run, scores: JSON, done: Mapping[str, JSON]) -> Finished:
    settings, task = (read_json(place.path / name) for name in ("experiment.json", "task.json"))
    said, test = _said(place.folder("evaluate") / "predictions.jsonl")
    ids = tuple(str(row["id"]) for row in test)
    for (system, seed), answers in said.items():
        if tuple(answer.id for answer in answers) != ids:
            raise ValueError(f"seed {seed} of '{system}' is about other rows than the first system")
    grouped, valued = (all(row.get(key) is not None for row in test) for key in ("group", "gold_value"))
    metrics = [scores["metric"], *(name for name in scores["systems"][0]["scores"] if name != scores["metric"])]
    run = Finished(
        name=place.name,
        folder=place.path,
        task=str(place.about()["task"]),
        kind=str(scores["kind"]),
        metric=str(scores["metric"]),
        metrics=tuple(map(str, metrics)),
        label_names=tuple(map(str, scores["labels"])),
        settings=settings,
        kadg=_mechanisms(settings, task),
        llm=model_name(str(settings["llm"]["name"])),
        ids=ids,
        gold=tuple(str(row["gold"]) for row in test),
        gold_values=tuple(float(row["gold_value"]) for row in test) if valued else None,
        groups=tuple(str(row["group"]) for row in test) if grouped else None,
        rows_digest=done["evaluate"]["inputs"].get("gold.test") if "gold" in scores else None,
        systems={system["name"]: _measured(system, said, scores["kind"]) for system in scores["systems"]},
        scores=scores,
        accounts={stage: one["accounting"] for stage, one in done.items() if one.get("accounting")},
        usage={stage: one["usage"] for stage, one in done.items() if one.get("usage")},
        sweep=str(place.about().get("sweep") or ""),
        taken={stage: str(one["taken_from"]) for stage, one in done.items() if one.get("taken_from")},
        texts=_texts(done),
        answers=digest(done["evaluate"]["outputs"]),
        analysis=_analysis(place),
    )
    _check_age(run)
    return run


def _texts(done: Mapping[str, JSON]) -> str | None:
    told = (done.get("curate") or {}).get("outputs", {}).get("examples.jsonl")
    return str(told) if told else None


def _analysis(place: Run) -> JSON | None:
    """Beside the scores, not needed for them: what cannot be read is as if it were not there."""
    file = place.folder("analyze") / "analysis.json"
    try:
        done = place.done("analyze")
        if done is None or digest_or_none(file) != done["outputs"].get(file.name):
            return None
        found = read_json(file)
    except RunError:
        return None
    return found if isinstance(found, dict) else None


def _said(file: Path) -> tuple[Said, list[JSON]]:
    """What each system said, by seed; and the rows of the first of them, which hold what is known of the test rows."""
    said: Said = {}
    test: list[JSON] = []
    with file.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            answers = said.setdefault((row["system"], row["seed"]), [])
            answers.append(_Answer(str(row["id"]), sys.intern(row["label"]), row.get("value")))
            if len(said) == 1:
                test.append(row)
    return said, test


def _measured(system: JSON, said: Said, kind: str) -> Measured:
    seeds = [answers for (name, _), answers in said.items() if name == system["name"]]
    if not seeds:
        raise ValueError(f"'{system['name']}' has scores and no predictions")
    values = tuple(tuple(answer.value for answer in answers) for answers in seeds) if kind == "similarity" else ()
    return Measured(
        name=str(system["name"]),
        kind=str(system["kind"]),
        student=_student(system),
        k=system.get("k"),
        scores=system["scores"],
        labels=tuple(tuple(answer.label for answer in answers) for answers in seeds),
        values=values,
        cost=system.get("cost"),
    )


def _student(system: JSON) -> str:
    """With what is done with its seeds, which only the system's name says: ``linear ensemble``."""
    if not system.get("student"):
        return ""
    ensemble = str(system["name"]).endswith(" ensemble")
    return f"{system['student']} ensemble" if ensemble else str(system["student"])


def _mechanisms(settings: JSON, task: JSON) -> Mechanisms:
    """What of KADG was used. Read from the task as it was saved, since its files may be gone by now."""
    knowledge = task.get("knowledge") or {}
    words = [WORD] if knowledge.get("words") else []
    described = any(label.get("description") for label in task["labels"].values())
    return mechanisms(
        settings["generate"]["kadg"],
        [*words, *(knowledge.get("attributes") or {})],
        rule=bool(knowledge.get("rule")),
        descriptions=described,
    )


def _check_age(run: Finished) -> None:
    """Refuse a run whose predictions lack what its scores were computed with, so that no test can be made of them."""
    systems = run.systems.values()
    signatures = [str(score.get("signature", "")) for system in systems for score in system.scores.values()]
    missing = ""
    if run.groups is None and any(" groups" in signature for signature in signatures):
        missing = "group"
    if run.metric in CORRELATIONS and run.gold_values is None:
        missing = "gold_value"
    for value in run.gold_values or ():
        if not math.isfinite(value):
            raise ValueError(f"a gold number is {value}")
    if missing:
        raise RunError(
            f"was made by an earlier version: its predictions lack '{missing}', without which nothing can be tested",
            where=run.folder,
            remedy=f"measure it anew, without new texts: japagen run {run.name}.yaml --redo evaluate",
        )
