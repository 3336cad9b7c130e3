"""How near corrected label correctness comes to the truth, beside raw agreement and the inverted confusion matrix.

    export OPENBLAS_NUM_THREADS=1
    python benchmarks/quality/correctness.py [--splits 5]

JNLI valid by image: .45 of the rows stand in for synthetic ones and get noise planted (`noise.py`; instance-dependent noise
is what a linear student of other rows would say), so that their correctness is known; .5 or .2 of all rows are the gold rows
that the students learn from (character n-grams, C = 1). Of each split all noise cells share the students.

raw       share of rows whose label the students give, too
inverted  trace of N C^-1, with the cross-validated confusion matrix C of labels
corrected `japagen.analyze.labels.correctness`, with its 95 % interval (40 resamples)

The result is written to benchmarks/results/quality_correctness.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.labels.correctness import Said, ask_students, corrected
from japagen.metrics import codes
from japagen.records import Example, Prediction
from japagen.streams import stream
from japagen.student.linear import LinearStudent

sys.path.append(str(Path(__file__).parents[1]))
from noise import CELLS, LABELS, corrupted, gold_rows, parts_by_image

from machine import processor

RESULT = Path(__file__).parents[1] / "results" / "quality_correctness.json"
SHARES = (0.5, 0.2)
ROWS = 0.45
RESAMPLES = 40
STUDENT = LinearStudent(grid=(1.0,))


def quick_opinions(examples: Sequence[Example]) -> dict[str, Prediction]:
    """What a linear student of other images says of each row, for instance-dependent noise; C is not chosen."""
    parts = parts_by_image(examples, (0.2,) * 5, stream(0, "opinions"))
    said: dict[str, Prediction] = {}
    for part in parts:
        others = [row for other in parts if other is not part for row in other]
        said |= {p.id: p for p in STUDENT.fit(others, others[:50], seed=0).predict(part)}
    return said


def inverted(said: Said, given: NDArray[np.intp]) -> float:
    """The trace of N C^-1, within 0 and 1."""
    size = len(LABELS)
    labels_of_gold = np.eye(size)[said.of_gold.argmax(axis=1)]
    matrix = np.array([labels_of_gold[said.gold == label].mean(axis=0) for label in range(size)])
    labels_of_rows = np.eye(size)[said.of_rows.argmax(axis=2)].mean(axis=0)
    joint = np.array([labels_of_rows[given == label].sum(axis=0) for label in range(size)]) / len(given)
    return float(np.clip(np.trace(joint @ np.linalg.pinv(matrix)), 0, 1))


def runs_of(share: float, number: int, opinions: dict[str, Prediction]) -> list[dict[str, Any]]:
    """All cells of one split with that share of gold rows."""
    runs = []
    parts = parts_by_image(gold_rows(), (share, ROWS, 1 - share - ROWS), stream(0, "correctness", number))
    gold, rows = parts[0], parts[1]
    said = ask_students(rows, gold, LABELS, student=STUDENT, seed=number)
    for cell in CELLS:
        noisy = corrupted(rows, cell, opinions, stream(0, "correctness noise", cell, number))
        given = codes([row.label for row in noisy], LABELS)
        truth = statistics.mean(a.label == b.label for a, b in zip(rows, noisy, strict=True))
        found = corrected(said, given, LABELS, name="linear", seed=number, resamples=RESAMPLES)
        overall = found.overall
        run = {"split": number, "gold_rows": len(gold), "share": share, "cell": cell, "truth": truth}
        run |= {"raw": overall.raw, "inverted": inverted(said, given), "corrected": overall.corrected}
        run |= {"low": overall.low, "high": overall.high, "student_accuracy": found.student_accuracy}
        runs.append({key: round(value, 4) if isinstance(value, float) else value for key, value in run.items()})
        print(json.dumps(runs[-1]), flush=True)
    return runs


def summary(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By cell and share of gold: means, mean error, mean absolute error, and how often the interval holds the truth."""
    rows = []
    for share in SHARES:
        for cell in CELLS:
            group = [run for run in runs if (run["share"], run["cell"]) == (share, cell)]
            if not group:
                continue
            row: dict[str, Any] = {"share": share, "cell": cell, "splits": len(group)}
            row["gold_rows"] = round(statistics.mean(run["gold_rows"] for run in group))
            for name in ("truth", "raw", "inverted", "corrected"):
                row[name] = round(statistics.mean(run[name] for run in group), 3)
            for name in ("raw", "inverted", "corrected"):
                errors = [run[name] - run["truth"] for run in group]
                row[f"{name}_error"] = round(statistics.mean(errors), 3)
                row[f"{name}_absolute"] = round(statistics.mean(map(abs, errors)), 3)
            row["covered"] = sum(run["low"] - 1e-3 <= run["truth"] <= run["high"] + 1e-3 for run in group)
            row["width"] = round(statistics.mean(run["high"] - run["low"] for run in group), 3)
            rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=5)
    options = parser.parse_args()
    started = time.process_time()
    opinions = quick_opinions(gold_rows())
    runs: list[dict[str, Any]] = []
    for share, number in product(SHARES, range(options.splits)):
        runs += runs_of(share, number, opinions)
        cells = summary(runs)
        checks = [
            {"check": f"{row['cell']}, {row['gold_rows']} gold rows: mean error", "wanted": "within .03"}
            | {"found": row["corrected_error"], "met": abs(row["corrected_error"]) <= 0.03}
            for row in cells
        ]
        result = {
            "what": "share of right labels among JNLI valid rows with planted noise, as students of other gold rows find it",
            "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
            "versions": {name: version(name) for name in ("japagen", "numpy", "scikit-learn")}
            | {"python": platform.python_version()},
            "cpu_seconds": round(time.process_time() - started),
            "checks": checks,
            "summary": cells,
            "runs": runs,
        }
        RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for row in (*cells, *checks):
        print(row)


if __name__ == "__main__":
    main()
