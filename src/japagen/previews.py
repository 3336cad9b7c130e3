"""What would be sent, without sending it: the requests of an experiment as plain data."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from japagen.errors import ConfigError, did_you_mean
from japagen.experiment import Experiment
from japagen.generate.plan import FirstPlan, Plan
from japagen.llm import Style, check_llm
from japagen.llm.embedded import render
from japagen.records import Request

FIRST_SENTENCE = "（ここに一文目が入る）"


def preview(experiment: Experiment | Path, *, label: str | None, n: int, style: str | None) -> list[dict[str, Any]]:
    """The first `n` requests of each label, or of one label; of pairs both turns, the second with a gap for the first.

    Raises:
        ConfigError: no such label or style.
    """
    if not isinstance(experiment, Experiment):
        experiment = Experiment.load(experiment)
    task = experiment.load_task()
    if label is not None and label not in task.labels:
        hint = did_you_mean(label, task.label_names)
        raise ConfigError(
            f"task '{task.name}' has no label '{label}'; {hint}",
            where="--label",
            remedy="give one of the task's labels",
        )
    check_llm(experiment.llm.name)
    chosen: Style
    match style or experiment.llm.prompt_style:
        case "chat":
            chosen = "chat"
        case "document":
            chosen = "document"
        case other:
            raise ConfigError(f"no prompt style is called '{other}'", where="--style", remedy="known: chat, document")
    plan = Plan(experiment, task, style=chosen, first_sentence=lambda row: FIRST_SENTENCE)
    firsts = FirstPlan(plan) if task.is_pair else None
    found: list[Request | None] = []
    for name in [label] if label else task.label_names:
        rows = itertools.islice((row for row in plan.ids() if row.rpartition("/")[0] == name), n)
        for row in rows:
            if firsts:
                found.append(firsts.request(firsts.place(row)[0]))
            found.append(plan.request(row))
    return [_shown(request, chosen) for request in found if request]


def _shown(request: Request, style: Style) -> dict[str, Any]:
    return {
        "id": request.id,
        "label": request.label,
        "attributes": dict(request.attributes),
        "seed": request.seed,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "document": "".join(render(request.messages)) if style == "document" else None,
    }
