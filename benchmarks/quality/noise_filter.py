"""The gated filter of label noise: what it finds of planted noise, and what dropping gains or costs, gated and not.

    OPENBLAS_NUM_THREADS=1 python benchmarks/quality/noise_filter.py gate [--splits 5] [--cells clean asymmetric-40]
    OPENBLAS_NUM_THREADS=1 python benchmarks/quality/noise_filter.py judge [--splits 3] [--cells clean asymmetric-40]

Part "gate". Rows, splits and noise are those of noise.py: JNLI valid, split by image; half of it stands in for what a
language model wrote and gets the cell's noise, a fifth is the gold dev set (not noisy), the rest is the test. A student
judges the noisy rows out of fold (curate/noise.py), doubted rows are dropped, and curate/gate.py tries that on the gold dev
rows: on all of them, and on 150 of them. The change on the test rows is given

ungated   doubted rows are dropped whatever the gate says
gated     they are dropped where the gate applies it, else the change is 0

each as the mean over the gate's seeds, whose students are measured on the test rows too. What cleanlab's other filters would
have flagged is given beside, by precision and recall against what was planted.

The judge is held back: strongly regularised, without a choice of C (curate/noise.py, judge). What a judge would do that
chooses C on a tenth of the noisy rows, as students do, stands beside as "chosen".

So that it takes minutes and not hours, the student `linear` learns from its features rotated into as many columns as there
are rows, which regularised regression cannot tell from the features themselves; its n-grams are learnt once, of all rows
(no label is looked at), and C is at most 3.
Part "judge". How strongly the judge is to be regularised: the same without gate, for several C, on JNLI and on every third
title of livedoor news, nine categories, split likewise. The judge's C was chosen so, on splits of these very rows with clean
labels and asymmetric noise: on other data expect somewhat less.

After every cell the result is written to results/quality_noise_filter.json; what is there already is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from noise import CELLS, accuracy, corrupted, gold_rows, news_rows, opinions, split

from japagen.curate import noise as curate_noise
from japagen.curate.gate import trial
from japagen.curate.noise import Noise, label_noise, out_of_fold
from japagen.records import Example, Prediction, rows_digest
from japagen.streams import stream
from japagen.student.holdout import hold_out
from japagen.student.linear import MOST_CHARACTERS, Ngrams
from japagen.student.logistic import Logistic, fit_best
from japagen.student.rows import codes_of, groups_of, is_pair, labels_of, predictions, softmax, texts_of
from japagen.task import Task

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import processor

RESULT = Path(__file__).parents[1] / "results" / "quality_noise_filter.json"
GRID = (0.1, 0.3, 1.0, 3.0)
FOLDS, SEEDS = 5, 5
SMALL = 150
STRENGTHS = {"jnli": (0.01, 0.03, 0.1, 0.3), "news": (0.1, 0.3, 1.0, 3.0)}
FILTERS = ("both", "prune_by_noise_rate", "prune_by_class", "confident_learning", "predicted_neq_given")


class Rotated:
    """The features of student `linear` of all rows, in as many columns as the rows span."""

    def __init__(self, examples: Sequence[Example]) -> None:
        pair = is_pair(examples)
        texts = texts_of(examples, pair=pair, limit=MOST_CHARACTERS)
        sparse = Ngrams.learn(*texts, pair=pair).features(*texts)
        squared, directions = np.linalg.eigh((sparse @ sparse.T).toarray())
        spanned = squared > 1e-9 * squared.max()
        self.columns = np.ascontiguousarray(directions[:, spanned] * np.sqrt(squared[spanned]))
        self.place = {row.id: i for i, row in enumerate(examples)}

    def of(self, rows: Sequence[Example]) -> Any:
        return self.columns[[self.place[row.id] for row in rows]]


@dataclass
class Student:
    """Logistic regression on those; it keeps whom it trained, so that the gate's students can be tested, and tried twice."""

    rotated: Rotated
    grid: tuple[float, ...] = GRID
    trained: dict[tuple[str, int], Trained] = field(default_factory=dict)
    order: list[Trained] = field(default_factory=list)

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Trained:
        key = (rows_digest([*train, *dev]), seed)
        if key not in self.trained:
            labels = labels_of(train)
            x, dev_x = self.rotated.of(train), self.rotated.of(dev)
            model = fit_best(
                x, codes_of(train, labels), dev_x, codes_of(dev, labels),
                grid=self.grid, seed=seed, groups=groups_of(train),
            )  # fmt: skip
            self.trained[key] = Trained(self.rotated, labels, model)
        self.order.append(self.trained[key])
        return self.trained[key]


@dataclass(frozen=True)
class Trained:
    rotated: Rotated
    labels: tuple[str, ...]
    model: Logistic

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        scores = softmax(np.asarray(self.rotated.of(examples) @ self.model.coef.T + self.model.intercept))
        return predictions(examples, self.labels, scores)

    def save(self, folder: Path) -> None:
        raise NotImplementedError


