"""What each step of curation removes of the embedded model's real output, whether a reader agrees, and whether it helps.

    python benchmarks/quality/curation.py generate reviews|jnli     the texts, as experiments/NAME-curation.yaml asks
    python benchmarks/quality/curation.py draw reviews|jnli         100 removed and 100 kept rows for a reader, mixed
    python benchmarks/quality/curation.py measure reviews|jnli      counts, the reader's verdicts, changes in score

Counts: of all rows as written, those that each step would drop if it were alone, and how many no other step drops.

Reading: `curation/NAME.tsv` has texts to read, without saying which were removed or what label was asked for. A reader
writes into `usable` y or n (is it natural Japanese of the kind asked for? a sentence twice is no pair) and into `read_label`
the label that it deserves (- for none). A removal is right where the row is not usable or its label is not the one that was
asked for; in rows that repeat others, or a shot, nothing can be read, so those are left out. Rows whose label a student
doubts (label noise) are among the removed ones.

Score: students learn from all rows, and from those that a step leaves (5 seeds each, the same rows held out), and are
compared on gold test rows: the gain with the standard error over gold rows (in groups of an image) and seeds, and its 95 %
interval. Beside each step as many rows are dropped at random.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from japagen.curate import Rules, curate, mend
from japagen.curate.contamination import contaminated
from japagen.curate.duplicates import near_texts, same_texts
from japagen.curate.filters import CHECKS, Limits, checks, repairs
from japagen.curate.gate import trial
from japagen.curate.independence import wilson
from japagen.curate.noise import judge, label_noise
from japagen.endings import plain_form
from japagen.evaluate.gold import GoldData, load_gold_data
from japagen.experiment import Experiment
from japagen.pipeline import run
from japagen.pipeline.rows import read_examples
from japagen.pipeline.rules import rules_of
from japagen.records import Example
from japagen.streams import stream
from japagen.student import SavedClassifier, load_student
from japagen.task import Task

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_curation.json"
SAMPLES = Path(__file__).parent / "curation"
SEED = 0
SEEDS = 5
STUDENTS = ("linear", "embedding")
READ = 100  # rows of each kind
ACROSS = ("duplicate", "label_conflict", "near_duplicate")
TOLD = {"generate": "write the texts", "draw": "write the rows for a reader", "measure": "count, read and train"}


class Data:
    """The rows of one experiment as they were written, its gold data, and what each step says of each row."""

    def __init__(self, name: str, runs: Path) -> None:
        self.experiment = Experiment.load(ROOT / "experiments" / f"{name}-curation.yaml")
        self.task: Task = self.experiment.load_task()
        self.gold: GoldData = load_gold_data(self.task)
        self.rules: Rules = rules_of(self.experiment, self.task, self.gold)
        written = read_examples(runs / f"{name}-curation" / "1-generate" / "examples.jsonl")
        self.rows = [mend(row, repairs(self.rules.limits)) for row in written]
        kept, self.dropped = curate(written, self.rules)
        self.kept: list[Example] = kept
        self.hits = self._hits()

    def _hits(self) -> dict[str, set[str]]:
        """Ids of the rows that each step would drop if it were alone."""
        limits = Limits(
            max_chars=self.rules.limits.max_chars,
            same_sentences=self.rules.limits.same_sentences,
            switched=dict.fromkeys(CHECKS, True),
        )
        found = {
            check.name: {row.id for row in self.rows if check.ask(row)} for check in checks(limits, self.rules.known)
        }
        same = same_texts(self.rows, form=plain_form)
        near = near_texts(self.rows, 0.8, form=plain_form)
        for name, findings in (("duplicate", same), ("label_conflict", same), ("near_duplicate", near)):
            found[name] = {self.rows[i].id for i, finding in findings.items() if finding[0] == name}
        gate = contaminated(self.rows, self.rules.gold)
        found["contamination"] = {self.rows[i].id for i in gate}
        noise = label_noise(self.kept, student=judge("linear", pair=self.task.is_pair), seed=SEED)
        found["label_noise"] = {self.kept[place].id for place in noise.flagged}
        return found


def counts(data: Data) -> list[dict[str, Any]]:
    """By step: rows that it would drop, of each label, and those that no other step would."""
    label_of = {row.id: row.label for row in data.rows}
    table = []
    for name, ids in data.hits.items():
        others = set().union(*(other for step, other in data.hits.items() if step != name))
        by_label = Counter(label_of[id] for id in ids)
        table.append(
            {
                "step": name,
                "on by default": CHECKS.get(name, ("", name != "label_noise"))[1],
                "rows": len(ids),
                "by label": {label: by_label[label] for label in data.task.label_names},
                "alone": len(ids - others),
            }
        )
    return table


def draw(name: str, data: Data) -> None:
    """Write the rows to read: removed ones (label noise among them) and kept ones, mixed."""
    random = stream(SEED, "read", name)
    across = {drop.example.id for drop in data.dropped if drop.reason in ACROSS}
    removed = [drop.example for drop in data.dropped if drop.example.id not in across]
    doubted = [row for row in data.kept if row.id in data.hits["label_noise"]]
    kept = [row for row in data.kept if row.id not in data.hits["label_noise"]]
    share = min(len(removed), READ // 2 if doubted else READ)
    rows = [*random.sample(removed, share), *random.sample(doubted, min(len(doubted), READ - share))]
    rows += random.sample(kept, READ)
    random.shuffle(rows)
    SAMPLES.mkdir(exist_ok=True)
    file = SAMPLES / f"{name}.tsv"
    if file.exists():
        raise SystemExit(f"{file} is there already: what was read is not lost")
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, delimiter="\t", lineterminator="\n")
        table.writerow(["text", "text_pair", "usable", "read_label"])
        for row in rows:
            table.writerow([row.text, row.text_pair or "", "", ""])
    print(f"{len(rows)} rows are in {file}")


def reading(name: str, data: Data) -> dict[str, Any]:
    """Where a reader and the steps agree: shares with their 95 % intervals (Wilson)."""
    file = SAMPLES / f"{name}.tsv"
    if not file.exists():
        return {}
    known = {(row.text, row.text_pair or ""): row for row in [*data.rows, *(drop.example for drop in data.dropped)]}
    with file.open(encoding="utf-8", newline="") as lines:
        read = [row for row in csv.DictReader(lines, delimiter="\t") if row["usable"]]
    rows = [row | {"id": known[row["text"], row["text_pair"]].id} for row in read]
    asked = {row.id: row.label for row in data.rows}
    dropped = {drop.example.id: drop.reason for drop in data.dropped}
    found: dict[str, Any] = {}
    for kind, chosen in _kinds(rows, dropped, data.hits["label_noise"]).items():
        bad = [row for row in chosen if row["usable"] == "n" or row["read_label"] != asked[row["id"]]]
        unusable = sum(row["usable"] == "n" for row in chosen)
        low, high = wilson(len(bad), len(chosen), z=1.96)
        found[kind] = {
            "rows": len(chosen),
            "not fit for training": len(bad),
            "of these not usable Japanese": unusable,
            "share": round(len(bad) / len(chosen), 3),
            "interval": [round(low, 3), round(high, 3)],
        }
    return found


def _kinds(
    rows: Sequence[dict[str, str]], dropped: dict[str, str], doubted: set[str]
) -> dict[str, list[dict[str, str]]]:
    kinds: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        reason = dropped.get(row["id"])
        if reason in (*ACROSS, "shot_copy"):
            continue
        kind = "kept" if reason is None and row["id"] not in doubted else "removed by label_noise"
        if reason is not None:
            kinds.setdefault("removed by filters", []).append(row)
            kind = f"removed by {reason}"
        kinds.setdefault(kind, []).append(row)
    return dict(sorted(kinds.items()))


class Remembering:
    """A student that is trained once on the same rows with the same seed."""

    def __init__(self, name: str) -> None:
        self._student, self._known = load_student(name), dict[tuple[object, ...], SavedClassifier]()

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> SavedClassifier:
        key = (tuple(row.id for row in train), tuple(row.id for row in dev), seed)
        if key not in self._known:
            self._known[key] = self._student.fit(train, dev, seed=seed)
        return self._known[key]


def scores(data: Data, fewest: int, told: Callable[[str], object]) -> list[dict[str, Any]]:
    """For each step and student the gain on gold test rows, beside as many rows dropped at random."""
    students = {name: Remembering(name) for name in STUDENTS}
    label = {row.id: row.label for row in data.rows}
    default = {drop.example.id for drop in data.dropped}
    arms: list[tuple[str, list[Example], set[str]]] = [
        (name, data.rows, ids) for name, ids in data.hits.items() if len(ids) >= fewest and name != "label_noise"
    ]
    arms.append(("all steps on by default", data.rows, default))
    arms.append(("label_noise after these", data.kept, data.hits["label_noise"]))
    table = []
    for name, rows, ids in arms:
        wanted = Counter(label[id] for id in ids)
        random = stream(SEED, "at random", name)
        drawn = {
            row.id for each, n in wanted.items() for row in random.sample([row for row in rows if row.label == each], n)
        }
        for student in STUDENTS:
            for how, gone in (("step", ids), ("at random", drawn)):
                found = trial(
                    rows,
                    [row for row in rows if row.id not in gone],
                    data.gold.test,
                    task=data.task,
                    student=students[student],
                    name=student,
                    seeds=SEEDS,
                    seed=SEED,
                    change=name,
                ).trial
                if found is None:
                    continue
                low, high = found.gain - 1.96 * found.se, found.gain + 1.96 * found.se
                table.append(
                    {
                        "step": name,
                        "dropped": how,
                        "rows": len(gone),
                        "student": student,
                        "plain": round(found.plain, 4),
                        "changed": round(found.changed, 4),
                        "gain": round(found.gain, 4),
                        "se": round(found.se, 4),
                        "interval": [round(low, 4), round(high, 4)],
                    }
                )
                told(f"{name:28} {how:10} {len(gone):5} {student:10} {found.gain:+.4f} [{low:+.4f}, {high:+.4f}]")
    return table


def gate(data: Data) -> dict[str, str]:
    """What the gate of label noise says on gold dev rows, by student."""
    rest = [row for row in data.kept if row.id not in data.hits["label_noise"]]
    change = f"dropping {len(data.kept) - len(rest)} rows of doubted label"
    return {
        student: trial(
            data.kept,
            rest,
            data.gold.dev,
            task=data.task,
            student=load_student(student),
            name=student,
            seeds=SEEDS,
            seed=SEED,
            change=change,
        ).sentence
        for student in STUDENTS
    }


def measure(name: str, data: Data, fewest: int) -> None:
    """Write the result."""
    found = {
        "rows": len(data.rows),
        "kept": len(data.kept),
        "dropped": dict(Counter(drop.reason for drop in data.dropped)),
        "counts": counts(data),
        "reading": reading(name, data),
        "gold test rows": len(data.gold.test),
        "scores": scores(data, fewest, print),
        "gate of label noise": gate(data),
    }
    known = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {"sets": {}}
    result = {
        "what": "curation of texts by Gemma 3 270M (base, Q4_K_M); see benchmarks/quality/curation.py",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {each: version(each) for each in ("japagen", "scikit-learn", "cleanlab")},
        "read by": "one reader, who did not see which rows were removed",
        "sets": {**known["sets"], name: found},
    }
    unfinished = RESULT.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(RESULT)
    print(json.dumps({"reading": found["reading"], "gate": found["gate of label noise"]}, ensure_ascii=False, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=tuple(TOLD))
    parser.add_argument("name", choices=("reviews", "jnli"))
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="folder that holds the runs")
    parser.add_argument("--fewest", type=int, default=1, help="train only for steps that drop so many rows")
    given = parser.parse_args()
    if given.what == "generate":
        run(ROOT / "experiments" / f"{given.name}-curation.yaml", runs=given.runs, until="generate", say=print)
        return
    data = Data(given.name, given.runs)
    if given.what == "draw":
        draw(given.name, data)
    else:
        measure(given.name, data, given.fewest)


if __name__ == "__main__":
    main()
