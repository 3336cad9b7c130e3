"""What a run's report is drawn from: the JSON that the stages left, and their rows. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from japagen.experiment import Experiment
from japagen.records import Example
from japagen.report import ReportData
from japagen.rundir import STAGES, Run, now, read_json, versions
from japagen.student.decision.record import DECISION
from japagen.student.saved import ABOUT
from japagen.tables import read_rows
from japagen.task import Task

CURATION = "curation.json"
STOPPING = "stopping.json"


def report_data(run: Run, experiment: Experiment, task: Task, test: Sequence[Example]) -> ReportData:
    """All that `report` shows of a run.

    Args:
        run: a run whose stages before the report are complete.
        experiment: what it was made from.
        task: likewise.
        test: the gold test rows, for the texts of mistakes.
    """
    stages = {stage: done for stage in STAGES[:-1] if (done := run.done(stage))}
    students = _students(run.folder("train"))
    scores = _with_gold(read_json(run.folder("evaluate") / "scores.json"), students)
    kept = read_rows(run.folder("curate") / "examples.jsonl")
    dropped = [row for stage in ("generate", "curate") for row in read_rows(run.folder(stage) / "dropped.jsonl")]
    return ReportData(
        name=run.name,
        task={
            "name": task.name,
            "description": task.description,
            "kind": task.kind,
            "metric": task.metric,
            "labels": {name: {"meaning": label.meaning} for name, label in task.labels.items()},
            "kadg": _kadg(experiment, task),
        },
        experiment=experiment.model_dump(mode="json"),
        students=students,
        stages=stages,
        scores=scores,
        curation=_curation(run),
        analysis=_analysis(run),
        kept=kept,
        dropped=dropped,
        mistakes=_mistakes(run, scores.get("primary"), test),
        provenance={
            "llm": stages["generate"].get("llm"),
            "seed": experiment.seed,
            "started": run.about().get("created"),
            "finished": now(),
            "command": run.command,
            "versions": versions(),
            "digests": {f"{stage} outputs": run.outputs_digest(stage) for stage in stages},
        },
    )


def _curation(run: Run) -> dict[str, Any]:
    """What `curate` says of itself beside its rows; nothing in runs of before it did."""
    file = run.folder("curate") / CURATION
    return read_json(file) if file.exists() else {}


def _analysis(run: Run) -> dict[str, Any]:
    """What `analyze` measured, and how writing stopped where a rule stopped it."""
    file = run.folder("generate") / STOPPING
    stopping = {"stopping": read_json(file)} if file.exists() else {}
    measured: dict[str, Any] = read_json(run.folder("analyze") / "analysis.json")
    return measured | stopping


def _students(folder: Path) -> list[dict[str, Any]]:
    """Every trained classifier with its classifier.json and decision.json, where there are any."""
    index = folder / "models.json"
    return [
        one
        | {
            name: read_json(file)
            for name, file in (
                ("about", folder / one["folder"] / ABOUT),
                ("decision", folder / one["folder"] / DECISION),
            )
            if file.exists()
        }
        for one in (read_json(index) if index.exists() else [])
    ]


def _with_gold(scores: dict[str, Any], students: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The scores with the gold rows that students learnt from, and that their decisions did; the same in all seeds."""
    seen: dict[str, dict[str, Any]] = {}
    for one in students:
        found = seen.setdefault(one["student"], {"anchor_rows": one.get("anchor_rows", 0)})
        if decision := one.get("decision"):
            adopted = {part["part"] for part in decision.get("findings", ()) if part.get("adopted")}
            adopted |= set(found.get("decision", {}).get("adopted", ()))
            found["decision"] = {"learnt_from": decision.get("learnt_from"), "adopted": sorted(adopted)}
    systems = [
        system | (seen.get(system.get("student"), {}) if system["kind"] == "japagen" else {})
        for system in scores["systems"]
    ]
    return scores | {"systems": systems}


def _kadg(experiment: Experiment, task: Task) -> list[str]:
    """The mechanisms of KADG that the experiment uses, attributes with the number of their values."""
    used = task.mechanisms(experiment.generate.kadg)
    random = {name: "random " if name in used.random else "" for name in used.attributes}
    named = [f"{random[name]}{name} ({len(task.attributes[name].values)} values)" for name in used.attributes]
    others = [name for name, on in (("rule", used.rule), ("descriptions", used.descriptions)) if on]
    return named + others


def _mistakes(run: Run, primary: str | None, test: Sequence[Example]) -> list[dict[str, Any]]:
    """Gold rows that the primary system's first seed got wrong, the surest mistakes first; of numbers the largest."""
    gold = {example.id: example for example in test}
    found = [
        _mistake(row, gold[row["id"]])
        for row in read_rows(run.folder("evaluate") / "predictions.jsonl")
        if row["system"] == primary and row["seed"] == 0 and row["label"] != row["gold"]
    ]
    return sorted(found, key=lambda row: (-_size(row), row["id"]))


def _mistake(row: dict[str, Any], gold: Example) -> dict[str, Any]:
    mistake = {"id": gold.id, "text": gold.text, "text_pair": gold.text_pair, "gold": gold.label}
    mistake |= {"predicted": row["label"]}
    if gold.value is not None:
        return mistake | {"gold_value": gold.value, "value": row.get("value")}
    return mistake | {"score": row["scores"].get(row["label"])}


def _size(mistake: dict[str, Any]) -> float:
    if mistake.get("gold_value") is not None and mistake.get("value") is not None:
        return abs(float(mistake["gold_value"]) - float(mistake["value"]))
    return float(mistake.get("score") or 0.0)
