"""The stage `curate` in a run: its steps in order, and what they tell.

    filters, duplicates, contamination   `curate.curate`
    topping up                           rows are asked for again, of the labels that have too few (`more`)
    second round                         rows after the example of a student's errors, and their control (`more`)
    judge, label noise                   rows whose label is doubted; they go only where that is right (`doubted`)
    sample                               of more rows than are needed, those that are spread as they should be

Files: ``examples.jsonl`` (rows to train on), ``dropped.jsonl``, ``failed.jsonl`` (asked for here, and never came),
``control.jsonl`` (control of a second round), ``more.jsonl`` (rows written here, as they came), ``curation.json`` (what each
step did).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from japagen.curate import MENDED, Rules, curate
from japagen.curate.contamination import one_text_rows
from japagen.curate.filters import REPAIRS
from japagen.curate.sampler import sample
from japagen.curate.steps import told_steps
from japagen.curate.target import even, of_texts, read_texts
from japagen.pipeline.bound import Bound
from japagen.pipeline.doubted import Doubted, judged, noisy, with_columns
from japagen.pipeline.more import CONTROL, ROUND_TWO, TopUp, Written, choose_guides, second_round, surplus, write_more
from japagen.pipeline.rows import account, as_dropped_row, as_row
from japagen.pipeline.rules import restored_drops, restored_ids, rules_of, target_file
from japagen.records import Accounting, Dropped, Example
from japagen.sections import SampleSection
from japagen.streams import stream_seed
from japagen.tables import write_json, write_jsonl


def curate_stage(bound: Bound, folder: Path) -> dict[str, Any]:
    """Curate the rows of the first stage, and write what came of it into the folder.

    Returns:
        the account of all rows, those asked for here included, and how many these are by label.
    """
    work = _Curation(bound, rules_of(bound.experiment, bound.task, bound.gold), frozenset(restored_ids(bound.run)))
    settings = bound.experiment.curate
    work.look_at([*bound.examples("generate"), *restored_drops(bound.run, tuple(work.restored))])
    if settings.top_up:
        work.top_up()
    if bound.experiment.rounds > 1:
        work.second_round()
    if settings.judge:
        work.doubt("judge", judged(bound, settings.judge, [*work.kept, *work.control], work.rows))
    if settings.noise:
        work.doubt("noise", noisy(bound, settings.noise, work.kept, work.control))
    if settings.sample:
        work.sample(settings.sample)
    return work.write(folder)


@dataclass(slots=True)
class _Curation:
    """Rows on their way: all that came in, those that stand, those that fell, and what the steps tell.

    Attributes:
        rows: as they were written; those of the control too.
        kept, control: rows that stand so far.
        dropped: rows that fell.
        more: what was asked for in this stage.
        told: by step.
    """

    bound: Bound
    rules: Rules
    restored: frozenset[str]
    rows: list[Example] = field(default_factory=list)
    kept: list[Example] = field(default_factory=list)
    control: list[Example] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    more: Written = field(default_factory=Written)
    told: dict[str, Any] = field(default_factory=dict)

    def look_at(self, rows: Sequence[Example]) -> None:
        """Filters, duplicates and contamination, of all rows of the first round."""
        self.rows = list(rows)
        self.kept, self.dropped = curate(
            self.rows, self.rules, restored=self.restored, on_progress=self.bound.on_progress
        )

    def top_up(self) -> None:
        """Ask for more until each label has enough; what is too much then goes."""
        settings = self.bound.experiment
        plan = TopUp(settings.generate.per_label, self.bound.task.label_names, settings.curate.top_up_factor)
        while rows_of := plan.missing(self.kept):
            found = write_more(self.bound, rows_of)
            self.more.add(found)
            self.look_at([*self.rows, *found.rows])
        self._drop(drop for drop in surplus(self.kept, plan.wanted) if drop.example.id not in self.restored)
        self.told["top_up"] = plan.told(self.kept)

    def second_round(self) -> None:
        """Rows after the example of the gold rows that a student got wrong, and as many after their control."""
        guides = choose_guides(self.bound, self.kept)
        settled, counts = list(self.kept), {}
        for name, found in second_round(self.bound, guides).items():
            self.more.add(found)
            self.rows += found.rows
            kept, dropped = curate(
                found.rows, self.rules, settled=settled, restored=self.restored, on_progress=self.bound.on_progress
            )
            (self.control if name == CONTROL else self.kept).extend(kept)
            self.dropped += dropped
            counts[name] = len(kept)
        self.told["round_2"] = {
            "student": self.bound.experiment.train.students[0],
            "wrong": guides.by_label,
            "guided": counts.get(ROUND_TWO, 0),
            "control": counts.get(CONTROL, 0),
            "sentence": guides.sentence if counts else f"{guides.sentence} No second round was written.",
        }

    def doubt(self, step: str, found: Doubted) -> None:
        """Take in what a judge or a student found."""
        self.kept, self.control = (with_columns(rows, found.columns) for rows in (self.kept, self.control))
        self._drop(drop for name, drop in found.dropped.items() if name not in self.restored)
        self.told[step] = found.told

    def sample(self, section: SampleSection) -> None:
        """Choose rows by what is wanted of them."""
        seed = stream_seed(self.bound.experiment.seed, "sample") % 2**32
        if section.target == "uniform":
            target = even(self.kept, section.by, topics=section.topics, seed=seed)
        else:
            texts = read_texts(target_file(self.bound.experiment, section.target))
            target = of_texts(texts, section.by, topics=section.topics, seed=seed)
        found = sample(self.kept, section.per_label, target=target, seed=seed)
        chosen = set(found.chosen)
        self._drop(
            Dropped(row, "not_sampled", "its kind of row is there often enough")
            for place, row in enumerate(list(self.kept))
            if place not in chosen and row.id not in self.restored
        )
        quotas = [asdict(quota) for quota in found.quotas]
        self.told["sample"] = {"of": found.of, "chosen": len(self.kept), "quotas": quotas, "sentence": found.sentence}

    def write(self, folder: Path) -> dict[str, Any]:
        """Write all files; the account of rows."""
        lost = [*self.dropped, *self.more.dropped]
        stand = [*self.kept, *self.control]
        task, failed = self.bound.task, self.more.failed
        total = len(self.rows) + len(self.more.dropped) + len(failed)
        write_jsonl(folder / "examples.jsonl", map(as_row, self.kept))
        write_jsonl(folder / "dropped.jsonl", map(as_dropped_row, lost))
        if self.control:
            write_jsonl(folder / "control.jsonl", map(as_row, self.control))
        if self.more.rows or lost[len(self.dropped) :] or failed:
            write_jsonl(folder / "more.jsonl", map(as_row, self.more.rows))
            write_jsonl(folder / "failed.jsonl", map(asdict, failed))
        write_json(folder / "curation.json", self._told())
        asked = Counter([row.label for row in self.rows] + [drop.example.label for drop in self.more.dropped])
        asked.update(one.label for one in failed)
        by_label = {
            label: account(asked[label], stand, lost, label, [one.reason for one in failed if one.label == label])
            for label in task.label_names
        }
        accounting = asdict(Accounting.count(total, stand, lost, [one.reason for one in failed]))
        usage = self._usage()
        more = Counter([row.label for row in self.more.rows] + [drop.example.label for drop in self.more.dropped])
        more.update(one.label for one in failed)
        asked_here = {label: more[label] for label in task.labels}
        return {"accounting": accounting, "by_label": by_label, "asked": asked_here, "usage": usage}

    def _drop(self, drops: Iterable[Dropped]) -> None:
        found = list(drops)
        gone = {drop.example.id for drop in found}
        self.dropped += found
        self.kept, self.control = ([row for row in rows if row.id not in gone] for rows in (self.kept, self.control))

    def _told(self) -> dict[str, Any]:
        task, rules = self.bound.task, self.rules
        mended = [(row.label, name) for row in self._mended() for name in str(row.meta[MENDED]).split(", ")]
        told: dict[str, Any] = {
            "steps": told_steps(rules, self.rows, self.dropped, task.label_names, self.told),
            "repairs": [
                {
                    "name": name,
                    "question": question,
                    "mended": {label: mended.count((label, name)) for label in task.labels},
                }
                for name, (question, _) in REPAIRS.items()
                if any(name == done for _, done in mended)
            ],
        }
        if rules.gold:
            told["contamination"] = {
                "against": {split: len(rows) for split, rows in rules.gold.items()},
                "dropped": sum(drop.reason == "contamination" for drop in self.dropped),
                "one_text": self._one_text() if task.is_pair else None,
            }
        return told | self.told

    def _mended(self) -> list[Example]:
        return [row for row in (*self.kept, *self.control) if MENDED in row.meta]

    def _usage(self) -> dict[str, Any]:
        """What asking for more has used: what is in the store of the first stage beyond what that stage told."""
        with self.bound.store("generate") as store:
            now = self.bound.usage(store)
        before = (self.bound.run.done("generate") or {}).get("usage", {})
        return {key: None if value is None else value - (before.get(key) or 0) for key, value in now.items()}

    def _one_text(self) -> int:
        """Kept pairs of which one text stands in the gold test rows."""
        test = self.rules.gold.get("test", ())
        return len(one_text_rows(self.kept, test, wording=self.rules.wording))
