"""What the attribute sampler gains when the generator has collapsed: JSTS, human-labelled, in the place of written rows.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/quality/sampler.py [--topics 20] [--seeds 12] [--small]

JSTS train and valid are parted by image, anew for each seed: 20 % are the test, 8 % are target texts whose labels nobody
looks at, the others are all that the generator could write. The generator sorts them into topics of its own (k-means on
sentence vectors; --topics, 20 or 100), which it likes by Zipf's law with exponent 1, in random order. It draws rows with
replacement: what it likes it writes again and again.

strict  within a topic from the most typical 30 % only (nearest to the topic's middle)
soft    nine draws of ten from those, one of ten from the topic's other rows

It is asked for three times the rows wanted (top_up_factor). Arms, all with the number of rows of each label (0 to 5) that
the first n draws have, or as many as there are:

plain     the first n draws as they come, repeats included
distinct  the first of all draws that differ: what curation and a top-up give without a sampler
quotas    of the same rows, chosen for the topics, lengths and registers of the target texts
anything  any rows that the generator could have written: what a sampler could reach at best

Students: ridge regression on overlaps (characters, 1- to 3-grams) and sentence vectors of the pair ("dense"), and on the
n-grams of the student `linear` ("ngrams"). Spearman on the test. The acceptance check (at least .015, in 10 of 12 seeds)
compares quotas with plain; what the quotas do beyond taking each row once is quotas against distinct.

JSTS is read from ../shared/gold. After each seed the result is added to
benchmarks/results/quality_sampler.json; with --small, nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.curate.sampler import Sampled, choose, sample
from japagen.curate.target import Target, of_texts
from japagen.curate.topics import Topics, row_vectors
from japagen.groups import IMAGE, image_groups
from japagen.metrics import spearman
from japagen.records import Example
from japagen.student.embedding import features
from japagen.student.linear import MOST_CHARACTERS, Ngrams
from japagen.student.rows import texts_of

sys.path.append(str(Path(__file__).parents[1]))
from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_sampler.json"
GOLD = ROOT.parent / "shared" / "gold" / "jsts"
ARMS = ("plain", "distinct", "quotas", "anything")
CELLS = {"strict": 0.0, "soft": 0.1}
"""Share of draws outside the most typical rows."""
TEST, TARGET = 0.2, 0.08
TOPICS, TYPICAL = 20, 0.3
FACTOR = 3
BY = ("topic", "length", "register")
STRENGTHS = {"dense": 3000.0, "ngrams": 1.0}

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def gold_rows() -> list[Example]:
    """All pairs, labelled with the nearest of 0 to 5."""
    found = []
    for split in ("train", "valid"):
        for line in (GOLD / f"{split}-v1.3.json").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            value = float(row["label"])
            label = str(min(range(6), key=lambda whole: abs(whole - value)))
            name, meta = f"{split}/{row['sentence_pair_id']}", {IMAGE: row[IMAGE]}
            found.append(Example(name, row["sentence1"], label, row["sentence2"], value, meta))
    return found


def parts_by_image(groups: Sequence[str], rng: np.random.Generator) -> list[Places]:
    """Places of the test, of the target texts and of what the generator could write."""
    names, group = np.unique(groups, return_inverse=True)
    turn = rng.permutation(len(names))[group] / len(names)
    return [
        np.flatnonzero(part) for part in (turn < TEST, (turn >= TEST) & (turn < TEST + TARGET), turn >= TEST + TARGET)
    ]


def chances(rows: Sequence[Example], topics: int, rng: np.random.Generator) -> dict[str, Floats]:
    """For each kind of collapse how likely the generator is to write each row."""
    own = Topics.fit(rows, topics, seed=int(rng.integers(2**31)))
    distance = -(row_vectors(rows) @ own.centres.T - (own.centres**2).sum(axis=1) / 2)
    topic = distance.argmin(axis=1)
    liked = rng.permutation(1 / np.arange(1, len(own.names) + 1))
    found = {cell: np.zeros(len(rows)) for cell in CELLS}
    for number, weight in enumerate(liked / liked.sum()):
        members = np.flatnonzero(topic == number)
        members = members[np.argsort(distance[members, number], kind="stable")]
        typical = max(1, round(TYPICAL * len(members)))
        for cell, outside in CELLS.items():
            found[cell][members[:typical]] = weight * (1 - outside) / typical
            found[cell][members[typical:]] = weight * outside / max(len(members) - typical, 1)
    return {cell: chance / chance.sum() for cell, chance in found.items()}


def first_of_each(draws: Places) -> Places:
    return draws[np.sort(np.unique(draws, return_index=True)[1])]


def per_label(rows: Sequence[Example], order: Places, wanted: Counter[str]) -> Places:
    """The first so many of each label, as far as there are."""
    labels = np.array([rows[i].label for i in order])
    return np.concatenate([order[labels == label][:count] for label, count in sorted(wanted.items())])


def arms_of(
    rows: Sequence[Example], chance: Floats, target: Target, n: int, rng: np.random.Generator, seed: int
) -> tuple[dict[str, Places], Sampled, dict[str, int]]:
    """The rows of each arm, what the sampler says, and how many rows there were."""
    draws = rng.choice(len(rows), FACTOR * n, p=chance)
    plain, distinct = draws[:n], first_of_each(draws)
    wanted = Counter(rows[i].label for i in plain)
    sampled = sample([rows[i] for i in distinct], wanted, target=target, seed=seed)
    arms = {
        "plain": plain,
        "distinct": per_label(rows, distinct, wanted),
        "quotas": distinct[list(sampled.chosen)],
        "anything": per_label(rows, rng.permutation(len(rows)), wanted),
    }
    sizes = {"distinct_of_plain": len(np.unique(plain)), "pool": len(distinct)}
    return arms, sampled, sizes | {arm: len(places) for arm, places in arms.items()}


def overlaps(rows: Sequence[Example]) -> Floats:
    """Shared n-grams of characters, n = 1 to 3, by either text and by both, and the lengths; shape (n, 12)."""
    found = []
    for row in rows:
        first, second = row.text, row.text_pair or ""
        numbers: list[float] = [len(first), len(second), abs(len(first) - len(second))]
        for n in (1, 2, 3):
            a, b = ({text[i : i + n] for i in range(len(text) - n + 1)} for text in (first, second))
            numbers += [len(a & b) / max(len(part), 1) for part in (a, b, a | b)]
        found.append(numbers)
    return np.array(found)


def ridge(x: Any, y: Floats, test: Any, strength: float) -> Floats:
    """Ridge regression by its dual: one weight for each row."""
    kernel, other = x @ x.T, test @ x.T
    if not isinstance(kernel, np.ndarray):
        kernel, other = kernel.toarray(), other.toarray()
    weights = np.linalg.solve(kernel + strength * np.eye(len(y)), y - y.mean())
    return np.asarray(other @ weights + y.mean(), dtype=np.float64)


def values_of(rows: Sequence[Example]) -> Floats:
    return np.array([row.value for row in rows], dtype=np.float64)


def score(student: str, train: Sequence[Example], test: Sequence[Example], dense: dict[str, Floats]) -> float:
    """Spearman on the test of a student that learnt from the rows."""
    if student == "ngrams":
        texts, others = (texts_of(rows, pair=True, limit=MOST_CHARACTERS) for rows in (train, test))
        ngrams = Ngrams.learn(*texts, pair=True)
        x, z = ngrams.features(*texts), ngrams.features(*others)
    else:
        x, z = (np.stack([dense[row.id] for row in rows]) for rows in (train, test))
        centre, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
        x, z = (x - centre) / spread, (z - centre) / spread
    return spearman(ridge(x, values_of(train), z, STRENGTHS[student]), values_of(test))


class Cell:
    """What is collected of a kind of collapse."""

    def __init__(self) -> None:
        self.scores: dict[str, dict[str, list[float]]] = {name: {arm: [] for arm in ARMS} for name in STRENGTHS}
        self.rows: list[dict[str, int]] = []
        self.before: list[float] = []
        self.after: list[float] = []

    def add(self, world: Sequence[Example], arms: dict[str, Places], sampled: Sampled, target: Target) -> None:
        """How far the rows are from the quotas, without and with the sampler."""
        plain = [world[i] for i in arms["distinct"]]
        shares = {by: Counter(values) for by, values in target.values(plain).items()}
        self.before.append(max(abs(shares[q.by][q.value] / len(plain) - q.target) for q in sampled.quotas))
        self.after.append(max(abs(q.reached - q.target) for q in sampled.quotas))

    def found(self) -> dict[str, Any]:
        """All of it, for the result."""
        return {
            "rows": {key: round(float(np.mean([one[key] for one in self.rows])), 1) for key in self.rows[0]},
            "largest_distance_to_a_quota": {
                "distinct": round(float(np.mean(self.before)), 4),
                "quotas": round(float(np.mean(self.after)), 4),
            },
            "students": {student: summary(by_arm) for student, by_arm in self.scores.items()},
        }


def run_seed(
    rows: Sequence[Example], dense: dict[str, Floats], n: int, topics: int, seed: int, cells: dict[str, Cell]
) -> None:
    """One parting of the rows: every kind of collapse, every arm, every student."""
    groups = image_groups(rows)
    assert groups
    rng = np.random.default_rng(seed)
    test, unlabelled, world = ([rows[i] for i in part] for part in parts_by_image(groups, rng))
    target = of_texts(unlabelled, BY, topics=TOPICS, seed=seed)
    chance_of = chances(world, topics, rng)
    for name, cell in cells.items():
        arms, sampled, count = arms_of(world, chance_of[name], target, n, rng, seed)
        cell.rows.append(count)
        cell.add(world, arms, sampled, target)
        for student, by_arm in cell.scores.items():
            for arm, places in arms.items():
                by_arm[arm].append(score(student, [world[i] for i in places], test, dense))
            last = {arm: round(values[-1], 4) for arm, values in by_arm.items()}
            print(f"{seed} {name} {student}: {last}", flush=True)
        print(f"{seed} {name}: {count}. {sampled.sentence}", flush=True)


def summary(by_arm: dict[str, list[float]]) -> dict[str, Any]:
    """Means, all values, and the differences that matter."""
    found: dict[str, Any] = {"spearman": {arm: round(float(np.mean(v)), 4) for arm, v in by_arm.items()}}
    for better, worse in (("quotas", "plain"), ("quotas", "distinct"), ("anything", "distinct")):
        gains = np.array(by_arm[better]) - np.array(by_arm[worse])
        found[f"{better}_over_{worse}"] = {
            "gain": round(float(gains.mean()), 4),
            "sd": round(float(gains.std(ddof=1)), 4) if len(gains) > 1 else None,
            "wins": f"{int((gains > 0).sum())}/{len(gains)}",
            "at_least_.015": f"{int((gains >= 0.015).sum())}/{len(gains)}",
            "by_seed": gains.round(4).tolist(),
        }
    return found


def speed(rows: int) -> dict[str, Any]:
    """The sampler alone on rows of four attributes that depend on one another."""
    rng = np.random.default_rng(0)
    topic = rng.choice(20, rows, p=(z := 1 / np.arange(1, 21)) / z.sum())
    values = {
        "topic": [f"{t:02d}" for t in topic],
        "word": [f"{w:02d}" for w in (topic + rng.integers(0, 6, rows)) % 20],
        "length": [f"{b}" for b in (topic + rng.integers(0, 4, rows)) % 5],
        "register": [("polite", "plain", "unknown")[r] for r in rng.choice(3, rows, p=[0.85, 0.1, 0.05])],
    }
    shares = {"topic": None, "word": None, "length": None, "register": {"polite": 0.5, "plain": 0.45, "unknown": 0.05}}
    labels = [f"{i % 4}" for i in range(rows)]
    started, wall = time.process_time(), time.perf_counter()
    found = choose(labels, values, shares, 2_000, seed=0)
    return {
        "rows": rows,
        "labels": 4,
        "chosen": len(found.chosen),
        "largest_distance_of_a_label": max(abs(q.reached - q.target) for one in found.by_label.values() for q in one),
        "cpu_s": round(time.process_time() - started, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--topics", type=int, default=20, help="of the generator")
    parser.add_argument("--small", action="store_true", help="two seeds, n = 500, nothing is written")
    options = parser.parse_args()
    started, wall = time.process_time(), time.perf_counter()
    rows = gold_rows()
    table = np.hstack([features(rows, pair=True), overlaps(rows)])
    dense = {row.id: table[i] for i, row in enumerate(rows)}
    cells = {name: Cell() for name in CELLS}
    n = 500 if options.small else 2_000
    for seed in range(2 if options.small else options.seeds):
        run_seed(rows, dense, n, options.topics, seed, cells)
        part: dict[str, Any] = {"n": n, "seeds": seed + 1} | {name: cell.found() for name, cell in cells.items()}
        part |= {"cpu_s": round(time.process_time() - started), "wall_s": round(time.perf_counter() - wall)}
        if not options.small:
            add_to_result(f"{options.topics} topics", part)
    if not options.small:
        add_to_result("million", speed(1_000_000))


def add_to_result(name: str, part: dict[str, Any]) -> None:
    """Write a part into the result, beside the others."""
    found = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    found["machine"] = {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True}
    found["versions"] = {"python": platform.python_version()} | {p: version(p) for p in ("numpy", "scikit-learn")}
    found[name] = part
    RESULT.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
