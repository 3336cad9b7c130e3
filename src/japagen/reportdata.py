"""What a run's report is drawn from: the JSON that the stages left, samples of rows, notices. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from japagen.experiment import Experiment
from japagen.records import Example
from japagen.report import ReportData
from japagen.rundir import STAGES, Run, now, read_json, versions
from japagen.tables import read_rows
from japagen.task import Task


def report_data(run: Run, experiment: Experiment, task: Task, test: Sequence[Example]) -> ReportData:
    """All that `report` shows of a run.

    Args:
        run: a run whose stages before the report are complete.
        experiment: what it was made from.
        task: likewise.
        test: the gold test rows, for the texts of mistakes.
    """
    stages = {stage: done for stage in STAGES[:-1] if (done := run.done(stage))}
    most = experiment.report.examples
    scores = read_json(run.folder("evaluate") / "scores.json")
    kept = read_rows(run.folder("curate") / "examples.jsonl")
    dropped = [row for stage in ("generate", "curate") for row in read_rows(run.folder(stage) / "dropped.jsonl")]
    return ReportData(
        name=experiment.name,
        task={
            "name": task.name,
            "description": task.description,
            "kind": task.kind,
            "metric": task.metric,
            "labels": {name: {"meaning": label.meaning} for name, label in task.labels.items()},
            "kadg_words": list(task.knowledge.words) if task.knowledge else [],
        },
        experiment=experiment.model_dump(mode="json"),
        stages=stages,
        scores=scores,
        analysis=read_json(run.folder("analyze") / "analysis.json"),
        kept=_spread(kept, most),
        dropped=_spread(dropped, most),
        mistakes=_spread(_mistakes(run, scores.get("primary"), test), most),
        provenance={
            "llm": stages["generate"].get("llm"),
            "seed": experiment.seed,
            "started": run.about().get("created"),
            "finished": now(),
            "command": f"japagen run {experiment.name}.yaml",
            "versions": versions(),
            "digests": {f"{stage} outputs": run.outputs_digest(stage) for stage in stages},
        },
        notices=_notices(experiment, scores, stages),
    )


def _mistakes(run: Run, primary: str | None, test: Sequence[Example]) -> list[dict[str, Any]]:
    """Gold rows that the primary system's first seed got wrong, the surest mistakes first."""
    texts = {example.id: example.text for example in test}
    found = [
        {
            "id": row["id"],
            "text": texts[row["id"]],
            "gold": row["gold"],
            "predicted": row["label"],
            "score": row["scores"][row["label"]],
        }
        for row in read_rows(run.folder("evaluate") / "predictions.jsonl")
        if row["system"] == primary and row["seed"] == 0 and row["label"] != row["gold"]
    ]
    return sorted(found, key=lambda row: (-row["score"], row["id"]))


def _notices(experiment: Experiment, scores: dict[str, Any], stages: dict[str, Any]) -> list[str]:
    """What a reader must know before anything else."""
    notices = []
    if not scores["systems"]:
        notices.append("The task names no gold data, so nothing was measured.")
    elif scores["n"] < 500:
        least = scores["smallest_detectable_difference"]
        what = f"Differences below about {100 * least:.1f} points cannot" if least else "Hardly any difference can"
        notices.append(f"The test set has only {scores['n']} rows. {what} be told from chance.")
    notices += [f"Left out: {what}." for what in scores.get("left_out", [])]
    wanted = experiment.generate.per_label
    for label, account in stages["curate"].get("by_label", {}).items():
        if account["kept"] < wanted / 2:
            notices.append(f"Of {wanted} texts asked for of label '{label}', {account['kept']} are left.")
    if experiment.train.dev == "gold":
        notices.append("Settings of the students were chosen on gold labels (train.dev: gold).")
    return notices


def _spread(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most that many rows, evenly from the whole."""
    if len(rows) <= most:
        return list(rows)
    return [rows[i * len(rows) // most] for i in range(most)]
