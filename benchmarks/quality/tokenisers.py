"""Does the tokeniser change which of several sets of texts is the most varied?

    python benchmarks/quality/tokenisers.py FILE [FILE ...] [--seeds 3] [--output FILE]

Each FILE holds the rows of one set as JSON lines with `text` (and `text_pair`), such as 1-generate/examples.jsonl of the
arms of a sweep; its name is that of the folder of its run. All sets are drawn at the size of the smallest, with several
seeds, and measured under every tokeniser. For each measure: the sets from the most varied to the least under each
tokeniser, Kendall's tau between every two tokenisers, and beside it tau between two draws under one tokeniser: where the
two are alike, the tokeniser matters no more than the draw. The result is results/quality_tokenisers.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

from japagen.analyze.corpus import TOKENISERS, Corpus, corpora
from japagen.analyze.diversity import together
from japagen.analyze.diversity.variety import ALIKE, MEASURES, Pool
from japagen.compare.ranks import kendall
from japagen.records import Example
from japagen.streams import stream_seed
from machine import processor

RESULT = Path(__file__).parents[1] / "results" / "quality_tokenisers.json"
Values = dict[str, list[float]]


def rows_of(file: Path) -> list[Example]:
    found = []
    for at, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        found.append(Example(str(at), row["text"], "any", row.get("text_pair")))
    return found


def name_of(file: Path) -> str:
    return file.parents[1].name if file.parent.name[:1].isdigit() else file.stem


def values(sets: list[Corpus], n: int, seed: int) -> Values:
    """Each measure of each set, n texts of each, the same rows under every tokeniser."""
    rng = np.random.default_rng(stream_seed(seed, "tokenisers"))
    drawn = [corpus.take(rng.permutation(len(corpus))[:n]) for corpus in sets]
    pool = Pool.of(together(drawn))
    found = pool.measured([np.arange(n) + n * at for at in range(len(drawn))])
    return {name: [float(one[name] or 0.0) for one in found] for name in MEASURES}


def tau(first: list[float], second: list[float]) -> float | None:
    return kendall(first, second)[0]


def mean(taus: list[float | None]) -> float | None:
    known = [one for one in taus if one is not None]
    return round(fmean(known), 3) if known else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    sets = {name_of(file): rows_of(file) for file in options.files}
    n = min(map(len, sets.values())) * 4 // 5  # so that draws differ for the smallest set too
    measured: dict[str, list[Values]] = {}
    for tokeniser in TOKENISERS:
        made = list(corpora(list(sets.values()), ["any"], tokeniser))
        measured[tokeniser] = [values(made, n, seed) for seed in range(options.seeds)]
    by_measure: dict[str, Any] = {}
    for name in MEASURES:
        means = {t: np.mean([one[name] for one in draws], axis=0) for t, draws in measured.items()}
        order = {t: np.argsort(row if name in ALIKE else -row, kind="stable") for t, row in means.items()}
        pairs = {f"{a}, {b}": tau(means[a].tolist(), means[b].tolist()) for a, b in combinations(TOKENISERS, 2)}
        same_draw = [
            tau(one[name], other[name])
            for a, b in combinations(TOKENISERS, 2)
            for one, other in zip(measured[a], measured[b], strict=True)
        ]
        same_tokeniser = [
            tau(one[name], other[name]) for draws in measured.values() for one, other in combinations(draws, 2)
        ]
        by_measure[name] = {
            "values": {t: dict(zip(sets, np.round(row, 4).tolist(), strict=True)) for t, row in means.items()},
            "most_varied_first": {t: [list(sets)[at] for at in places] for t, places in order.items()},
            "tau_of_means": {pair: None if one is None else round(one, 3) for pair, one in pairs.items()},
            "mean_tau_between_tokenisers": mean(same_draw),
            "mean_tau_between_draws": mean(same_tokeniser),
        }
        print(name, by_measure[name]["mean_tau_between_tokenisers"], by_measure[name]["mean_tau_between_draws"])
    result = {
        "what": "rank of sets of texts by each measure of diversity under each tokeniser; Kendall's tau",
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "sets": {name: len(rows) for name, rows in sets.items()},
        "n": n,
        "seeds": options.seeds,
        "versions": {p: version(p) for p in ("fugashi", "unidic-lite", "ipadic", "sudachipy", "sudachidict-core")},
        "measures": by_measure,
    }
    options.output.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
