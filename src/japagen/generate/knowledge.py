"""KADG, knowledge-assisted data generation (paper, section 3.2): which word goes into which prompt."""

from __future__ import annotations

from japagen.streams import stream
from japagen.task import Task


def draw_word(task: Task, label: str, index: int, *, seed: int) -> str | None:
    """The word of a label's request number `index`, or None for a task without words.

    Words come in shuffled rounds, each word once a round: so quotas are even at every size, and a run that is made
    larger keeps the words it had.
    """
    if task.knowledge is None:
        return None
    words = list(task.knowledge.words)
    turn, place = divmod(index, len(words))
    stream(seed, "word", label, turn).shuffle(words)
    return words[place]
