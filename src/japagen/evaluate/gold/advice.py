"""What of the facts about gold data is worth a warning, each in a sentence that says what follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from japagen.evaluate.gold.check import Facts, Probed, SplitFacts
from japagen.evaluate.gold.leakage import Leak
from japagen.student.probe import Probe


def advice(facts: Facts) -> list[str]:
    """The warnings, those about leakage first; none where nothing is wrong."""
    found = [text for leak in facts.leaks for text in _leak(leak)]
    found += [text for split in facts.splits for text in _split(split)]
    return found + [text for probed in facts.probed for text in _probed(probed)]


def _leak(leak: Leak) -> Iterator[str]:
    here = f"{leak.split}: "
    if same := leak.exact + leak.canonical:
        other = f", {leak.relabelled} with another label" if leak.relabelled else ""
        how = f"{leak.exact} to the letter{other}"
        yield f"{here}{same} of {leak.rows} rows also stand in {leak.other} ({how}); leave them out of it"
    if leak.near:
        yield f"{here}{leak.near} of {leak.rows} rows are nearly a row of {leak.other}: copies, or minimal pairs? Look"
    if leak.same_image:
        yield f"{here}{leak.same_image} of {leak.rows} rows are about an image of {leak.other} too; scores may be too high"
    elif leak.one_text:
        yield f"{here}{leak.one_text} of {leak.rows} pairs share a text with {leak.other}; scores may be too high"


def _split(facts: SplitFacts) -> Iterator[str]:
    here = f"{facts.split}: "
    for label in (label for label, rows in facts.labels.items() if not rows):
        yield f"{here}no row has the label '{label}'"
    if facts.contradictions:
        ids = ", ".join(facts.contradictory)
        more = ", …" if facts.contradictions > len(facts.contradictory) else ""
        yield f"{here}rows whose text also stands with another label: {facts.contradictions} ({ids}{more})"
    if facts.canonical:
        yield f"{here}rows that repeat an earlier one: {facts.canonical}, {facts.exact} of them to the letter"


def _probed(probed: Probed) -> Iterator[str]:
    leaking = [probe for probe in probed.probes if probe.leaking]
    for probe in (probe for probe in probed.probes if probe.artefact):
        guess = f", a guess {short(probe.guess)}" if probe.measure == "accuracy" else ""
        yield (
            f"{probed.split}: the {probe.text} text alone tells the label: {probe.measure} {short(probe.grouped)}"
            f"{guess}; a classifier may learn that in place of the task"
        )
    if leaking:
        worst = max(leaking, key=lambda probe: probe.random - probe.grouped)
        yield f"{probed.split}: a random split of these rows leaks ({_folds(worst)}); split by group, as gold.split does"


def _folds(probe: Probe) -> str:
    return f"the {probe.text} text alone: {short(probe.random)} in random folds, {short(probe.grouped)} by group"


def short(value: float) -> str:
    """A share or correlation as tables show it, without its leading zero.

    >>> short(-0.5), short(1.0)
    ('-.500', '1.000')
    """
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text
