"""How a stage tells how far it is, without knowing who listens: the command line draws it, a library user may not care."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """State of one line of work, sent whole each time.

    Attributes:
        stage: one of the six stages.
        item: what is worked on within it: a label, a system, a seed.
        done, total: rows or steps.
        kept, dropped, failed: rows so far, where that has a meaning.
        resumed: how many of `done` stood already when the work began, so that a rate can leave them out.
    """

    stage: str
    item: str
    done: int
    total: int
    kept: int = 0
    dropped: int = 0
    failed: int = 0
    resumed: int = 0


Listener = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """A listener that ignores everything."""