def flagged_by(rows: Sequence[Example], scores: np.ndarray, wrong: np.ndarray) -> dict[str, Any]:
    """What each of cleanlab's filters flags of rows with these scores, without a limit per label."""
    given = codes_of(rows, labels_of(rows))
    return {name: detection(find_label_issues(given, scores, filter_by=name, n_jobs=1), wrong) for name in FILTERS}


def without(rows: Sequence[Example], found: Noise) -> tuple[list[Example], np.ndarray]:
    """The rows that are left, and which are flagged."""
    flags = np.array([opinion.flagged for opinion in found.opinions])
    return [row for row, flag in zip(rows, flags, strict=True) if not flag], flags


def detection(flags: np.ndarray, wrong: np.ndarray) -> dict[str, Any]:
    hits = int((flags & wrong).sum())
    return {
        "flagged": int(flags.sum()),
        "precision": round(hits / int(flags.sum()), 3) if flags.any() else None,
        "recall": round(hits / int(wrong.sum()), 3) if wrong.any() else None,
    }


def one_run(
    examples: Sequence[Example], rotated: Rotated, said: dict[str, Prediction], cell: str, number: int, task: Task
) -> dict[str, Any]:
    clock = time.process_time()
    part = split(examples, number)
    clean = [*part.rows, *part.dev]
    rows = corrupted(clean, cell, said, stream(0, "noise", cell, number, "rows"))
    wrong = np.array([a.label != b.label for a, b in zip(rows, clean, strict=True)])
    student, judge = Student(rotated), Student(rotated, grid=(curate_noise.PAIR_C,))
    found = label_noise(rows, student=judge, folds=FOLDS, seed=number)
    scores = out_of_fold(rows, student=judge, folds=FOLDS, seed=number)  # the same trainings, remembered
    rest, flags = without(rows, found)
    run: dict[str, Any] = {"cell": cell, "split": number, "rows": len(rows), "wrong": int(wrong.sum())}
    run |= {"found": detection(flags, wrong), "by_filter": flagged_by(rows, scores, wrong)}
    order = stream(0, "gate", number).sample(part.pool, len(part.pool))
    for gold in (part.pool, order[:SMALL]):
        student.order.clear()
        verdict = trial(
            rows,
            rest,
            gold,
            task=task,
            student=student,
            name="linear",
            seeds=SEEDS,
            seed=number,
            change=f"dropping {int(flags.sum())} rows of doubted label",
        )
        values = verdict.trial
        run[f"gate on {'all' if gold is part.pool else SMALL}"] = {
            "gold_rows": len(gold),
            "applied": verdict.applied,
            "gain": round(values.gain, 4) if values else None,
            "se": round(values.se, 4) if values else None,
            "sentence": verdict.sentence,
        }
    tested = [round(accuracy(classifier.predict(part.test), part.test), 4) for classifier in student.order]
    run |= {"plain": tested[::2], "dropped": tested[1::2]}
    chosen = label_noise(rows, student=student, folds=FOLDS, seed=number)
    rest, flags = without(rows, chosen)
    student.order.clear()
    trial(rows, rest, part.pool, task=task, student=student, name="linear", seeds=SEEDS, seed=number, change="it")
    tested = [round(accuracy(classifier.predict(part.test), part.test), 4) for classifier in student.order]
    run["chosen"] = detection(flags, wrong) | {"dropped": tested[1::2]}
    return run | {"cpu_seconds": round(time.process_time() - clock, 1)}


def judged(
    name: str, examples: Sequence[Example], rotated: Rotated, cell: str, number: int
) -> Iterator[dict[str, Any]]:
    """For each strength what a judge finds, and what dropping it changes on the test rows."""
    part = split(examples, number)
    clean = [*part.rows, *part.dev]
    rows = corrupted(clean, cell, {}, stream(0, "noise", cell, number, "rows"))
    wrong = np.array([a.label != b.label for a, b in zip(rows, clean, strict=True)])
    student = Student(rotated)

    def tested(left: Sequence[Example]) -> float:
        learnt, dev = hold_out(left, 0.1, seed=number, number=0)
        return accuracy(student.fit(learnt, dev, seed=number).predict(part.test), part.test)

    plain = tested(rows)
    for c in STRENGTHS[name]:
        rest, flags = without(rows, label_noise(rows, student=Student(rotated, (c,)), folds=FOLDS, seed=number))
        run = {"task": name, "cell": cell, "split": number, "c": c, "found": detection(flags, wrong)}
        yield run | {"plain": round(plain, 4), "dropped": round(tested(rest), 4)}


