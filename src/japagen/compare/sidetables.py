"""The other tables as they are printed: contrasts, gains over PROMPTING, costs, contamination. Empty ones are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from japagen.compare.armtables import arm_tables, found_sentences
from japagen.compare.printed import NOTHING, Part, Printed, Text, probability, visible
from japagen.compare.scoretable import heading, label, score_table
from japagen.compare.table import ALPHA, Comparison, Contrast, Cost, Gain, Method
from japagen.report.spending import dollars
from japagen.report.words import bounds, count, finite, metric_name, number

Rows = Sequence[tuple[Text, ...]]


def printed_tables(comparison: Comparison) -> list[Printed]:
    """Every table of a comparison that has rows, the scores first, with what was found above them."""
    scores = replace(score_table(comparison), lead=found_sentences(comparison))
    found = [scores, *arm_tables(comparison), _contrasts(comparison), _gains(comparison)]
    return [table for table in (*found, _costs(comparison), _overlaps(comparison)) if table.parts]


def _parts(rows: Rows) -> tuple[Part, ...]:
    return (Part("", "", tuple(rows)),) if rows else ()


def _contrasts(comparison: Comparison) -> Printed:
    found = comparison.contrasts
    tests = sum(each.p is not None for each in found)
    caption = [
        "The one comparison that each experiment is about, fixed before anything was measured: the first system minus "
        "the second in the task's metric, with its 95 % interval.",
        f"p is two-sided, from the paired bootstrap, after Holm's correction over {_counted(tests)}; bold: below .05.",
    ]
    if any(not each.declared for each in found):
        caption.append("Default: not named in the experiment, but the one that japagen takes.")
    head = ("task", "contrast", "run", "difference", "p, Holm")
    return Printed(
        "contrasts",
        "Contrasts fixed beforehand",
        tuple(caption),
        tuple(map(Text, head)),
        3,
        _parts(list(map(_contrast, found))),
    )


def _counted(tests: int) -> str:
    return "the one contrast" if tests == 1 else f"the {count(tests)} contrasts"


def _contrast(each: Contrast) -> tuple[Text, ...]:
    value = each.undefined and "undefined"
    told = number(each.value, 3, sign=True) if each.value is not None else value or NOTHING
    systems = f"{visible(each.system)} minus {visible(each.against)}"
    sure = each.p_holm is not None and each.p_holm < ALPHA
    return (
        Text(visible(each.task), metric_name(each.metric)),
        Text(systems, "" if each.declared else "default"),
        Text(visible(each.run)),
        Text(told, bounds({"low": each.low, "high": each.high}, 3, sign=True)),
        Text(probability(each.p_holm), bold=sure),
    )


def _gains(comparison: Comparison) -> Printed:
    used = sorted({gain.column for gain in comparison.gains})
    rows: dict[Method, dict[int, Gain]] = {}
    for gain in comparison.gains:
        rows.setdefault(gain.method, {})[gain.column] = gain
    ordered = [row.method for row in comparison.rows if row.method in rows]
    caption = (
        "JAPAGEN minus zero-shot PROMPTING of the same run, in points (hundredths of the metric), with the 95 % interval "
        "of the paired difference; in parentheses the same relative to PROMPTING, where that is above zero.",
        "The paper reports this gain in %, and does not say which of the two it means. No correction is made here.",
    )
    body = [(label(method), *(_gain(rows[method].get(place)) for place in used)) for method in ordered]
    head = (Text("method"), *(heading(comparison.columns[place]) for place in used))
    return Printed("gains", "From zero-shot PROMPTING to JAPAGEN", caption, head, 1, _parts(body))


def _gain(gain: Gain | None) -> Text:
    if gain is None:
        return Text(NOTHING)
    score = gain.difference
    interval = bounds({"low": 100 * score.low, "high": 100 * score.high}, 1, sign=True)
    relative = "" if gain.relative is None else f" ({number(100 * gain.relative, 0, sign=True)} %)"
    return Text(number(100 * score.value, 1, sign=True), f"{interval}{relative}")


def _costs(comparison: Comparison) -> Printed:
    caption = [
        "Calls, tokens and US dollars of the language model: for the texts of each JAPAGEN, and for PROMPTING.",
        "Replies taken from a cache cost nothing.",
    ]
    if any(cost.usd is None for cost in comparison.costs):
        caption.append(f"{NOTHING}: no price is known.")
    several = len({cost.llm for cost in comparison.costs}) > 1
    names = ("task", "what for", *(["LLM"] if several else []))
    numbers = ("texts asked for", "left", "calls", "prompt tokens", "completion tokens", "US dollars")
    tasks = list(dict.fromkeys(cost.task for cost in comparison.costs))
    rows = [_cost(cost, several) for task in tasks for cost in comparison.costs if cost.task == task]
    if not several and comparison.costs:
        caption.insert(1, f"Language model: {visible(comparison.costs[0].llm)}.")
    return Printed("costs", "Costs", tuple(caption), tuple(map(Text, (*names, *numbers))), len(names), _parts(rows))


def _cost(cost: Cost, several: bool) -> tuple[Text, ...]:
    return (
        Text(visible(cost.task)),
        Text(visible(cost.what), visible(cost.run)),
        *([Text(visible(cost.llm))] if several else []),
        *(Text("" if n is None else count(n)) for n in (cost.asked, cost.kept)),
        *(Text(count(n)) for n in (cost.calls, cost.prompt_tokens, cost.completion_tokens)),
        Text(NOTHING if finite(cost.usd) is None else dollars(cost.usd)),
    )


def _overlaps(comparison: Comparison) -> Printed:
    found = comparison.overlaps
    pairs = any(each.one_text is not None for each in found)
    caption = (
        "Rows of a set that also stand in another one: exactly, in canonical form (width, case, space, punctuation), or "
        "nearly (character n-grams)." + (" Of pairs also: rows of which one text does." if pairs else ""),
    )
    head = ("task", "rows", "also in", "run", "of", "exact", "canonical", "near", *(["one text"] if pairs else []))
    rows = [
        (
            Text(visible(each.task)),
            Text(visible(each.rows)),
            Text(visible(each.against)),
            Text(visible(", ".join(each.runs))),
            *(Text(count(n)) for n in (each.of, each.exact, each.canonical, each.near)),
            *([Text(NOTHING if each.one_text is None else count(each.one_text))] if pairs else []),
        )
        for each in found
    ]
    return Printed("contamination", "Contamination", caption, tuple(map(Text, head)), 4, _parts(rows))
