"""What the stage `analyze` knows beside the rows: the judge's audit, people's verdicts, scores, and what the texts cost."""

from __future__ import annotations

from japagen.analyze import Facts
from japagen.pipeline.bound import Bound
from japagen.pipeline.named import people_file
from japagen.pipeline.people import read_people
from japagen.pipeline.rows import written_rows
from japagen.rundir import read_json
from japagen.student import Training


def facts_of(bound: Bound) -> Facts:
    """What else is known of the rows of a run.

    Raises:
        ConfigError, DataError: the file of people's verdicts is not there, or cannot be used.
    """
    task, experiment = bound.task, bound.experiment
    file = people_file(experiment)
    people = None
    if file is not None:
        people = read_people(file, task, [*written_rows(bound.run), *bound.examples("curate")])
    scores = bound.run.folder("evaluate") / "scores.json"
    told = bound.run.folder("curate") / "curation.json"
    similar = task.kind == "similarity"
    return Facts(
        values={label: task.value(label) or 0.0 for label in task.label_names} if similar else None,
        attributes=tuple(task.attributes),
        judged=(read_json(told) if told.is_file() else {}).get("judge"),
        people=people,
        scores=read_json(scores) if scores.is_file() else {},
        usage=_spent(bound),
        training=Training(experiment.train.encoder, task.metric),
    )


def _spent(bound: Bound) -> dict[str, float | None]:
    """What writing used, with what curation asked for besides; None where that is not known."""
    first, more = ((bound.run.done(stage) or {}).get("usage") or {} for stage in ("generate", "curate"))
    return {key: None if value is None else value + (more.get(key) or 0) for key, value in first.items()}
