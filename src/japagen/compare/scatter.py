"""Arms by how many of their labels are right and how varied their texts are, ready to be drawn: places, names, frontier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from japagen.compare.armfacts import Arm, Value
from japagen.compare.measures import CORRECTNESS, DIVERSITY, MEASURES, Measure
from japagen.compare.ranks import of_like_size
from japagen.report.words import number

WIDTH, HEIGHT = 640, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 20, 56
_LINE = 16
"""Height of a name."""
_TICKS = 5
SCORE = Measure("score of the first student", CORRECTNESS, "")


@dataclass(frozen=True, slots=True)
class Point:
    """An arm in the figure, in pixels.

    Attributes:
        name, says: the arm, and its numbers in a line.
        x, y: its place; `low_x` to `high_y` are the ends of its intervals.
        shade: from .25 to 1, the higher its score; 1 where scores are not what colour is about.
        label_x, label_y, anchor: where its name stands.
    """

    name: str
    says: str
    x: float
    y: float
    low_x: float
    high_x: float
    low_y: float
    high_y: float
    shade: float
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """The figure.

    Attributes:
        across, up: names of the axes.
        points: the arms.
        x_ticks, y_ticks: place and number.
        frontier: places of the arms that no other beats in both, from left to right.
        best: their names.
        scores: lowest and highest score, as texts; empty where there are not two.
        left_out: the arms that are not drawn, each with the reason.
    """

    across: str
    up: str
    points: tuple[Point, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    frontier: tuple[tuple[float, float], ...]
    best: tuple[str, ...]
    scores: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def scatter(arms: Sequence[Arm]) -> Scatter | None:
    """The figure of arms; None where fewer than two have both measures, or the arms are of several tasks.

    The measures are the first of each kind that the most arms have. Where none says how many labels are right, the score
    takes its place.
    """
    if len({arm.task for arm in arms}) > 1:
        return None
    own: dict[object, Arm] = {}
    for arm in arms:
        own.setdefault(arm.texts or arm.name, arm)
    left_out = {arm.name: f"its texts are those of {first.name}" for arm in arms
                if (first := own[arm.texts or arm.name]) is not arm}  # fmt: skip
    members = list(own.values())
    across, up = _most_had(members, CORRECTNESS), _most_had(members, DIVERSITY)
    if across is None:
        across = SCORE
        left_out |= {arm.name: "its score is undefined" for arm in members if arm.score is None}
        members = [
            replace(arm, values={**arm.values, SCORE.name: arm.score}) for arm in members if arm.score is not None
        ]
    if up is None:
        return None
    having = [arm for arm in of_like_size(members, up.name) if across.name in arm.values]
    if len(having) < 2:
        return None
    for arm in members:
        lacks = [measure.name for measure in (across, up) if measure.name not in arm.values]
        if lacks:
            left_out[arm.name] = f"its analysis does not give {' and '.join(lacks)}"
        elif arm not in having:
            left_out[arm.name] = f"measured at {arm.values[up.name].n} texts, which do not compare"
    xs, ys = ([arm.values[measure.name] for arm in having] for measure in (across, up))
    x_range, y_range = _range(xs), _range(ys)

    def at_x(value: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * _share(value, x_range), 1)

    def at_y(value: float) -> float:
        share = _share(value, y_range)
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (share if up.lower else 1 - share), 1)

    scores = [arm.score.value for arm in having if arm.score is not None and across is not SCORE]
    points = []
    for arm, x, y in zip(having, xs, ys, strict=True):
        ends = [at_x(x.value if end is None else end) for end in (x.low, x.high)]
        heights = [at_y(y.value if end is None else end) for end in (y.low, y.high)]
        points.append(
            Point(
                name=arm.name,
                says=_says(arm, across, up),
                x=at_x(x.value),
                y=at_y(y.value),
                low_x=ends[0],
                high_x=ends[1],
                low_y=heights[0],
                high_y=heights[1],
                shade=_shade(arm, scores),
                label_x=0.0,
                label_y=0.0,
                anchor="start",
            )
        )
    best = _frontier([(x.value, -y.value if up.lower else y.value) for x, y in zip(xs, ys, strict=True)])
    line = sorted((points[place].x, points[place].y) for place in best)
    return Scatter(
        across=_axis(across),
        up=_axis(up),
        points=tuple(_named(points)),
        x_ticks=tuple((at_x(value), text) for value, text in _ticks(x_range)),
        y_ticks=tuple((at_y(value), text) for value, text in _ticks(y_range)),
        frontier=tuple(line),
        best=tuple(having[place].name for place in best),
        scores=tuple(number(value, 3) for value in (min(scores), max(scores))) if len({*scores}) > 1 else (),
        left_out=tuple(f"{arm.name} ({left_out[arm.name]})" for arm in arms if arm.name in left_out),
    )


def _most_had(arms: Sequence[Arm], kind: str) -> Measure | None:
    counts = {
        measure: n for measure in MEASURES if measure.kind == kind if (n := sum(measure.name in a.values for a in arms))
    }
    return max(counts, key=lambda measure: counts[measure], default=None)


def _axis(measure: Measure) -> str:
    return f"{measure.name} (upwards: less)" if measure.lower else measure.name


def _range(values: Sequence[Value]) -> tuple[float, float]:
    """From the lowest to the highest end of intervals, with room beside them."""
    ends = [end for v in values for end in (v.value, v.low, v.high) if end is not None]
    low, high = min(ends), max(ends)
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room


def _share(value: float, over: tuple[float, float]) -> float:
    return (value - over[0]) / (over[1] - over[0])


def _ticks(over: tuple[float, float]) -> list[tuple[float, str]]:
    """Round numbers within a range, about `_TICKS` of them, with as many digits as tell them apart."""
    steps = [(base * 10.0**power, -power) for power in range(-6, 4) for base in (1, 2, 5)]
    step, digits = min(steps, key=lambda each: abs((over[1] - over[0]) / each[0] - _TICKS))
    first = int(over[0] / step) - 1
    values = [round(n * step, 6) for n in range(first, first + 40) if over[0] <= n * step <= over[1]]
    return [(value, number(value, max(2, digits))) for value in values]


def _shade(arm: Arm, scores: Sequence[float]) -> float:
    if arm.score is None or not scores:
        return 1.0
    low, high = min(scores), max(scores)
    return 1.0 if high == low else round(0.25 + 0.75 * (arm.score.value - low) / (high - low), 3)


def _says(arm: Arm, *measures: Measure) -> str:
    told = [f"{measure.name} {number(arm.values[measure.name].value, 3)}" for measure in measures]
    known = arm.score is not None and SCORE not in measures
    score = [f"score {number(arm.score.value, 3)}"] if known and arm.score is not None else []
    return f"{arm.name}: {', '.join(told + score)}"


def _frontier(places: Sequence[tuple[float, float]]) -> list[int]:
    """Positions of those that no other equals or exceeds in both, and exceeds in one."""
    return [
        at
        for at, (x, y) in enumerate(places)
        if not any(u >= x and v >= y and (u, v) != (x, y) for u, v in places)
    ]  # fmt: skip


def _named(points: Sequence[Point]) -> list[Point]:
    """The points with places for their names: right of them, or left at the edge; moved down until none is covered."""
    placed: list[Point] = []
    for point in sorted(points, key=lambda each: (each.y, each.x)):
        wide = 7.5 * len(point.name)
        right = point.x + 10 + wide <= WIDTH - 4
        x, y = (point.x + 10 if right else point.x - 10), point.y - 6
        span = (x, x + wide) if right else (x - wide, x)
        while any(abs(other.label_y - y) < _LINE and _cross(span, _span(other)) for other in placed):
            y += 3
        placed.append(replace(point, label_x=round(x, 1), label_y=round(y, 1), anchor="start" if right else "end"))
    return placed


def _span(point: Point) -> tuple[float, float]:
    wide = 7.5 * len(point.name)
    return (point.label_x, point.label_x + wide) if point.anchor == "start" else (point.label_x - wide, point.label_x)


def _cross(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
