"""What would be sent, without sending it: the requests of an experiment as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from japagen.errors import ConfigError, did_you_mean
from japagen.experiment import Experiment
from japagen.generate.plan import plan_request
from japagen.llm import Style, check_llm
from japagen.llm.embedded import render


def preview(experiment: Experiment | Path, *, label: str | None, n: int, style: str | None) -> list[dict[str, Any]]:
    """The first `n` requests of each label, or of one label.

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
    base_model = experiment.llm.name.partition(":")[0] in ("embedded", "gguf")
    chosen: Style
    match style or ("document" if base_model else "chat"):
        case "chat":
            chosen = "chat"
        case "document":
            chosen = "document"
        case other:
            raise ConfigError(f"no prompt style is called '{other}'", where="--style", remedy="known: chat, document")
    requests = []
    for name in [label] if label else task.label_names:
        for index in range(min(n, experiment.generate.per_label)):
            request = plan_request(experiment, task, name, index, style=chosen)
            requests.append(
                {
                    "id": request.id,
                    "label": name,
                    "word": request.word,
                    "seed": request.seed,
                    "messages": [{"role": m.role, "content": m.content} for m in request.messages],
                    "document": "".join(render(request.messages)) if chosen == "document" else None,
                }
            )
    return requests
