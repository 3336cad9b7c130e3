"""What each student reaches, and what it costs: the table of docs/how-to/students.md, on human-labelled data.

    python benchmarks/quality/choose_student.py [--rows 4000] [--small]

news    Titles of livedoor news, nine categories, accuracy: rows drawn for training, 1,000 others for the test.
jsts    Similarity of captions, Spearman: rows of train, tested on all of valid.
jcola   Acceptable or not, MCC: rows of train, tested on all of valid.

Every student in a process of its own: score, seconds of processor time for training and per 1,000 predictions (the first of
a text: vectors are not cached), peak memory, size of the saved classifier. One thread. `--small` writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from japagen import metrics
from japagen.records import Example
from japagen.sections import EncoderSection
from japagen.student import Training, load_classifier, load_student

sys.path.append(str(Path(__file__).parents[1]))
from machine import processor

ROOT = Path(__file__).parents[2]
GOLD = ROOT.parent / "shared" / "gold"
RESULT = ROOT / "benchmarks" / "results" / "quality_choose_student.json"
STUDENTS = {"linear": "linear", "embedding": "embedding", "encoder": "encoder, use-multilingual"}
METRIC = {"news": "accuracy", "jsts": "spearman", "jcola": "mcc"}


def news(rows: int) -> tuple[list[Example], list[Example]]:
    """Titles with their category, drawn by a seed; the same title stands once."""
    found: dict[str, Example] = {}
    with tarfile.open(GOLD / "news" / "ldcc-20140209.tar.gz") as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.isfile() and len(parts) == 3 and parts[2].startswith(parts[1]):
                title = archive.extractfile(member).read().decode().split("\n")[2].strip()  # type: ignore[union-attr]
                found.setdefault(title, Example(member.name, title, parts[1]))
    drawn = sorted(found.values(), key=lambda e: e.id)
    random.Random(0).shuffle(drawn)
    return drawn[1000 : 1000 + rows], drawn[:1000]


def jsts(rows: int) -> tuple[list[Example], list[Example]]:
    """Pairs with their similarity."""

    def read(split: str) -> list[Example]:
        lines = (GOLD / "jsts" / f"{split}-v1.3.json").read_text(encoding="utf-8").splitlines()
        given = [json.loads(line) for line in lines]
        return [
            Example(str(i), r["sentence1"], str(round(r["label"])), r["sentence2"], float(r["label"]))
            for i, r in enumerate(given)
        ]

    train = read("train")
    random.Random(0).shuffle(train)
    return train[:rows], read("valid")


def jcola(rows: int) -> tuple[list[Example], list[Example]]:
    """Sentences, acceptable or not."""

    def read(split: str) -> list[Example]:
        lines = (GOLD / "jcola" / f"in_domain_{split}-v1.0.json").read_text(encoding="utf-8").splitlines()
        return [Example(str(i), r["sentence"], str(r["label"])) for i, r in enumerate(map(json.loads, lines))]

    train = read("train")
    random.Random(0).shuffle(train)
    return train[:rows], read("valid")


def score(task: str, test: Sequence[Example], classifier: Any) -> tuple[float, float]:
    """The task's metric, and processor seconds per 1,000 rows."""
    begun = time.process_time()
    said = classifier.predict(test)
    seconds = (time.process_time() - begun) * 1000 / len(test)
    if task == "jsts":
        numbers = [
            p.value if p.value is not None else sum(s * float(label) for label, s in p.scores.items()) for p in said
        ]
        return metrics.spearman(numbers, [e.value for e in test]), seconds
    labels = sorted({e.label for e in test} | {p.label for p in said})
    counts = metrics.confusion([e.label for e in test], [p.label for p in said], labels)
    return float(metrics.METRICS[METRIC[task]](counts)), seconds


def one(task: str, student: str, rows: int, seeds: int) -> dict[str, Any]:
    """A student on a task, in this process; figures of the mean seed."""
    train, test = {"news": news, "jsts": jsts, "jcola": jcola}[task](rows)
    section = EncoderSection(model="use-multilingual", threads=1)
    scores, fits, predicts, size = [], [], [], 0
    for seed in range(seeds):
        begun = time.process_time()
        classifier = load_student(student, Training(section, METRIC[task])).fit(train[:-200], train[-200:], seed=seed)
        fits.append(time.process_time() - begun)
        with tempfile.TemporaryDirectory() as folder:
            classifier.save(Path(folder))
            size = sum(file.stat().st_size for file in Path(folder).iterdir())
            reached, seconds = score(task, test, load_classifier(Path(folder)))
        scores.append(round(reached, 4))
        predicts.append(seconds)
    return {
        "task": task,
        "metric": METRIC[task],
        "student": STUDENTS[student],
        "train_rows": len(train),
        "test_rows": len(test),
        "scores": scores,
        "score": round(sum(scores) / len(scores), 4),
        "fit_cpu_s": round(fits[0], 1),
        "predict_cpu_s_per_1000": round(predicts[0], 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "saved_mb": round(size / 1e6, 1),
    }


def main() -> None:
    """All tasks and students, each in a process of its own."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=4000)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--small", action="store_true")
    options.add_argument("--one", nargs=2, metavar=("TASK", "STUDENT"), help=argparse.SUPPRESS)
    given = options.parse_args()
    rows, seeds = (400, 1) if given.small else (given.rows, given.seeds)
    if given.one:
        print(json.dumps(one(*given.one, rows, seeds)))
        return
    found = []
    for task in METRIC:
        for student in STUDENTS:
            with tempfile.TemporaryDirectory() as cache:
                environment = {**os.environ, "OMP_NUM_THREADS": "1", "JAPAGEN_CACHE": cache}
                command = [sys.executable, __file__, "--one", task, student, "--rows", str(rows), "--seeds", str(seeds)]
                done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
            found.append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps(found[-1]), flush=True)
    if not given.small:
        machine = {"processor": processor(), "cores": os.cpu_count(), "threads": 1}
        versions = {name: version(name) for name in ("japagen", "torch", "scikit-learn")}
        result = {"what": __doc__.splitlines()[0], "machine": machine, "versions": versions, "rows": found}
        RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