def judges(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over splits, by task, cell and strength."""
    by_kind: dict[tuple[str, str, float], list[dict[str, Any]]] = {}
    for run in runs:
        by_kind.setdefault((run["task"], run["cell"], run["c"]), []).append(run)
    return [
        {"task": name, "cell": cell, "c": c, "splits": len(of_kind)}
        | averaged([run["found"] for run in of_kind])
        | {"ungated_points": mean_and_se([100 * (run["dropped"] - run["plain"]) for run in of_kind])}
        for (name, cell, c), of_kind in sorted(by_kind.items())
    ]


def mean_and_se(values: Sequence[float], digits: int = 2) -> dict[str, Any]:
    """Mean over splits and its standard error."""
    se = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return {"mean": round(statistics.mean(values), digits), "se": None if se is None else round(se, digits)}


def summary(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for cell in sorted({run["cell"] for run in runs}, key=CELLS.index):
        of_cell = sorted((run for run in runs if run["cell"] == cell), key=lambda run: run["split"])
        changes = [100 * (statistics.mean(run["dropped"]) - statistics.mean(run["plain"])) for run in of_cell]
        line: dict[str, Any] = {"cell": cell, "splits": len(of_cell)}
        line["rows"] = round(statistics.mean(run["rows"] for run in of_cell))
        line["wrong"] = round(statistics.mean(run["wrong"] for run in of_cell))
        line["found"] = averaged([run["found"] for run in of_cell])
        line["by_filter"] = {name: averaged([run["by_filter"][name] for run in of_cell]) for name in FILTERS}
        line["plain_accuracy"] = round(statistics.mean(statistics.mean(run["plain"]) for run in of_cell), 4)
        line["ungated_points"] = mean_and_se(changes) | {"by_split": [round(change, 2) for change in changes]}
        line["chosen"] = averaged([run["chosen"] for run in of_cell]) | {
            "ungated_points": mean_and_se(
                [100 * (statistics.mean(run["chosen"]["dropped"]) - statistics.mean(run["plain"])) for run in of_cell]
            )
        }
        for gate in ("gate on all", f"gate on {SMALL}"):
            applied = [run[gate]["applied"] for run in of_cell]
            gated = [change if yes else 0.0 for change, yes in zip(changes, applied, strict=True)]
            line[f"gated_points, {gate}"] = mean_and_se(gated) | {"applied": sum(applied), "by_split": applied}
        lines.append(line)
    return lines


def averaged(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over splits of flagged, precision and recall; None where none has one."""
    means = {}
    for name in ("flagged", "precision", "recall"):
        values = [each[name] for each in found if each[name] is not None]
        means[name] = round(statistics.mean(values), 3) if values else None
    return means


def write(runs: list[dict[str, Any]], judge_runs: list[dict[str, Any]]) -> None:
    """Replace the result file."""
    packages = ("japagen", "scikit-learn", "cleanlab")
    lines = summary(runs)
    by_cell = {line["cell"]: line for line in lines}
    accepted = {}
    if {"clean", "asymmetric-40"} <= set(by_cell):
        points = {cell: by_cell[cell]["gated_points, gate on all"]["mean"] for cell in ("clean", "asymmetric-40")}
        accepted = {
            "clean >= -1 point": points["clean"] >= -1,
            "asymmetric 40 % >= +2 points": points["asymmetric-40"] >= 2,
            "splits": min(by_cell[cell]["splits"] for cell in points),
        }
    result = {
        "what": "gated filter of label noise, planted noise in half of JNLI valid; changes in accuracy on test rows, points",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "settings": {
            "student": "linear",
            "grid": GRID,
            "judge": curate_noise.PAIR_C,
            "folds": FOLDS,
            "seeds": SEEDS,
            "filter": curate_noise.FILTER,
            "most": curate_noise.MOST,
        },
        "accepted": accepted,
        "summary": lines,
        "judges": judges(judge_runs),
        "runs": runs,
        "judge_runs": judge_runs,
    }
    unfinished = RESULT.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(RESULT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("gate", "judge"))
    parser.add_argument("--splits", type=int, default=5, help="so many splits, each with its own noise")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=["clean", "asymmetric-40", "symmetric-40"])
    options = parser.parse_args()
    before = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    runs, judge_runs = before.get("runs", []), before.get("judge_runs", [])
    done = {(run["cell"], run["split"]) for run in runs}
    judged_already = {(run["task"], run["cell"], run["split"]) for run in judge_runs}
    sets = {"jnli": gold_rows()} | ({"news": news_rows()[::3]} if options.part == "judge" else {})
    task, rotated = Task.load("jnli"), {name: Rotated(examples) for name, examples in sets.items()}
    planned = any(cell.startswith("instance") for cell in options.cells) and options.part == "gate"
    said = opinions(sets["jnli"]) if planned else {}
    for number in range(options.splits):
        for cell in options.cells:
            if options.part == "gate" and (cell, number) not in done:
                runs.append(one_run(sets["jnli"], rotated["jnli"], said, cell, number, task))
                print(json.dumps({k: v for k, v in runs[-1].items() if k != "by_filter"}, ensure_ascii=False))
            for name, examples in sets.items() if options.part == "judge" else ():
                if (name, cell, number) not in judged_already:
                    judge_runs += judged(name, examples, rotated[name], cell, number)
                    print(*map(json.dumps, judge_runs[-len(STRENGTHS[name]) :]), sep="\n")
            write(runs, judge_runs)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
