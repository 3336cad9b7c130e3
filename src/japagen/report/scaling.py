"""What more synthetic rows would bring: the learning curve, twice the rows, enough rows, and the gold labels they are worth.

Drawn from the analysis' `scaling` and, where writing stopped by itself, `stopping`. Whether a curve rises was decided there;
an alarm where that of the first student does not. Knows nothing of HTML.
"""

from __future__ import annotations

import math
from typing import Any

from japagen.report.language import message, say
from japagen.report.words import JSON, bounds, count, finite, metric_name, number, scored

Row = dict[str, Any]

SHAPES = {
    "flat": message(
        "More synthetic rows do not help the student {student}: from {first} to {last} rows a doubling changes {metric} by "
        "{slope}. Look at whether the labels are right and the texts varied before you have more written."
    ),
    "falling": message(
        "More synthetic rows make the student {student} worse: from {first} to {last} rows a doubling changes {metric} by "
        "{slope}. Look at whether the labels are right before you have more written."
    ),
    "turned": message(
        "The student {student} is best with {best} rows and worse with all {last}: {metric} is {peak} there and {end} now. "
        "Look at whether the labels of the later rows are right."
    ),
    "unclear": message(
        "For the student {student} the sizes differ by less than chance: from {first} to {last} rows a doubling changes "
        "{metric} by {slope}, and no forecast is made. More seeds (train.seeds), test rows or larger sizes would tell."
    ),
}
ON_TEST = message("The curve is of scores on the test rows: a size that is chosen by it has been chosen on them.")
ALARMING = ("flat", "falling", "turned")
UNSURE = 20
"""Alarm where the interval of the last score is wider than so many times the gain that a stop rule looks for."""


def scaling(analysis: JSON) -> Row | None:
    """Sentences, alarms and the points of each student; None where no sizes were measured and no rule has stopped."""
    told: JSON = analysis.get("scaling") or {}
    students = list(told.get("students") or ())
    stopping = _stopping(analysis.get("stopping") or {})
    if not students and stopping is None:
        return None
    cost: JSON = told.get("cost") or {}
    alarms = [_shape(one, told) for one in students[:1] if one.get("shape") in ALARMING]
    alarms += _doubtful(analysis.get("stopping") or {})
    paragraphs = [_sentences(one, told, cost, not place) for place, one in enumerate(students)]
    paragraphs += [[say(ON_TEST)]] if students else []
    return {
        "sentences": [text for paragraph in paragraphs for text in paragraph],
        "paragraphs": [paragraph for paragraph in paragraphs if paragraph],
        "alarms": alarms,
        "students": [_table(one, cost) for one in students],
        "left_out": [str(one).partition(":")[0] for one in told.get("left_out") or ()],
        "stopping": stopping,
        "metric": metric_name(str(told.get("metric") or (analysis.get("stopping") or {}).get("metric") or "accuracy")),
        "signatures": [str(one["signature"]) for one in students if one.get("signature")],
    }


def about(n: float) -> str:
    """A number of rows with two digits that mean something.

    >>> about(66.6), about(85_786), about(183)
    ('67', '86,000', '180')
    """
    digits = max(0, math.floor(math.log10(n)) - 1) if n >= 100 else 0
    return count(round(n / 10**digits) * 10**digits)


def _sentences(one: JSON, told: JSON, cost: JSON, first: bool) -> list[str]:
    student = str(one.get("student"))
    if one.get("undefined"):
        said = [say("No curve of the student {student}: {n} sizes are fewer than the three that one takes.",
                    student=student, n=len(one.get("points") or ()))]  # fmt: skip
    elif one.get("shape") == "rising":
        said = _rising(one, told, student)
    else:
        said = [] if first and one.get("shape") in ALARMING else [_shape(one, told)]
    return said + _worth(one, student) + (_cost(told, cost) if first else [])


def _shape(one: JSON, told: JSON) -> str:
    points = one.get("points") or [{}]
    best = max(points, key=_value)
    return say(
        SHAPES[str(one.get("shape"))],
        student=one.get("student"),
        metric=metric_name(str(told.get("metric"))),
        first=count(points[0].get("n")),
        last=count(points[-1].get("n")),
        slope=scored(one.get("slope"), 3, sign=True),
        best=count(best.get("n")),
        peak=number(_value(best), 3),
        end=number(_value(points[-1]), 3),
    )


def _value(point: JSON) -> float:
    return finite((point.get("score") or {}).get("value")) or 0.0


