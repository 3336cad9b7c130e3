"""What a sample should look like: shares of the values of attributes, even, given, or those of unlabelled target texts.

An attribute describes a row. Three are measured: its topic (`topics`), its length and its register (polite or plain).
Every other name is a column that `generate` wrote, such as the word of KADG. Nothing here chooses rows: `sampler` does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from japagen.curate.topics import Topics
from japagen.errors import ConfigError, DataError, did_you_mean
from japagen.japanese import REGISTERS, register
from japagen.records import Example
from japagen.tables import column, read_rows

Shares = Mapping[str, float]

MEASURED = ("topic", "length", "register")
BINS = 5
TOPICS = 20


@dataclass(frozen=True, slots=True)
class Target:
    """Which attributes count, and in which shares their values are wanted.

    Attributes:
        shares: for each attribute the share of each value, together 1; None: even over the values that the rows of a
            label have.
        edges: the lengths (characters; of a pair, the mean of both texts) at which a new bin of lengths begins, ascending.
        topics: the topics that rows are sorted into, where "topic" is an attribute.
    """

    shares: Mapping[str, Shares | None]
    edges: tuple[int, ...] = ()
    topics: Topics | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        checked = {by: None if shares is None else _whole(by, shares) for by, shares in self.shares.items()}
        if "topic" in checked and self.topics is None:
            raise ValueError("a target of topics needs the topics")
        object.__setattr__(self, "shares", checked)

    def values(self, examples: Sequence[Example]) -> dict[str, list[str]]:
        """For each attribute the value of each row; "" where a row has none.

        Raises:
            ConfigError: no row has a column of that name.
        """
        return {by: self._values(by, examples) for by in self.shares}

    def _values(self, by: str, examples: Sequence[Example]) -> list[str]:
        match by:
            case "topic" if self.topics is not None:
                return self.topics.of(examples)
            case "length":
                names = _bin_names(self.edges)
                return [names[place] for place in np.searchsorted(self.edges, _lengths(examples), side="right")]
            case "register":
                return [_register(example) for example in examples]
            case _:
                found = [str(example.meta.get(by) or "") for example in examples]
                if examples and not any(found):
                    columns = sorted({name for example in examples for name in example.meta})
                    raise ConfigError(
                        f"no row has a column '{by}'",
                        where="curate.sample.by",
                        remedy=did_you_mean(by, [*MEASURED, *columns]),
                    )
                return found


def even(examples: Sequence[Example], by: Sequence[str], *, topics: int = TOPICS, seed: int = 0) -> Target:
    """Every value as often as every other.

    Topics are those of the rows themselves. Lengths have five bins of equal width between their 5th and their 95th
    percentile. Polite and plain are even, texts that are neither keep their share.
    """
    shares: dict[str, Shares | None] = dict.fromkeys(by)
    if "register" in shares and examples:
        unknown = sum(_register(example) == "unknown" for example in examples) / len(examples)
        shares["register"] = {"polite": (1 - unknown) / 2, "plain": (1 - unknown) / 2, "unknown": unknown}
    edges: tuple[int, ...] = ()
    if "length" in shares and examples:
        low, high = np.percentile(_lengths(examples), [5, 95])
        edges = _edges(np.linspace(low, high, BINS + 1)[1:-1])
    fitted = Topics.fit(examples, topics, seed=seed) if "topic" in shares and examples else None
    if fitted is None:
        shares.pop("topic", None)
    return Target(shares, edges, fitted)


def of_texts(texts: Sequence[Example], by: Sequence[str], *, topics: int = TOPICS, seed: int = 0) -> Target:
    """The shares that unlabelled target texts have.

    Topics are those of the target texts; lengths have bins at their quintiles. What cannot be seen in a text (the word of
    KADG) is wanted evenly.

    Raises:
        DataError: there are no texts.
    """
    if not texts:
        raise DataError("there are no target texts", where="curate.sample.target", remedy="give a file with texts")
    edges: tuple[int, ...] = ()
    if "length" in by:
        edges = _edges(np.percentile(_lengths(texts), np.linspace(0, 100, BINS + 1)[1:-1]))
    fitted = Topics.fit(texts, topics, seed=seed) if "topic" in by else None
    seen = Target(dict.fromkeys(each for each in by if each in MEASURED), edges, fitted).values(texts)
    shares = {each: _shares(seen[each]) if each in seen else None for each in by}
    return Target(shares, edges, fitted)


def read_texts(file: Path | str, text: str = "text", text_pair: str = "text_pair") -> list[Example]:
    """Unlabelled texts of a file: lines of a ``.txt``, else the column `text`, and `text_pair` where there is one.

    Raises:
        DataError: the file cannot be read, has no such column or no text.
    """
    path = Path(file)
    if path.suffix.lower() == ".txt":
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be read: {error}", where=path, remedy="give a text file in UTF-8") from error
        first, second = [line for line in lines if line.strip()], None
    else:
        rows = read_rows(path)
        first = [str(value) for value in column(rows, text, path)]
        has_pairs = bool(rows) and all(row.get(text_pair) for row in rows)
        second = [str(row[text_pair]) for row in rows] if has_pairs else None
    if not first:
        raise DataError("holds no texts", where=path, remedy="give a file with at least one text")
    return [Example(f"target/{i:06d}", one, "", second[i] if second else None) for i, one in enumerate(first)]


def _whole(by: str, shares: Shares) -> dict[str, float]:
    """Shares that sum to 1, or the error that says why they cannot."""
    where = f"curate.sample.target.{by}"
    if unknown := [value for value in shares if by == "register" and value not in REGISTERS]:
        what = f"no register is called '{unknown[0]}'"
        raise ConfigError(what, where=where, remedy=did_you_mean(unknown[0], REGISTERS))
    total = sum(shares.values())
    if any(not math.isfinite(share) or share < 0 for share in shares.values()) or not 0 < total < math.inf:
        raise ConfigError(
            f"{dict(shares)} are no shares", where=where, remedy="give numbers of 0 or more, not all of them 0"
        )
    return {value: share / total for value, share in shares.items()}


def _shares(values: Sequence[str]) -> dict[str, float]:
    counts = Counter(values)
    return {value: counts[value] / len(values) for value in sorted(counts)}


def _lengths(examples: Sequence[Example]) -> list[float]:
    """Characters of each row; of a pair, the mean of its texts, so that single target texts can be compared with it."""
    return [len(e.text) if e.text_pair is None else (len(e.text) + len(e.text_pair)) / 2 for e in examples]


def _register(example: Example) -> str:
    """Of a pair, that of both texts, one after the other."""
    return register(example.text if example.text_pair is None else f"{example.text}\n{example.text_pair}")


def _edges(bounds: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[int, ...]:
    """Whole numbers, ascending, each once."""
    return tuple(sorted({math.ceil(bound) for bound in bounds}))


def _bin_names(edges: Sequence[int]) -> list[str]:
    """Of each bin of lengths: under 10, 10 to under 20, 20 or more."""
    if not edges:
        return ["any"]
    between = [f"{low}-{high - 1}" for low, high in pairwise(edges)]
    return [f"<{edges[0]}", *between, f"{edges[-1]}+"]
