"""The tables of arms as they are printed: what differs, each against the first, what analysis says, ranks, tokenisers."""

from __future__ import annotations

from collections.abc import Sequence

from japagen.compare.armfacts import Against, Agreement, Arm, Arms, Value
from japagen.compare.measures import MEASURES, Measure
from japagen.compare.printed import NOTHING, Part, Printed, Text, probability, visible
from japagen.compare.ranks import of_like_size
from japagen.compare.scatter import Scatter, scatter
from japagen.compare.table import ALPHA, Column, Comparison
from japagen.report.words import bounds, count, join, metric_name, number


def arm_tables(comparison: Comparison) -> list[Printed]:
    """The tables of a comparison that has arms; none otherwise, and those without rows are empty."""
    arms = comparison.arms
    if arms is None:
        return []
    return [
        _against(arms, comparison.columns),
        _measures(arms),
        _ranks(arms),
        _agreements(arms),
    ]


def _printed(
    name: str, title: str, caption: Sequence[str], head: Sequence[Text], left: int, rows: Sequence[tuple[Text, ...]]
) -> Printed:
    return Printed(name, title, tuple(caption), tuple(head), left, (Part("", "", tuple(rows)),) if rows else ())


def _against(arms: Arms, columns: Sequence[Column]) -> Printed:
    tests = sum(each.p is not None and not each.same for each in arms.against)
    bases = list(dict.fromkeys(each.base for each in arms.against))
    counted = "the one difference" if tests == 1 else f"the {count(tests)} differences"
    caption = [
        f"Each arm minus {join([visible(base) for base in bases])}, the same student on the same test rows, with the 95 % "
        f"interval of the paired difference; p is two-sided, after Holm's correction over {counted}; bold: below .05.",
    ]
    if any(each.same for each in arms.against):
        caption.append("The same answers as in another arm are no other difference, and not counted again.")
    several = len(columns) > 1
    head = ("arm", "student", *(["task"] if several else []), "difference", "p, Holm")
    differs = {arm.name: arm.differs for arm in arms.arms}
    rows = [_minus(each, columns[each.column], differs, several=several) for each in arms.against]
    return _printed("against", "Arms against the first", caption, list(map(Text, head)), 3 if several else 2, rows)


def found_sentences(comparison: Comparison) -> tuple[str, ...]:
    """What came of the comparison of arms, in a sentence; none where there is nothing to say."""
    arms = comparison.arms
    if arms is None:
        return ()
    known = [each for each in arms.against if each.p_holm is not None and each.value is not None]
    if not known:
        return ()
    sure = [each for each in known if each.p_holm is not None and each.p_holm < ALPHA]
    if not sure:
        least = min(each.p_holm for each in known if each.p_holm is not None)
        bases = join(list(dict.fromkeys(visible(each.base) for each in known)))
        return (f"No arm can be told from {bases} by its score (smallest corrected p {probability(least)}).",)
    told = [
        f"{visible(each.arm)} ({visible(each.student)}, {number(each.value, 3, sign=True)})"
        for each in sorted(sure, key=lambda each: -abs(each.value or 0.0))
    ]
    more = len({each.arm for each in known} - {each.arm for each in sure})
    rest = "; the others cannot be told from it" if more else ""
    return (f"By its score {join(told)} can be told from the first arm{rest}.",)


def _minus(each: Against, column: Column, differs: dict[str, str], *, several: bool) -> tuple[Text, ...]:
    told = "undefined" if each.value is None else number(each.value, 3, sign=True)
    sure = each.p_holm is not None and each.p_holm < ALPHA
    shared = f"the same answers as {each.same}" if each.same else ""
    return (
        Text(visible(each.arm), visible("; ".join(filter(None, [differs.get(each.arm, ""), shared])))),
        Text(visible(each.student)),
        *([Text(visible(column.task), metric_name(column.metric))] if several else []),
        Text(told, bounds({"low": each.low, "high": each.high}, 3, sign=True)),
        Text(probability(each.p_holm), bold=sure),
    )


def _measures(arms: Arms) -> Printed:
    had = [measure for measure in MEASURES if any(measure.name in arm.values for arm in arms.arms)]
    caption = [
        "Rows left after curation, and what the analysis of each arm says of its texts, with its 95 % intervals."
    ]
    caption += [_explained(measure) for measure in had if measure.name in _EXPLAINED]
    if any(arm.same for arm in arms.arms):
        caption.append("= NAME: texts, students and scores are those of that arm, and so is what stands there alone.")
    if reasons := {arm.unknown: None for arm in arms.arms if arm.unknown}:
        caption.append(f"How many labels are right is not known: {'; '.join(map(visible, reasons))}.")
    if other := _other_sizes(arms, had):
        caption.append(
            f"Measured at fewer or more texts than the others, and so not comparable and not ranked: {other}."
        )
    if arms.unfinished:
        caption.append(f"Not finished, and left out: {', '.join(map(visible, arms.unfinished))}.")
    if figure := scatter(arms.arms):
        caption.append(frontier_sentence(figure))
    students = list(dict.fromkeys(arm.student for arm in arms.arms if arm.student))
    tokenisers = len({arm.tokeniser for arm in arms.arms}) > 1
    head = [
        Text("arm"),
        *([Text("tokeniser")] if tokenisers else []),
        Text("texts"),
        Text("score", ", ".join(map(visible, students))),
        *(Text(measure.name, "less is more varied" if measure.lower else "") for measure in had),
    ]
    tokeniser = {arm.name: arm.tokeniser for arm in arms.arms}

    def told(arm: Arm, measure: Measure) -> Text:
        if arm.same and not measure.words and arm.tokeniser != tokeniser[arm.same]:
            return Text("")  # the same as there
        return _value(arm.values.get(measure.name), measure.digits, measure.part == "difference")

    rows = [
        (
            Text(visible(arm.name), visible(f"= {arm.same}" if arm.same else arm.differs)),
            *([Text(visible(arm.tokeniser))] if tokenisers else []),
            Text(
                NOTHING if arm.kept is None else count(arm.kept), "" if arm.asked is None else f"of {count(arm.asked)}"
            ),
            Text("") if arm.same else _value(arm.score, 3),
            *(told(arm, measure) for measure in had),
        )
        for arm in arms.arms
    ]
    return _printed("measures", "The arms and their texts", caption, head, 2 if tokenisers else 1, rows)


