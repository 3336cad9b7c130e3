"""The log-likelihood ratio of two frequencies (Dunning 1993): how sure it is that a word has two rates, not one."""

from __future__ import annotations

import math

SURE = 10.83
"""The ratio that one comparison exceeds by chance once in a thousand (chi-square, one degree of freedom)."""


def log_likelihood_ratio(count: int, total: int, count_other: int, total_other: int) -> float:
    """2 Σ observed · ln(observed / expected), over the word on both sides (Rayson & Garside 2000).

    Raises:
        ValueError: a side has no words, or the word occurs on neither.
    """
    if not (total and total_other and count + count_other):
        raise ValueError("a frequency needs words on both sides and a word that occurs")
    rate = (count + count_other) / (total + total_other)
    terms = ((count, rate * total), (count_other, rate * total_other))
    return 2 * sum(observed * math.log(observed / expected) for observed, expected in terms if observed)
