"""What a comparison knows of the arms of a sweep, as data. Knows no format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Value:
    """A number with its 95 % interval, where it has one, how it was made, and of how many texts, where that moves it."""

    value: float
    low: float | None = None
    high: float | None = None
    signature: str = ""
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm.

    Attributes:
        name: as the tables call its run.
        differs: in words, what differs in it.
        task: that it is about.
        same: arm that has the same texts and students, which the scores stand for; empty if it has its own.
        texts: digest of its texts after curation; None where it is not known.
        tokeniser: of its analysis.
        asked, kept: texts asked for, and left after curation.
        score: of its first student in the task's metric; None where it is undefined.
        student: that student.
        values: by name of the measure (see `measures`), what analysis says of the texts; those that it has.
        unknown: why it does not say how many labels are right; empty where it does, or gives no reason.
    """

    name: str
    differs: str
    task: str
    same: str
    texts: str | None
    tokeniser: str
    asked: int | None
    kept: int | None
    score: Value | None
    student: str
    values: Mapping[str, Value]
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Against:
    """An arm minus the one that all are compared with: the same student on the same test rows.

    Attributes:
        arm, base: the two.
        student: that both trained.
        column: number of the column of the table.
        value, low, high: the difference; None where it is undefined.
        p, p_holm: two-sided; and after Holm's correction over all these differences.
        undefined: why there is none.
        same: arm in which the student gives the very same answers; empty if in none before. Its p is that one's, and Holm's
            correction does not count it again; None where that arm is `base`.
    """

    arm: str
    base: str
    student: str
    column: int
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None = None
    undefined: str = ""
    same: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Arms in the order of a measure: 1 is the best.

    Attributes:
        measure: its name.
        tokeniser: of the analysis; arms of another one are not among these.
        ranks: by arm; equal values share the mean of their ranks.
        scored: how many of these arms have a score.
        tau, p: Kendall's tau-b with the order by score, and its two-sided p; None below three arms or where all are equal.
    """

    measure: str
    tokeniser: str
    ranks: Mapping[str, float]
    scored: int
    tau: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether a measure orders the same sets of texts alike under two tokenisers.

    Attributes:
        measure: its name.
        first, second: the tokenisers.
        sets: of texts that both have measured.
        tau, p: Kendall's tau-b of the two orders, and its two-sided p; None where all are equal in one of them.
    """

    measure: str
    first: str
    second: str
    sets: int
    tau: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Arms:
    """The arms of a comparison.

    Attributes:
        arms: in the order of the sweep.
        base: the arm that others are compared with, by task.
        against: these comparisons.
        rankings, agreements: of the measures.
        unfinished: arms that are not in the comparison, since nothing has been measured in them yet.
        sweeps: names of the sweeps that they are of.
    """

    arms: Sequence[Arm] = ()
    base: Mapping[str, str] = field(default_factory=dict)
    against: Sequence[Against] = ()
    rankings: Sequence[Ranking] = ()
    agreements: Sequence[Agreement] = ()
    unfinished: Sequence[str] = ()
    sweeps: Sequence[str] = ()
