"""The analysis in sentences alone, section by section: for a terminal, where there is no page."""

from __future__ import annotations

from japagen.report.artefacts import artefacts
from japagen.report.correctness import correctness
from japagen.report.diversity import diversity
from japagen.report.embedding import embedding
from japagen.report.fidelity import fidelity
from japagen.report.keyness import keyness
from japagen.report.language import say
from japagen.report.words import JSON

Told = tuple[str, list[str], list[str]]
"""Title, alarms and sentences of a section."""


def told(analysis: JSON) -> list[Told]:
    """What each section of the analysis says; sections without anything are left out."""
    labels = [str(label) for label in analysis.get("labels") or ()]
    sections = (
        (say("Label correctness"), correctness(analysis, labels)),
        (say("Diversity"), diversity(analysis)),
        (say("Fidelity"), fidelity(analysis, labels)),
        (say("Words"), keyness(analysis, labels)),
        (say("In the space of sentence vectors"), embedding(analysis)),
        (say("What one text gives away"), artefacts(analysis, labels)),
    )
    return [(title, view["alarms"], view["sentences"]) for title, view in sections if view]
