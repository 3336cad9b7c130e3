"""Which two systems an experiment is about: those that it declares, or a usual pair."""

from __future__ import annotations

from collections.abc import Sequence

from japagen.evaluate.system import System
from japagen.experiment import Experiment


def declared_contrast(experiment: Experiment, systems: Sequence[System]) -> tuple[str, str, bool] | None:
    """Two of the systems, and whether `evaluate.contrast` names them.

    Where it names none: with a second round, the first student shown its errors against its control, of as many rows; else
    the first student trained on synthetic texts against zero-shot prompting; where that is not asked for, against the same
    student on the most gold rows per label, else against the majority label. None where one of the two was not measured; a
    declared pair is never replaced by another one.
    """
    names = [system.name for system in systems]
    contrast = experiment.evaluate.contrast
    if contrast is not None:
        measured = contrast.system in names and contrast.against in names
        return (contrast.system, contrast.against, True) if measured else None
    student = experiment.train.students[0]
    own, control = f"japagen/{student}", f"control/{student}"
    if control in names:
        return (f"guided/{student}" if f"guided/{student}" in names else own, control, False)
    gold = max(
        (system for system in systems if system.kind == "gold" and system.student == student),
        key=lambda system: system.k or 0,
        default=None,
    )
    others = ["zero-shot", *([gold.name] if gold else []), "majority"]
    against = next((name for name in others if name in names), None)
    return (own, against, False) if own in names and against else None
