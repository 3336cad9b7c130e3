"""Vendi score (Friedman and Dieng 2022): how many wholly different texts a set is worth.

It is the exponential of the entropy of the eigenvalues of K / n, where K holds the similarity of every two rows, here the
product of their vectors: 1 where all rows are alike, n where no two have anything in common. It grows with n, so sets are
compared at the same n, as a ratio. Exact: the eigenvalues are taken of K or, where that is smaller, of the vectors'
second moments, which has the same ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.encoder import Vectors, in_own_order

Floats = NDArray[np.float64]

Z = 1.959964  # of a 95 % interval
SMALL = 1e-12


@dataclass(frozen=True, slots=True)
class Vendi:
    """A number of texts, or a ratio of two, with its 95 % interval and how it was made."""

    value: float
    low: float
    high: float
    signature: str


def entropy(vectors: Vectors) -> tuple[float, Floats]:
    """Logarithm of the Vendi score of vectors of length 1, shape (n, d), and how much each row moves it, shape (n,).

    The second is the influence of a row (Hampel 1974): what the entropy gains for each bit of weight that the row gains.

    Raises:
        UndefinedError: there are no rows.
        ValueError: a vector is not of length 1.
    """
    if not len(vectors):
        raise UndefinedError("no texts, no Vendi score")
    if np.abs(np.einsum("nd,nd->n", vectors, vectors) - 1).max() > 1e-3:
        raise ValueError("the Vendi score is one of vectors of length 1")
    n, d = vectors.shape
    if n <= d:
        values, axes = np.linalg.eigh(vectors @ vectors.T / n)
        squares = (axes * np.sqrt(np.maximum(values, 0.0) * n)) ** 2  # each row's share in each direction
    else:
        values, axes = np.linalg.eigh(vectors.T @ vectors / n)
        squares = (vectors @ axes) ** 2
    kept = values > SMALL
    logs = np.log(values[kept])
    found = float(max(0.0, -(values[kept] * logs).sum()))
    return found, np.asarray(-(squares[:, kept] @ logs) - found)


def vendi(vectors: Vectors, *, encoder: str) -> Vendi:
    """The score of one set, shape (n, d); it does not depend on the order of rows.

    The interval is the infinitesimal jackknife's (Jaeckel 1972), on the logarithm.

    Raises:
        UndefinedError: there are no rows.
        ValueError: a vector is not of length 1.
    """
    found, influence = entropy(vectors[in_own_order(vectors)])
    value, low, high = _interval(found, _error(influence))
    how = f"n={len(vectors)}, products of vectors, exact, {encoder}, 95% infinitesimal jackknife"
    return Vendi(value, low, high, f"vendi = {value:.1f} [{low:.1f}, {high:.1f}] ({how})")


def vendi_ratio(synthetic: Vectors, gold: Vectors, *, encoder: str) -> Vendi:
    """The score of synthetic rows over that of as many gold rows; below 1 as a whole: less varied than gold.

    Raises:
        UndefinedError: there are no rows.
        ValueError: the sets are not of one size, or a vector is not of length 1.
    """
    if len(synthetic) != len(gold):
        raise ValueError(f"{len(synthetic)} and {len(gold)} rows do not compare")
    (ours, mine), (theirs, yours) = (entropy(one[in_own_order(one)]) for one in (synthetic, gold))
    value, low, high = _interval(ours - theirs, math.hypot(_error(mine), _error(yours)))
    how = f"n={len(gold)} a set, products of vectors, exact, {encoder}, 95% infinitesimal jackknife"
    return Vendi(value, low, high, f"vendi-ratio = {value:.3f} [{low:.3f}, {high:.3f}] ({how})")


def _error(influence: Floats) -> float:
    """Standard error of the entropy."""
    return float(np.sqrt((influence**2).mean() / len(influence)))


def _interval(log: float, error: float) -> tuple[float, float, float]:
    return math.exp(log), math.exp(log - Z * error), math.exp(log + Z * error)
