"""How much each training row counts: weight 2 is the row twice."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.errors import DataError
from japagen.records import Example


def weights_of(examples: Sequence[Example]) -> NDArray[np.float64] | None:
    """The rows' weights, shape (n,); None where all are 1, the usual case.

    Raises:
        DataError: a weight is no positive number.
    """
    for example in examples:
        if not (example.weight > 0 and math.isfinite(example.weight)):
            raise DataError(
                f"the weight is {example.weight}",
                where=example.id,
                remedy="give a positive number, or leave the row out",
            )
    if all(example.weight == 1 for example in examples):
        return None
    return np.array([example.weight for example in examples], dtype=np.float64)