def _rising(one: JSON, told: JSON, student: str) -> list[str]:
    twice, epsilon = one.get("twice") or {}, number(told.get("epsilon"), 3)
    values = {
        "student": student,
        "n": count(twice.get("n")),
        "score": scored(twice, 3),
        "metric": metric_name(str(told.get("metric"))),
        "gain": scored(twice.get("gain"), 3, sign=True),
        "epsilon": epsilon,
    }
    low, high = (finite((twice.get("gain") or {}).get(key)) for key in ("low", "high"))
    if low is not None and high is not None and low < (finite(told.get("epsilon")) or 0.0) <= high:
        text = message(
            "With {n} rows, twice as many, the student {student} is expected to reach {metric} {score}, a gain of {gain}: "
            "whether that is the {epsilon} asked of a doubling cannot be told yet."
        )
    elif twice.get("pays"):
        text = message(
            "With {n} rows, twice as many, the student {student} is expected to reach {metric} {score}, a gain of {gain}: "
            "more rows pay, by the {epsilon} asked of a doubling."
        )
    else:
        text = message(
            "With {n} rows, twice as many, the student {student} is expected to reach {metric} {score}, a gain of {gain}, "
            "less than the {epsilon} asked of a doubling: more rows hardly pay."
        )
    return [say(text, **values), *_enough(one.get("enough") or {}, epsilon), _ceiling(one)]


def _enough(enough: JSON, epsilon: str) -> list[str]:
    values = {"epsilon": epsilon, "least": count(enough.get("least")), "most": count(enough.get("most"))}
    match enough.get("side"):
        case "within":
            text = message("From about {n} rows {span} on, a doubling gains less than {epsilon}.")
            return [say(text, n=about(enough["value"]), span=_span(enough), **values)]
        case "below":
            text = message("From the smallest size on, {least} rows, a doubling gains less than {epsilon}.")
        case _:
            text = message("Up to {most} rows, beyond which no forecast is made, a doubling gains {epsilon} or more.")
    return [say(text, **values), *_chance(enough)]


def _chance(one: JSON) -> list[str]:
    """Of a number that lies beyond what was measured: how far within, or to the other side, its interval reaches."""
    low, high = finite(one.get("low")), finite(one.get("high"))
    if one.get("side") == "above" and one.get("low_side") == "below":
        return [say("Allowing for chance it may be fewer than {n}.", n=count(one.get("least")))]
    if one.get("side") == "below" and one.get("high_side") == "above":
        return [say("Allowing for chance it may be more than {n}.", n=count(one.get("most")))]
    if one.get("side") == "above" and low is not None:
        return [say("Allowing for chance it may be as few as {n}.", n=about(low))]
    if one.get("side") == "below" and high is not None:
        return [say("Allowing for chance it may be as many as {n}.", n=about(high))]
    return []


def _ceiling(one: JSON) -> str:
    if not (one.get("curve") or {}).get("levels"):
        return say("No levelling is seen yet, so that nothing can be said of where the curve ends.")
    return say("The curve rises towards {ceiling}.", ceiling=scored(one.get("ceiling_interval"), 3))


def _span(one: JSON) -> str:
    """An interval in rows or labels, of which either end may lie beyond what was measured: ``[120, > 400]``."""
    ends = []
    for key in ("low", "high"):
        value, least, most = (finite(one.get(name)) for name in (key, "least", "most"))
        side = one.get(f"{key}_side")
        ends.append(
            about(value) if value is not None else f"< {count(least)}" if side == "below" else f"> {count(most)}"
        )
    return f"[{ends[0]}, {ends[1]}]"


def _worth(one: JSON, student: str) -> list[str]:
    """The sentence on the largest number of rows."""
    worth = list(one.get("worth") or ())
    if not worth:
        return []
    last: JSON = worth[-1]
    values = {"n": count(last.get("n")), "student": student}
    values |= {"least": count(last.get("least")), "most": count(last.get("most"))}
    if last.get("low_side") == "below" and last.get("high_side") == "above":
        text = message(
            "How many gold labels {n} synthetic rows are worth to the student {student} cannot be told: allowing "
            "for chance, fewer than {least} or more than {most}."
        )
        return [say(text, **values)]
    match last.get("side"):
        case "within":
            text = message("To the student {student}, {n} synthetic rows are worth {k} gold labels {span}.")
            return [say(text, k=about(last["value"]), span=_span(last), **values)]
        case "below":
            text = message(
                "To the student {student}, {n} synthetic rows are worth fewer than {least} gold labels, the fewest that "
                "were measured."
            )
        case _:
            text = message(
                "To the student {student}, {n} synthetic rows are worth more than {most} gold labels, the most that were "
                "measured."
            )
    return [say(text, **values), *_chance(last)]


def _cost(told: JSON, cost: JSON) -> list[str]:
    tokens, usd, rows = finite(cost.get("tokens")), finite(cost.get("usd")), count(told.get("rows"))
    if tokens is None:
        return []
    if usd is None or not usd:
        text = message("Writing the {n} rows took {tokens} tokens; as many again would take about as many.")
        return [say(text, n=rows, tokens=count(tokens))]
    text = message("Writing the {n} rows took {tokens} tokens and {usd} USD; as many again would cost about as much.")
    said = [say(text, n=rows, tokens=count(tokens), usd=dollars(usd))]
    label, *ends = (finite(cost.get(f"usd_per_label{end}")) for end in ("", "_low", "_high"))
    if label is None:
        return said
    span = [dollars(end) for end in ends if end is not None]
    if len(span) == 2:
        text = message(
            "That is {usd} USD [{low}, {high}] for each gold label they are worth: cheaper labels are a better buy."
        )
        return [*said, say(text, usd=dollars(label), low=span[0], high=span[1])]
    text = message("That is about {usd} USD for each gold label they are worth: cheaper labels are a better buy.")
    return [*said, say(text, usd=dollars(label))]