def _other_sizes(arms: Arms, had: Sequence[Measure]) -> str:
    """The arms, by measure, that have it at another number of texts than the most of them."""
    told = []
    for measure in had:
        alike = {arm.name for arm in of_like_size(arms.arms, measure.name)}
        odd = [arm for arm in arms.arms if measure.name in arm.values and arm.name not in alike]
        if odd:
            names = [f"{visible(arm.name)} (n = {count(arm.values[measure.name].n)})" for arm in odd]
            told.append(f"{measure.name} of {join(names)}")
    return "; ".join(told)


_EXPLAINED = {
    "right labels": "labels that are right, as students say that learnt from gold, their own errors reckoned out",
    "judge agrees": "labels that the language model of curate.judge gives as well",
    "right, by people": "labels that people call right",
    "Vendi, of gold's": "how many wholly different texts the set is worth, over the same of as many gold texts",
    "Self-BLEU-4 − gold's": "how much of each text stands in the others, minus the same of as many gold texts",
    "distinct-2 − gold's": "share of different word pairs, minus the same of as many gold texts",
    "MAUVE": "how near the distribution of texts is to gold's, 0 to 1",
    "coverage": "share of gold texts that have a synthetic one near them",
}


def _explained(measure: Measure) -> str:
    return f"{measure.name[0].upper()}{measure.name[1:]}: {_EXPLAINED[measure.name]}."


def frontier_sentence(figure: Scatter) -> str:
    """Which arms no other beats in both measures of the figure."""
    names = join([visible(name) for name in figure.best])
    stands = "stands" if len(figure.best) == 1 else "stand"
    return (
        f"On the frontier of {figure.across} and {figure.up} {stands} {names}: no other arm is better in both. "
        "Intervals may overlap."
    )


def _value(value: Value | None, digits: int, sign: bool = False) -> Text:
    if value is None:
        return Text(NOTHING)
    return Text(number(value.value, digits, sign=sign), bounds({"low": value.low, "high": value.high}, digits))


def _ranks(arms: Arms) -> Printed:
    first: dict[object, str] = {}  # arms with the same texts share a column
    column = {arm.name: first.setdefault(arm.texts or arm.name, arm.name) for arm in arms.arms}
    names = [name for name in first.values() if any(name in map(column.get, each.ranks) for each in arms.rankings)]
    several = len({each.tokeniser for each in arms.rankings}) > 1
    head = ["measure", *(["tokeniser"] if several else []), *names, "tau with score"]
    sizes = sorted({each.scored for each in arms.rankings})
    told = join([count(n) for n in sizes]) if sizes else "0"
    caption = [
        "1 is the best: the most right labels, the most varied texts, the nearest to gold.",
        "Tau: Kendall's tau-b between this order and the order by score, with its two-sided p, uncorrected. "
        f"Of {told} arms, which says little: p cannot fall below .33 with three arms, .08 with four, .02 with five.",
    ]
    rows = [
        (
            Text(each.measure),
            *([Text(visible(each.tokeniser))] if several else []),
            *(Text(_rank({column[arm]: rank for arm, rank in each.ranks.items()}.get(name))) for name in names),
            _tau(each.tau, each.p),
        )
        for each in arms.rankings
    ]
    return _printed(
        "ranks", "Ranks of the arms", caption, [Text(visible(text)) for text in head], 2 if several else 1, rows
    )


def _rank(rank: float | None) -> str:
    if rank is None:
        return NOTHING
    return f"{rank:.0f}" if rank == int(rank) else f"{rank:.1f}"


def _tau(tau: float | None, p: float | None) -> Text:
    if tau is None:
        return Text(NOTHING)
    return Text(number(tau, 2, sign=True), "" if p is None else f"p = {probability(p)}".replace("= <", "<"))


def _agreements(arms: Arms) -> Printed:
    pairs = list(dict.fromkeys((each.first, each.second) for each in arms.agreements))
    measures = list(dict.fromkeys(each.measure for each in arms.agreements))
    sizes = sorted({each.sets for each in arms.agreements})
    caption = [
        "Kendall's tau-b between the orders that a measure gives the same sets of texts under two tokenisers: 1 is the same "
        f"order. Of {join([count(n) for n in sizes]) if sizes else '0'} sets.",
        "Measures of vectors and of labels know no tokeniser and are left out.",
    ]
    by_key: dict[tuple[str, str, str], Agreement] = {
        (each.measure, each.first, each.second): each for each in arms.agreements
    }
    rows = [
        (
            Text(name),
            *(_tau(each.tau, None) if (each := by_key.get((name, *pair))) else Text(NOTHING) for pair in pairs),
        )
        for name in measures
    ]
    head = [Text("measure"), *(Text(f"{visible(first)}, {visible(second)}") for first, second in pairs)]
    return _printed("tokenisers", "The same order under other tokenisers?", caption, head, 1, rows)
