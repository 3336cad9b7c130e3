"""How varied synthetic texts are beside gold: every measure at the same number of texts and of words, with what chance
makes of the difference.

The measures are those of `variety`. Gold at the same size is the ceiling: people do repeat themselves. What a difference
must pass is found by mixing both sets and dealing them anew: the interval holds the differences of all measures at once
in 95 % of the deals (the largest standardised difference of each deal, Westfall and Young 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus import Corpus
from japagen.analyze.diversity.clipped import Integers
from japagen.analyze.diversity.self_bleu import text_scores
from japagen.analyze.diversity.variety import MEASURES, Pool, Values
from japagen.streams import stream_seed

MOST_TEXTS = 2000
MOST_WORDS = 40_000
"""Texts and words of a set that are measured and dealt anew."""
DEALS = 200
LEVEL = 0.05
LEAST = 30
"""Texts of a label below which it is not measured."""
GROWTH_FROM = 125
GROWTH_WORDS = 2_000_000
"""First number of texts of the growth curves, and most words of a set in them."""
GROWTH_ORDER = 4

Rows = Integers
JSON = dict[str, Any]


def diversity(
    ours: Corpus, theirs: Corpus | None, *, labels: Sequence[str], seed: int, deals: int = DEALS
) -> JSON | None:
    """How varied texts are, as values that JSON can hold; None where there are no synthetic texts.

    Args:
        ours: synthetic texts.
        theirs: gold ones, made together with ours; None or empty where there are none.
        labels: the task's labels, in its order.
        seed: of draws and deals.
        deals: how often both sets are mixed and dealt anew.

    Returns:
        tokeniser.
        n: texts drawn of each set.
        mean_words: of a drawn text, by set ("synthetic", "gold"; None without gold).
        deals: how often the sets were dealt anew; None without gold.
        measures: by name (`variety.MEASURES`): synthetic, gold, difference (synthetic - gold), low and high (between
            which it lies where both sets are alike), differs, signature. What has no value is None.
        by_label: None, or n, mean_words (by set and label), labels: by label and set the measures, or None for fewer
            texts than `LEAST`; and signature.
        growth: by set n, words and types (different words) of growing parts of the whole set, and their Self-BLEU-4;
            and signature.
    """
    if not len(ours):
        return None
    sets = {"synthetic": ours} | ({"gold": theirs} if theirs is not None and len(theirs) else {})
    rng = np.random.default_rng(stream_seed(seed, "diversity"))
    n = _size(sets.values())
    drawn = {name: corpus.take(rng.permutation(len(corpus))[:n]) for name, corpus in sets.items()}
    means = {name: _mean_words(corpus) for name, corpus in drawn.items()}
    alike = n > 1 and len(drawn) == 2
    pool = Pool.of(together([*drawn.values()]), times=deals if alike else 1)
    groups = [np.arange(n) + n * at for at in range(len(drawn))]
    found = dict(zip(drawn, pool.measured(groups), strict=True))
    limits = _limits(pool, n, deals, rng) if alike and deals else {}
    how = _how(n, means, ours.tokeniser, seed)
    return {
        "tokeniser": ours.tokeniser,
        "n": n,
        "mean_words": {"synthetic": means["synthetic"], "gold": means.get("gold")},
        "deals": deals if limits else None,
        "measures": {name: _compared(name, found, limits.get(name), deals, how) for name in MEASURES},
        "by_label": _by_label(sets, labels, seed),
        "growth": {name: _growth(corpus, seed) for name, corpus in sets.items()},
    }


def _size(sets: Any) -> int:
    """How many texts of each set are measured: so many as the smallest has, within the limits."""
    corpora = list(sets)
    longest = max(_mean_words(corpus) for corpus in corpora)
    within = max(2, int(MOST_WORDS / longest)) if longest else MOST_TEXTS
    return min(MOST_TEXTS, within, *map(len, corpora))


def _mean_words(corpus: Corpus) -> float:
    return float(len(corpus.words) / len(corpus))


def together(corpora: Sequence[Corpus]) -> Corpus:
    """One corpus of several that share a vocabulary."""
    first = corpora[0]
    sizes = np.concatenate([corpus.sizes for corpus in corpora])
    return Corpus(
        [text for corpus in corpora for text in corpus.texts],
        [row for corpus in corpora for row in corpus.ids],
        np.concatenate([corpus.labels for corpus in corpora]),
        np.concatenate([corpus.words for corpus in corpora]),
        np.concatenate([corpus.parts for corpus in corpora]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        first.vocabulary,
        first.tokeniser,
    )


def _limits(pool: Pool, n: int, deals: int, rng: np.random.Generator) -> dict[str, float]:
    """Of each measure how far apart both sets are by chance: all of them at once no farther in 95 % of the deals."""
    orders = [np.arange(2 * n), *(rng.permutation(2 * n) for _ in range(deals - 1))]  # the true one is a deal too
    apart = [_differences(*pool.measured([order[:n], order[n:]])) for order in orders]
    names = [name for name in MEASURES if all(one[name] is not None for one in apart)]
    if not names:
        return {}
    values: NDArray[np.float64] = np.array([[one[name] for name in names] for one in apart], np.float64)
    spread = np.sqrt((values**2).mean(axis=0))
    farthest = (np.abs(values) / np.where(spread > 0, spread, 1.0)).max(axis=1)
    limit = float(np.quantile(farthest, 1 - LEVEL, method="higher"))
    return {name: limit * float(one) for name, one in zip(names, spread, strict=True)}


def _differences(left: Values, right: Values) -> dict[str, float | None]:
    sides = ((name, left[name], right[name]) for name in MEASURES)
    return {name: None if a is None or b is None else a - b for name, a, b in sides}


def _compared(name: str, found: dict[str, Values], limit: float | None, deals: int, how: str) -> JSON:
    ours, theirs = found["synthetic"][name], found.get("gold", {}).get(name)
    apart = None if ours is None or theirs is None else ours - theirs
    told = "undefined" if ours is None else f"{ours:.3f}"
    told += "" if theirs is None else f", gold {theirs:.3f}"
    by_chance = f"; {deals} deals of both sets, all measures at once" if limit is not None else ""
    return {
        "synthetic": ours,
        "gold": theirs,
        "difference": apart,
        "low": None if limit is None else -limit,
        "high": limit,
        "differs": None if apart is None or limit is None else abs(apart) > limit,
        "signature": f"{name.replace('_', '-')} = {told} ({how}{by_chance})",
    }


def _how(n: int, means: dict[str, float], tokeniser: str, seed: int) -> str:
    lengths = " and ".join(f"{mean:.1f}" for mean in means.values())
    sides = " a set" if len(means) > 1 else ""
    return f"n={n} texts{sides}, {lengths} words a text, {tokeniser}, seed {seed}"


def _by_label(sets: dict[str, Corpus], labels: Sequence[str], seed: int) -> JSON | None:
    """The measures of each label of each set that has enough texts, all at the size of the smallest."""
    groups = {(name, at): corpus.of_label(at) for name, corpus in sets.items() for at in range(len(labels))}
    groups = {key: corpus for key, corpus in groups.items() if len(corpus) >= LEAST}
    if not groups or len(labels) < 2:
        return None
    rng = np.random.default_rng(stream_seed(seed, "diversity by label"))
    n = _size(groups.values())
    drawn = {key: corpus.take(rng.permutation(len(corpus))[:n]) for key, corpus in groups.items()}
    pool = Pool.of(together([*drawn.values()]))
    values = pool.measured([np.arange(n) + n * at for at in range(len(drawn))])
    found = dict(zip(drawn, values, strict=True))

    def sides(of: dict[tuple[str, int], Any], at: int) -> JSON:
        return {name: of.get((name, at)) for name in ("synthetic", "gold")}

    means = {key: _mean_words(corpus) for key, corpus in drawn.items()}
    tokeniser = sets["synthetic"].tokeniser
    return {
        "n": n,
        "mean_words": {label: sides(means, at) for at, label in enumerate(labels)},
        "labels": {label: sides(found, at) for at, label in enumerate(labels)},
        "signature": f"diversity by label (n={n} texts of each label and set, {tokeniser}, seed {seed})",
    }


def _growth(corpus: Corpus, seed: int) -> JSON:
    """Different words and Self-BLEU of parts of the set, each twice as large as the one before and holding it."""
    rng = np.random.default_rng(stream_seed(seed, "growth"))
    order = rng.permutation(len(corpus))
    fits = int(np.searchsorted(np.cumsum(corpus.sizes[order]), GROWTH_WORDS, side="right"))
    part = corpus.take(order[: max(1, fits)])
    first = np.full(len(corpus.vocabulary), len(part.words), np.int64)  # where each word stands first
    first[part.words[::-1]] = np.arange(len(part.words))[::-1]
    sizes = _doubled(len(part))
    words = part.offsets[sizes]
    return {
        "n": sizes,
        "words": words.tolist(),
        "types": [int(np.count_nonzero(first < end)) for end in words.tolist()],
        "self_bleu_4": [_self_bleu(part, size) for size in sizes],
        "signature": f"growth (up to n={len(part)} of {len(corpus)} texts, {corpus.tokeniser}, seed {seed})",
    }


def _doubled(n: int) -> list[int]:
    sizes = [n]
    while sizes[-1] >= 2 * GROWTH_FROM:
        sizes.append(sizes[-1] // 2)
    return sizes[::-1]


def _self_bleu(corpus: Corpus, size: int) -> float | None:
    if size < 2:
        return None
    offsets = corpus.offsets[: size + 1]
    return float(text_scores(corpus.words[: offsets[-1]], offsets, GROWTH_ORDER)[:, -1].mean())
