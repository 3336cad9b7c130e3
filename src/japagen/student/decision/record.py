"""A decision: how scores become labels, from what that was learnt, and what was refused. Numpy and JSON alone, so that an
exported classifier decides the same without torch or scikit-learn.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError

from japagen.errors import ModelError
from japagen.student.decision.temperature import log_scores
from japagen.student.rows import softmax

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

DECISION = "decision.json"
MOST_BYTES = 1_000_000
"""A larger file is not one of ours."""

Part = Literal["prior", "temperature", "offsets", "expectation"]
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one part of the decision was adopted, and why.

    Attributes:
        part: which.
        adopted: whether labels or scores follow it.
        reason: in words, with the figures.
        measure: what was compared on held-out rows, e.g. ``mcc`` or ``log_loss``; None where nothing was.
        before, after: its value without and with the part, each on rows that the parts were not fitted on.
        error: standard error of the difference, by bootstrap.
    """

    __pydantic_config__ = _STRICT

    part: Part
    adopted: bool
    reason: str
    measure: str | None = None
    before: float | None = None
    after: float | None = None
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """How scores become labels: scores' = softmax((log scores + prior) / temperature), and the label is that of
    argmax(log scores' + offsets), or the one nearest to the expectation of `values`.

    Attributes:
        labels: in the order of the scores' columns.
        metric: what the labels are to be good at.
        learnt_from: e.g. ``50 gold rows``.
        prior: log-prior correction of each label, 0 where none.
        temperature: above 1 makes scores less sure, below 1 surer.
        offsets: of each label; they move labels, not scores. With two labels they are a threshold.
        values: number that each label stands for, for similarity; else None.
        expectation: whether the number is the scores' expectation; otherwise it is that of the most probable label.
        before, after: the metric without and with all that was adopted, on held-out gold rows; None without gold.
        ece_before, ece_after: expected calibration error of the highest score, likewise.
        findings: one for each part that was considered.
        format: of the file.
    """

    __pydantic_config__ = _STRICT

    labels: tuple[str, ...]
    metric: str
    learnt_from: str
    prior: tuple[float, ...]
    temperature: float
    offsets: tuple[float, ...]
    values: tuple[float, ...] | None
    expectation: bool
    before: float | None
    after: float | None
    ece_before: float | None
    ece_after: float | None
    findings: tuple[Finding, ...]
    format: Literal[1]

    def __post_init__(self) -> None:
        size = len(self.labels)
        if size < 2 or len(set(self.labels)) != size:
            raise ValueError("there must be two or more distinct labels")
        if (
            len(self.prior) != size
            or len(self.offsets) != size
            or (self.values is not None and len(self.values) != size)
        ):
            raise ValueError("there must be one prior, offset and value for each label")
        numbers = (*self.prior, *self.offsets, *(self.values or ()))
        if not all(map(math.isfinite, numbers)) or not 0 < self.temperature < math.inf:
            raise ValueError("numbers must be finite, and the temperature above 0")
        if self.expectation and self.values is None:
            raise ValueError("an expectation needs the labels' values")

    @classmethod
    def none(
        cls, labels: Sequence[str], metric: str, *, values: Sequence[float] | None = None, learnt_from: str = "nothing"
    ) -> Decision:
        """The decision that changes nothing: the most probable label; for similarity, the expectation."""
        zeros = (0.0,) * len(labels)
        numbers = tuple(map(float, values)) if values is not None else None
        return cls(
            tuple(labels), metric, learnt_from, zeros, 1.0, zeros, numbers, numbers is not None, *(None,) * 4, (), 1
        )

    @property
    def threshold(self) -> float | None:
        """With two labels, the score from which the second one is chosen; None with more."""
        if len(self.labels) != 2:
            return None
        return 1 / (1 + math.exp(min(self.offsets[1] - self.offsets[0], 700.0)))


def apply(decision: Decision, scores: Floats) -> tuple[Floats, Codes]:
    """Corrected scores, shape (n, labels), each row summing to 1; and each row's label as its position, shape (n,).

    Args:
        decision: what was learnt.
        scores: shape (n, labels), of a classifier; columns in the order of the decision's labels.
    """
    if scores.ndim != 2 or scores.shape[1] != len(decision.labels):
        raise ValueError(f"scores of shape {scores.shape} for {len(decision.labels)} labels")
    z = log_scores(scores)
    if decision.temperature == 1 and not any(decision.prior):
        corrected = np.asarray(scores, dtype=np.float64)  # to the last bit
    else:
        z = (z + np.array(decision.prior)) / decision.temperature
        corrected = softmax(z)
    if decision.expectation:
        distances = np.abs(corrected @ np.array(decision.values) - np.array(decision.values)[:, None])
        return corrected, distances.argmin(axis=0)
    if not any(decision.offsets):
        return corrected, corrected.argmax(axis=1)  # logarithms can make equal what is not
    return corrected, np.asarray((z + np.array(decision.offsets)).argmax(axis=1))


def numbers(decision: Decision, scores: Floats, codes: Codes) -> Floats | None:
    """The number of each row, from what `apply` returned, shape (n,); None where labels stand for none."""
    if decision.values is None:
        return None
    values = np.array(decision.values)
    return np.asarray(scores @ values if decision.expectation else values[codes])


def write(decision: Decision, folder: Path) -> bytes:
    """Write decision.json into an existing folder; returns its bytes."""
    content = json.dumps(asdict(decision), ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"
    (folder / DECISION).write_bytes(content)
    return content


def read(folder: Path) -> Decision:
    """The decision of a classifier's folder.

    Raises:
        ModelError: there is no decision.json, or it is damaged.
    """
    file = folder / DECISION
    remedy = "the folder is incomplete or was changed: copy it anew, or train again"
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=file, remedy=remedy) from error
    if len(content) > MOST_BYTES:
        raise ModelError("is too large for a decision", where=file, remedy=remedy)
    try:
        return TypeAdapter(Decision).validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ModelError(f"{place}: {first['msg']}", where=file, remedy=remedy) from error
