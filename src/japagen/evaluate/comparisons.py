"""Which differences between systems can be told from chance: the contrast declared beforehand, and all others together.

Of the systems of one experiment each is compared with the primary one, with Holm's correction over all these comparisons.
The contrast that the experiment declares (`evaluate.contrast`) is one question asked beforehand and needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from japagen.evaluate.resampling import Resampled
from japagen.evaluate.statistics import mcnemar_exact
from japagen.evaluate.system import System
from japagen.metrics import Undefined
from japagen.records import Example, Score
from japagen.significance import holm

Measured = Mapping[str, Resampled | Undefined]
"""The task's own metric by name of the system."""
Guard = Callable[[str, str, float], float]
"""Of two systems' names and the p of their difference a p that is not too small (`statistics.guarded`)."""

METHOD = (
    "paired bootstrap over {over} and seeds, two-sided, each system against {primary}; "
    "Holm's correction over {count} comparisons"
)


def score_json(score: Score) -> dict[str, Any]:
    """A score as JSON; p only where it is a difference."""
    told = {
        "value": score.value,
        "by_seed": list(score.by_seed),
        "low": score.low,
        "high": score.high,
        "signature": score.signature,
    }
    return told if score.p is None else {**told, "p": score.p}


def void(reason: Undefined) -> dict[str, Any]:
    """A score without a value, as JSON."""
    return {"value": None, "by_seed": [], "low": None, "high": None, "signature": "", "undefined": str(reason)}


def difference(measured: Measured, a: str, b: str, guard: Guard) -> dict[str, Any]:
    """System a minus system b, as JSON."""
    first, second = measured[a], measured[b]
    if isinstance(first, Undefined):
        return void(Undefined(f"one of the two has no score: {first}"))
    if isinstance(second, Undefined):
        return void(Undefined(f"one of the two has no score: {second}"))
    try:
        score = first.minus(second)
    except Undefined as reason:
        return void(reason)
    return score_json(score if score.p is None else replace(score, p=guard(a, b, score.p)))


def against_primary(measured: Measured, primary: str | None, guard: Guard) -> dict[str, dict[str, Any]]:
    """Each system's difference to the primary one, with p and Holm-corrected p; none without a primary one."""
    if primary is None:
        return {}
    found = {name: difference(measured, name, primary, guard) for name in measured if name != primary}
    corrected = holm({name: told["p"] for name, told in found.items() if told.get("p") is not None})
    return {name: told | ({"p_holm": corrected[name]} if name in corrected else {}) for name, told in found.items()}


def tests_json(differences: Mapping[str, Mapping[str, Any]], primary: str | None, over: str) -> dict[str, Any]:
    """How the differences were tested, for a reader."""
    family = [name for name, told in differences.items() if "p_holm" in told]
    method = METHOD.format(over=over, primary=primary, count=len(family)) if family else "nothing to compare"
    return {"correction": "holm", "family": family, "method": method}


def mcnemar_json(system: System, primary: System, test: Sequence[Example]) -> dict[str, Any]:
    """McNemar's exact test of the first seeds: rows that only the system, or only the primary one, gets right."""
    gold = [example.label for example in test]
    a, b = ([p.label for p in each.predictions[0]] for each in (system, primary))
    return mcnemar_exact(gold, a, b)._asdict()
