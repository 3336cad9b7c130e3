"""What analysis says of the texts of a run, as far as a comparison of arms looks at it: a list of measures, and where each
stands in ``analysis.json``. Runs of earlier versions lack some, which are left out.

Sets of other sizes do not compare, not even by their difference to gold of the same size, which grows with n.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from japagen.compare.armfacts import Value
from japagen.report.words import finite

JSON = Mapping[str, Any]
CORRECTNESS: Final = "correctness"
DIVERSITY: Final = "diversity"
FIDELITY: Final = "fidelity"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of texts.

    Attributes:
        name: short, as in tables.
        kind: what it is about.
        path: dotted, where it stands in the analysis; its value is a number, or has `part` beside ``low`` and ``high``.
        part: the name of the value.
        lower: whether less is better.
        digits: that are shown.
        words: whether it depends on what cuts texts into words.
        size: dotted, where the number of texts stands that it was measured at, and that it depends on.
        ranked: whether more, or less, is better throughout; density is best where it is as gold's.
    """

    name: str
    kind: Literal["correctness", "diversity", "fidelity"]
    path: str
    part: str = "value"
    lower: bool = False
    digits: int = 2
    words: bool = False
    size: str = ""
    ranked: bool = True


_EMBEDDED = "embedding.overall"
_VARIETY = "diversity.measures"
MEASURES = (
    Measure("right labels", CORRECTNESS, "correctness.oracle.overall", "corrected"),
    Measure("judge agrees", CORRECTNESS, "correctness.judge.overall"),
    Measure("right, by people", CORRECTNESS, "correctness.people.overall"),
    Measure("Vendi, of gold's", DIVERSITY, f"{_EMBEDDED}.vendi.ratio", size=f"{_EMBEDDED}.n"),
    Measure(
        "Self-BLEU-4 − gold's",
        DIVERSITY,
        f"{_VARIETY}.self_bleu_4",
        "difference",
        lower=True,
        digits=3,
        words=True,
        size="diversity.n",
    ),
    Measure(
        "distinct-2 − gold's",
        DIVERSITY,
        f"{_VARIETY}.distinct_2",
        "difference",
        digits=3,
        words=True,
        size="diversity.n",
    ),
    Measure("MAUVE", FIDELITY, f"{_EMBEDDED}.mauve", size=f"{_EMBEDDED}.n"),
    Measure("density", FIDELITY, f"{_EMBEDDED}.density", size=f"{_EMBEDDED}.n", ranked=False),
    Measure("coverage", FIDELITY, f"{_EMBEDDED}.coverage", size=f"{_EMBEDDED}.n"),
    Measure("vocabulary shared", FIDELITY, "vocabulary.synthetic_gold", digits=3, words=True, size="vocabulary.n"),
)


def values_of(analysis: JSON) -> dict[str, Value]:
    """The measures that an analysis has, by name; what is missing, undefined or damaged is left out.

    >>> values_of({"embedding": {"overall": {"mauve": {"value": 0.5, "low": 0.4, "high": 0.6}}}})["MAUVE"]
    Value(value=0.5, low=0.4, high=0.6, signature='', n=None)
    """
    found = {measure.name: _value(_at(analysis, measure.path), measure.part) for measure in MEASURES}
    sizes = {measure.name: _at(analysis, measure.size) for measure in MEASURES if measure.size}
    return {
        name: replace(value, n=n) if isinstance(n := sizes.get(name), int) else value
        for name, value in found.items()
        if value is not None
    }


def unknown(analysis: JSON) -> str:
    """Why the analysis does not say, or not surely, how many labels are right; empty where it does, or gives no reason."""
    told = _at(analysis, "correctness.oracle.undefined")
    if _at(analysis, "correctness.oracle.weak") is True:
        told = "the oracle errs too often on gold rows itself, so its shares are not to be relied on"
    return told if isinstance(told, str) else ""


def _at(analysis: JSON, path: str) -> Any:
    place: Any = analysis
    for step in path.split("."):
        place = place.get(step) if isinstance(place, Mapping) else None
    return place


def _value(node: Any, part: str) -> Value | None:
    if not isinstance(node, Mapping):
        number = finite(node)
        return None if number is None else Value(number)
    number = finite(node.get(part))
    if number is None:
        return None
    own = part != "difference"  # there they are what chance makes of it
    low, high = (finite(node.get(key)) if own else None for key in ("low", "high"))
    return Value(number, low, high, str(node.get("signature") or ""))