def dollars(usd: float) -> str:
    """Money with two digits that mean something."""
    return f"{usd:,.2f}" if usd >= 0.1 or not usd else f"{usd:.2g}"


def _table(one: JSON, cost: JSON) -> Row:
    worth = {finite(each.get("n")): each for each in one.get("worth") or ()}
    tokens, usd = finite(cost.get("tokens_per_row")), finite(cost.get("usd_per_row"))
    rows = []
    for point in one.get("points") or ():
        n, score = finite(point.get("n")) or 0.0, point.get("score") or {}
        row = {"n": count(n), "score": number(score.get("value"), 3), "interval": bounds(score, 3)}
        row["worth"] = _labels(worth.get(n)) if worth else ""
        row["tokens"] = count(n * tokens) if tokens else ""
        row["usd"] = dollars(n * usd) if usd else ""
        rows.append(row)
    gold = [
        {
            "n": count(point.get("n")),
            "score": number((point.get("score") or {}).get("value"), 3),
            "interval": bounds(point.get("score"), 3),
        }
        for point in one.get("gold") or ()
    ]
    return {"student": str(one.get("student")), "rows": rows, "gold": gold, "worth": bool(worth),
            "tokens": bool(tokens), "usd": bool(usd)}  # fmt: skip


def _labels(one: JSON | None) -> str:
    if one is None:
        return ""
    match one.get("side"):
        case "within":
            value = about(one["value"])
        case "below":
            value = f"< {count(one.get('least'))}"
        case _:
            value = f"> {count(one.get('most'))}"
    beyond = one.get("low_side") == one.get("high_side") != "within"
    return value if beyond else f"{value} {_span(one)}"


def _doubtful(told: JSON) -> list[str]:
    """An alarm where a rule stopped on scores that fall, or that are far less sure than the gain it looks for."""
    steps = [step.get("score") or {} for step in told.get("steps") or ()]
    scores = [score for score in steps if finite(score.get("value")) is not None]
    epsilon = finite(told.get("epsilon"))
    if not told.get("stopped") or not scores or epsilon is None:
        return []
    first, last, said = scores[0], scores[-1], []
    if len(scores) > 1 and last["value"] < first["value"]:
        said.append(
            say(
                "Writing stopped on scores that fell: {metric} on the gold dev rows went from {first} to {last}. That is no "
                "sign that there are enough texts: look at whether the labels are right.",
                metric=metric_name(str(told.get("metric"))),
                first=scored(first, 3),
                last=scored(last, 3),
            )
        )
    low, high = finite(last.get("low")), finite(last.get("high"))
    if low is not None and high is not None and high - low > UNSURE * epsilon:
        said.append(
            say(
                "Writing stopped for a gain below {epsilon}, but {gold} gold dev rows tell a score no better than "
                "{last}: chance can hide a gain many times that. Give more dev rows, or a larger "
                "generate.stop_rule.epsilon.",
                epsilon=number(epsilon, 3),
                gold=count(told.get("gold_rows")),
                last=scored(last, 3),
            )
        )
    return said


def _stopping(told: JSON) -> Row | None:
    """The steps of a stop rule and why it stopped."""
    steps = list(told.get("steps") or ())
    if not steps:
        return None
    last = steps[-1]
    values = {
        "n": count(told.get("per_label")),
        "gain": number(last.get("expected_gain"), 4),
        "epsilon": number(told.get("epsilon"), 3),
        "metric": metric_name(str(told.get("metric"))),
        "gold": count(told.get("gold_rows")),
        "student": told.get("student"),
    }
    if told.get("stopped"):
        text = message(
            "Writing stopped by itself at {n} texts per label: by the student {student} on {gold} gold dev rows, twice as "
            "many are expected to gain {gain} in {metric}, less than {epsilon}."
        )
    elif finite(last.get("expected_gain")) is None:
        text = message(
            "All {n} texts per label that were allowed were written, in too few steps to tell whether more would pay."
        )
    else:
        text = message(
            "All {n} texts per label that were allowed were written: by the student {student} on {gold} gold dev rows, "
            "twice as many are expected to gain {gain} in {metric}, more than {epsilon}."
        )
    rows = [
        {
            "asked": count(step.get("asked")),
            "kept": count(step.get("kept")),
            "score": number((step.get("score") or {}).get("value"), 3),
            "interval": bounds(step.get("score"), 3),
            "gain": ""
            if finite(step.get("expected_gain")) is None
            else number(step.get("expected_gain"), 4, sign=True),
        }
        for step in steps
    ]
    return {"sentence": say(text, **values), "rows": rows, "metric": values["metric"]}
