"""The stage `curate` in a run: its steps in order, and what they tell.

    filters, duplicates, contamination   `curate.curate`
    judge, label noise                   rows whose label is doubted; they go only where that is right (`doubted`)
    topping up                           rows are asked for again, of the labels that have too few, and so on (`more`)
    second round                         rows after the example of a student's errors, and their control (`more`); labels are
                                         doubted once, after it
    sample                               of more rows than are needed, those that are spread as they should be

Files: ``examples.jsonl`` (rows to train on), ``dropped.jsonl``, ``failed.jsonl`` (asked for here, and never came),
``control.jsonl`` (control of a second round), ``more.jsonl`` (rows written here, as they came), ``curation.json`` (what each
step did).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from japagen.curate import MENDED, Rules, curate, mend
from japagen.curate.contamination import contaminated, one_text_rows
from japagen.curate.filters import REPAIRS, repairs
from japagen.curate.sampler import sample
from japagen.curate.steps import told_steps
from japagen.curate.target import even, of_texts, read_texts
from japagen.pipeline.bound import Bound
from japagen.pipeline.doubted import Doubted, judged, noisy, with_columns
from japagen.pipeline.more import (
    CONTROL,
    ROUND,
    ROUND_TWO,
    TopUp,
    Written,
    choose_guides,
    second_round,
    surplus,
    write_more,
)
from japagen.pipeline.rows import account, as_dropped_row, as_row
from japagen.pipeline.rules import RESTORED, lost_in_writing, restored_rows, rules_of, target_file, text_digest
from japagen.records import Accounting, Dropped, Example
from japagen.sections import SampleSection
from japagen.streams import stream_seed
from japagen.tables import write_json, write_jsonl

RESTORED_COLUMN = "restored"
"""Column of rows that a person wanted back: why they had been dropped."""


def curate_stage(bound: Bound, folder: Path) -> dict[str, Any]:
    """Curate the rows of the first stage, and write what came of it into the folder.

    Returns:
        the account of all rows, those asked for here included, and how many these are by label.
    """
    work = _Curation(bound, rules_of(bound.experiment, bound.task, bound.gold))
    settings = bound.experiment.curate
    work.settle(bound.examples("generate"))
    if settings.top_up:
        work.top_up()
    if bound.experiment.rounds > 1:
        work.second_round()
        work.doubt()
    if work.plan:
        work.told["top_up"] = work.plan.told([row for row in work.kept if ROUND not in row.meta])
    if settings.sample:
        work.sample(settings.sample)
    work.restore()
    for step, told in work.told.items():
        bound.say(f"{step.replace('_', ' ')}: {told['sentence']}")
    return work.write(folder)


@dataclass(slots=True)
class _Curation:
    """Rows on their way: all that came in, those that stand, those that fell, and what the steps tell.

    Attributes:
        rows: as they were written; those of the control too.
        kept, control: rows that stand so far.
        dropped: rows that fell.
        more: what was asked for in this stage.
        plan: of topping up.
        shown: gold rows that a second round was written after.
        told: by step.
    """

    bound: Bound
    rules: Rules
    rows: list[Example] = field(default_factory=list)
    kept: list[Example] = field(default_factory=list)
    control: list[Example] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    more: Written = field(default_factory=Written)
    plan: TopUp | None = None
    shown: tuple[Example, ...] = ()
    told: dict[str, Any] = field(default_factory=dict)

    def settle(self, rows: Sequence[Example]) -> None:
        """Filters, duplicates and contamination of all rows of the first round; judge and noise too, if it is the last."""
        self.rows = list(rows)
        self.kept, self.dropped = curate(self.rows, self.rules, on_progress=self.bound.on_progress)
        if self.bound.experiment.rounds == 1:
            self.doubt()

    def top_up(self) -> None:
        """Ask for more until each label has enough; what is too much then goes."""
        settings = self.bound.experiment
        plan = TopUp(settings.generate.per_label, self.bound.task.label_names, settings.curate.top_up_factor)
        while rows_of := plan.missing(self.kept):
            found = write_more(self.bound, rows_of)
            self.more.add(found)
            self.settle([*self.rows, *found.rows])
        self._drop(surplus(self.kept, plan.wanted))
        self.plan = plan

    def second_round(self) -> None:
        """Rows after the example of the gold rows that a student got wrong, and as many after their control."""
        first, task = self.bound.experiment.train.students[0], self.bound.task
        if missing := [label for label in task.label_names if all(row.label != label for row in self.kept)]:
            sentence = f"No row of label '{missing[0]}' is left to learn from. No second round was written."
            nothing = dict.fromkeys(task.label_names, 0)
            self.told["round_2"] = {
                "student": first, "wrong": nothing, "guides": nothing, "guided": 0, "control": 0, "sentence": sentence,
            }  # fmt: skip
            return
        guides = choose_guides(self.bound, self.kept)
        self.shown = (*guides.wrong, *guides.control)
        known = self.rules.known
        shots = [*known.shots, *((row.text, row.text_pair) for row in self.shown)]
        rules = replace(self.rules, known=replace(known, shots=shots))
        settled, counts = list(self.kept), {}
        for name, found in second_round(self.bound, guides).items():
            self.more.add(found)
            self.rows += found.rows
            kept, dropped = curate(found.rows, rules, settled=settled, on_progress=self.bound.on_progress)
            (self.control if name == CONTROL else self.kept).extend(kept)
            self.dropped += dropped
            counts[name] = len(kept)
        self.told["round_2"] = {
            "student": first,
            "wrong": guides.errors,
            "guides": guides.by_label,
            "guided": counts.get(ROUND_TWO, 0),
            "control": counts.get(CONTROL, 0),
            "sentence": guides.sentence if counts else f"{guides.sentence} No second round was written.",
        }

    def doubt(self) -> None:
        """Ask a judge and a student about the labels, where that is wanted."""
        settings = self.bound.experiment.curate
        if settings.judge:
            self._take("judge", judged(self.bound, settings.judge, [*self.kept, *self.control], self.rows))
        if settings.noise:
            self._take("noise", noisy(self.bound, settings.noise, self.kept, self.control, self.shown))

    def _take(self, step: str, found: Doubted) -> None:
        """Take in what one of them found."""
        self.kept, self.control = (with_columns(rows, found.columns) for rows in (self.kept, self.control))
        self._drop(found.dropped.values())
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
        rows = self.kept
        self._drop(Dropped(rows[place], *finding) for place, finding in found.findings().items())
        quotas = [asdict(quota) for quota in found.quotas]
        self.told["sample"] = {"of": found.of, "chosen": len(self.kept), "quotas": quotas, "sentence": found.sentence}

    def restore(self) -> None:
        """Bring back what a person wants, after all else: what is asked for does not depend on it.

        A row stays away where its text has changed since, or stands in the gold data.
        """
        wanted = restored_rows(self.bound.run)
        if not wanted:
            return
        earlier = lost_in_writing(self.bound.run)
        places = {drop.example.id: drop for drop in (*earlier, *self.dropped, *self.more.dropped)}
        found = [places[name] for name in wanted if name in places and _meant(places[name].example, wanted[name])]
        copies = contaminated([drop.example for drop in found], self.rules.gold, wording=self.rules.wording)
        back = {drop.example.id: drop for place, drop in enumerate(found) if place not in copies}
        for name in wanted:
            if name not in back:
                self.bound.say(
                    f"{RESTORED}: '{name}' cannot be kept: no such row with that text was dropped, or gold has it"
                )
        for drop in back.values():
            row = mend(drop.example, repairs(self.rules.limits))
            told = f"{drop.reason}, {drop.detail}" if drop.detail else drop.reason
            row = replace(row, meta={**row.meta, RESTORED_COLUMN: told})
            (self.control if row.id.startswith(f"{CONTROL}/") else self.kept).append(row)
        self.rows += [drop.example for drop in (*earlier, *self.more.dropped) if drop.example.id in back]
        self.dropped = [drop for drop in self.dropped if drop.example.id not in back]
        self.more.dropped = [drop for drop in self.more.dropped if drop.example.id not in back]

    def write(self, folder: Path) -> dict[str, Any]:
        """Write all files; the account of rows."""
        lost = [*self.dropped, *self.more.dropped]
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
        apart = [Dropped(row, CONTROL) for row in self.control]  # kept, but not to train on
        by_label = {
            label: account(
                asked[label], self.kept, [*lost, *apart], label, [one.reason for one in failed if one.label == label]
            )
            for label in task.label_names
        }
        accounting = asdict(Accounting.count(total, self.kept, [*lost, *apart], [one.reason for one in failed]))
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


def _meant(row: Example, wanted: str) -> bool:
    """Whether the row has the text that a person wanted back."""
    return bool(row.text.strip()) and wanted in ("", text_digest(row.text, row.text_pair))
