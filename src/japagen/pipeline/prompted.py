"""What the prompts of a task say, that its rows must not repeat: shots, meanings, instructions, names of fields."""

from __future__ import annotations

from japagen.records import Example
from japagen.task import Task

_PROMPT_TEXTS = (
    "system",
    "system_without_word",
    "instruction",
    "instruction_without_word",
    "meaning",
    "description",
    "heading",
    "lead",
    "lead_with_word",
    "lead_pair",
    "rule",
)


def shot_rows(task: Task) -> list[Example]:
    """The shots of all labels as rows."""
    return [
        Example(f"shot/{name}/{n}", shot.text, name, shot.text_pair)
        for name, label in task.labels.items()
        for n, shot in enumerate(label.shots)
    ]


def shots(task: Task) -> list[tuple[str, str | None]]:
    """The texts of all shots."""
    return [(shot.text, shot.text_pair) for shot in shot_rows(task)]


def fragments(task: Task) -> list[str]:
    """The other parts of the prompts."""
    parts: list[object] = [task, task.document, task.first, task.knowledge, *task.labels.values()]
    parts += task.attributes.values()
    found = [getattr(part, name, None) for part in parts for name in _PROMPT_TEXTS]
    return list(dict.fromkeys(text for text in found if isinstance(text, str)))


def nearest_label(task: Task) -> str | None:
    """The label of pairs that may be twice the same text, the highest of a similarity; None where no label is such."""
    if task.kind != "similarity":
        return None
    return max(task.label_names, key=lambda label: task.value(label) or 0.0)
