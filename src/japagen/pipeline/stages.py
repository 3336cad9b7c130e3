"""The six stages bound to a run: each reads what earlier ones left on disk, leaves files of its own, says what it did."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from japagen.analyze import analyze
from japagen.classifiers import trained_models
from japagen.errors import ModelError
from japagen.evaluate import evaluate, prediction_rows
from japagen.evaluate.arms import after_round
from japagen.experiment import ARMS
from japagen.generate import generate
from japagen.goldfiles import SPLITS
from japagen.pipeline.analyzing import facts_of
from japagen.pipeline.bound import CHECKPOINTS, Bound
from japagen.pipeline.curating import curate_stage
from japagen.pipeline.more import ROUND
from japagen.pipeline.prompted import shot_rows
from japagen.pipeline.rows import as_dropped_row, as_row, counted, read_examples
from japagen.pipeline.stopping import FILE as STOPPING
from japagen.pipeline.stopping import Stopping
from japagen.records import Accounting, Dropped, Example, Failed
from japagen.report import write_report
from japagen.reportdata import report_data
from japagen.student import Classifier, load_classifier
from japagen.tables import jsonl_writer, write_json, write_jsonl
from japagen.train import draw_anchor, train


class Stages(Bound):
    """The stages; each takes its empty folder and returns the facts for its ``done.json``."""

    __slots__ = ()

    def generate(self, folder: Path) -> dict[str, Any]:
        llm = self.model()
        counts: dict[str, Counter[tuple[str, str]]] = {label: Counter() for label in self.task.label_names}
        with (
            self.store("generate") as store,
            jsonl_writer(folder / "examples.jsonl") as kept,
            jsonl_writer(folder / "dropped.jsonl") as dropped,
            jsonl_writer(folder / "failed.jsonl") as failed,
        ):
            per_label, rows_of = self.experiment.generate.per_label, None
            if rule := self.experiment.generate.stop_rule:
                stopping = Stopping(self, rule)
                stopping.ask(llm, store)
                write_json(folder / STOPPING, stopping.told())
                self.say(f"stop rule: {stopping.sentence()}")
                per_label, rows_of = stopping.asked, dict.fromkeys(counts, range(stopping.asked))
            for row in generate(self.experiment, self.task, llm, store, rows_of=rows_of, on_progress=self.on_progress):
                match row:
                    case Example():
                        kept(as_row(row))
                        counts[row.label]["kept", ""] += 1
                    case Dropped():
                        dropped(as_dropped_row(row))
                        counts[row.example.label]["dropped", row.reason] += 1
                    case Failed():
                        failed(asdict(row))
                        counts[row.label]["failed", row.reason] += 1
            usage = self.usage(store)
        by_label = {label: asdict(counted(per_label, found)) for label, found in counts.items()}
        total = counted(per_label * len(counts), sum(counts.values(), Counter()))
        if not total.kept and total.failed:
            reasons = ", ".join(f"{reason} ({n})" for reason, n in total.failed.items())
            raise ModelError(
                f"not one text came of {total.requested} rows: {reasons}",
                where=f"llm '{llm.name}'",
                remedy="mend it and give the same command again: what failed is asked for again",
            )
        return {"accounting": asdict(total), "by_label": by_label, "usage": usage, "llm": llm.name}

    def curate(self, folder: Path) -> dict[str, Any]:
        return curate_stage(self, folder)

    def train(self, folder: Path) -> dict[str, Any]:
        examples = self.examples("curate")
        trained = train(
            self.experiment,
            examples,
            self.gold.dev if self.learns_from_gold else [],
            folder,
            task=self.task,
            checkpoints=self.run.path / CHECKPOINTS,
            on_progress=self.on_progress,
            say=self.say,
        )
        write_json(folder / "models.json", [asdict(model) for model in trained])
        shutil.rmtree(self.run.path / CHECKPOINTS, ignore_errors=True)
        return {"accounting": asdict(Accounting(len(examples), len(examples)))}

    def evaluate(self, folder: Path) -> dict[str, Any]:
        examples = self.examples("curate")
        trained: dict[str, list[tuple[Classifier, int]]] = {}
        for model in trained_models(self.run):
            classifier = load_classifier(self.run.folder("train") / model.folder)
            trained.setdefault(model.student, []).append((classifier, model.train_rows))
        with self.store("evaluate") as store:
            found = evaluate(
                self.experiment,
                self.task,
                trained,
                self.gold,
                self.model,
                store,
                learnt={"training texts": examples, "shots": shot_rows(self.task)},
                rows=examples,
                arms=self._arms(),
                anchors=self._anchors(),
                checkpoints=self.run.path / CHECKPOINTS,
                on_progress=self.on_progress,
                say=self.say,
            )
            usage = self.usage(store)
        write_json(folder / "scores.json", found.summary)
        write_jsonl(folder / "predictions.jsonl", prediction_rows(found.systems, self.gold.test))
        shutil.rmtree(self.run.path / CHECKPOINTS, ignore_errors=True)
        rows = len(self.gold.test)
        return {"accounting": asdict(Accounting(rows, rows)), "usage": usage}

    def _arms(self) -> dict[str, list[Example]]:
        """The rows of the rounds, where there are two."""
        control = self.run.folder("curate") / "control.jsonl"
        if not control.is_file():
            return {}
        rows = self.examples("curate")
        first = [row for row in rows if ROUND not in row.meta]
        ways = {"guided": [row for row in rows if ROUND in row.meta], "control": read_examples(control)}
        guided, control_rows = after_round(first, ways, seed=self.experiment.seed).values()
        arms = dict(zip(ARMS, (first, guided, control_rows), strict=True))
        return {name: arm for name, arm in arms.items() if len(arm) < len(rows) or name == "control"}

    def _anchors(self) -> list[list[Example]]:
        """The gold rows that each seed learnt from."""
        section, seed = self.experiment.train.anchor, self.experiment.seed
        seeds = range(self.experiment.train.seeds if section else 0)
        return [draw_anchor(self.gold.dev, section, seed=seed, number=n)[0] for n in seeds] if section else []

    def analyze(self, folder: Path) -> dict[str, Any]:
        examples = self.examples("curate")
        found = analyze(
            examples,
            {split: getattr(self.gold, split) for split in SPLITS},
            labels=self.task.label_names,
            seed=self.experiment.seed,
            settings=self.experiment.analyze,
            facts=facts_of(self),
            on_progress=self.on_progress,
        )
        write_json(folder / "analysis.json", {"yield": self._yields(), **found})
        return {"accounting": asdict(Accounting(len(examples), len(examples)))}

    def report(self, folder: Path) -> dict[str, Any]:
        write_report(report_data(self.run, self.experiment, self.task, self.gold.test), folder)
        return {}

    def _yields(self) -> dict[str, Any]:
        """Of each label the texts asked for, those left after curation, and their share."""
        asked, left = (self.run.done(stage) or {} for stage in ("generate", "curate"))
        counts = {
            label: (asked["by_label"][label]["requested"] + left["asked"][label], left["by_label"][label]["kept"])
            for label in self.task.label_names
        }
        return {label: {"requested": n, "kept": kept, "value": kept / n} for label, (n, kept) in counts.items()}
