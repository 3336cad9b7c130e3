"""The sections of the page in their order: where each begins and what its link is called. Knows nothing of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from japagen.report.language import message, say


@dataclass(frozen=True, slots=True)
class Section:
    """A section: ``name.html.j2`` draws it.

    Attributes:
        name: of its template.
        id: where it begins.
        title: of its link.
    """

    name: str
    id: str
    title: str


ORDER = (
    ("asked", message("What was asked")),
    ("gold", message("Gold data")),
    ("rows", message("Rows")),
    ("scores", message("Scores")),
    ("scaling", message("Learning curve")),
    ("rounds", message("Rounds")),
    ("bylabel", message("Labels")),
    ("confusion", message("Confusions")),
    ("calibration", message("Calibration")),
    ("correctness", message("Label correctness")),
    ("diversity", message("Diversity")),
    ("fidelity", message("Fidelity")),
    ("keyness", message("Words")),
    ("embedding", message("Sentence vectors")),
    ("artefacts", message("Artefacts")),
    ("contamination", message("Contamination")),
    ("curation", message("Curation")),
    ("students", message("Students")),
    ("examples", message("Examples")),
    ("cost", message("Cost and time")),
    ("provenance", message("Provenance")),
)
IDS = {"gold": "golddata"}
"""Where a section does not begin at its own name."""


def contents(there: Mapping[str, Any], titles: Mapping[str, str]) -> list[Section]:
    """The sections that have something to show.

    Args:
        there: by section what it shows; what is empty or missing is left out.
        titles: of sections that are called otherwise than usual.
    """
    return [
        Section(name, IDS.get(name, name), titles.get(name) or say(title)) for name, title in ORDER if there.get(name)
    ]
