"""What a comparison found, as data: tasks in columns, methods in rows, and what stands beside them. Knows no format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from japagen.compare.armfacts import Arms
from japagen.records import Score

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Column:
    """A task, measured by one metric.

    Attributes:
        task: its name.
        metric: e.g. ``accuracy``.
        n: test rows.
        groups: groups of rows that are resampled together; None where rows are independent.
        resamples: of the bootstrap.
    """

    task: str
    metric: str
    n: int
    groups: int | None
    resamples: int


@dataclass(frozen=True, slots=True)
class Method:
    """A way to come to a classifier.

    Attributes:
        kind: "japagen", "arm", "prompted", "gold", "supervised" or "majority".
        name: e.g. ``few-shot JAPAGEN (5) + KADG (word)``.
        student: what learnt; empty for methods without one.
        run: the run that it stands for; empty where the name says it all.
        order: methods of a kind stand in this order.
    """

    kind: str
    name: str
    student: str = ""
    run: str = ""
    order: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A method's score on a task.

    Attributes:
        value: mean over seeds; None where it is undefined.
        low, high: bounds of its 95 % interval.
        seeds: how many.
        n: test rows.
        runs: names of the runs that have it; several where a baseline is the same in all of them.
        signature: how the number was made.
        undefined: why there is no value.
        p: of the difference to the best of the column; None for the best itself, and where there is no test.
        p_holm: the same after Holm's correction over all such p of the table.
        best: whether it is the best of its column.
        tied: whether it is another one, and not distinguishable from it: p_holm is at least .05.
    """

    value: float | None
    low: float | None
    high: float | None
    seeds: int
    n: int
    runs: tuple[str, ...]
    signature: str = ""
    undefined: str = ""
    p: float | None = None
    p_holm: float | None = None
    best: bool = False
    tied: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A method on every task; None where it was not measured. `average` is its mean over the columns, if asked for."""

    method: Method
    cells: tuple[Cell | None, ...]
    average: float | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """The two systems that an experiment is about.

    Attributes:
        task, run: where it was measured.
        system, against: the two, as the table calls them.
        declared: whether the experiment names it; else it is the default one.
        metric: what they differ in.
        value, low, high: the difference with its 95 % interval; None where it is undefined.
        p: two-sided; None where there is none.
        p_holm: after Holm's correction over all contrasts of the comparison.
        undefined: why there is no value.
    """

    task: str
    run: str
    system: str
    against: str
    declared: bool
    metric: str
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None = None
    undefined: str = ""


@dataclass(frozen=True, slots=True)
class Gain:
    """What JAPAGEN gains over asking the language model without examples, on one task.

    Attributes:
        method: a student trained on synthetic texts.
        column: number of the column.
        difference: JAPAGEN minus zero-shot PROMPTING of the same run.
        relative: the same as a share of PROMPTING's score; None where that is not above zero.
    """

    method: Method
    column: int
    difference: Score
    relative: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a language model was used for.

    Attributes:
        task: the task.
        what: e.g. ``zero-shot JAPAGEN, texts``, ``zero-shot PROMPTING``.
        run: whose, where it is of one run.
        llm: who wrote or answered.
        calls, prompt_tokens, completion_tokens: used.
        usd: US dollars; None where no price is known.
        asked, kept: rows asked for and left after curation; None for answers.
    """

    task: str
    what: str
    run: str
    llm: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    asked: int | None = None
    kept: int | None = None


@dataclass(frozen=True, slots=True)
class Overlap:
    """Test rows that also stand in something that was learnt from, or that another set has.

    Attributes:
        task, runs: where it was counted; several runs where they say the same.
        rows: the set that is looked at, e.g. ``test``.
        against: e.g. ``training texts``, ``shots``.
        of: rows of the set.
        exact, canonical, near: rows with a hit of that kind.
        one_text: of pairs, rows of which one text has a hit; None for single texts.
    """

    task: str
    runs: tuple[str, ...]
    rows: str
    against: str
    of: int
    exact: int
    canonical: int
    near: int
    one_text: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The table, and what stands beside it (see `japagen.compare.compare`).

    Attributes:
        columns: tasks with their metrics.
        rows: methods.
        tests: comparisons with the best of a column, which Holm's correction is over.
        averaged: whether rows have an average.
        contrasts, gains, costs, overlaps: see there; empty where runs have none.
        runs: names of the runs.
        arms: what is told of arms of sweeps; None where no run is one.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    tests: int
    averaged: bool
    contrasts: Sequence[Contrast]
    gains: Sequence[Gain]
    costs: Sequence[Cost]
    overlaps: Sequence[Overlap]
    runs: tuple[str, ...]
    arms: Arms | None = None
