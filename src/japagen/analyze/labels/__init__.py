"""Label correctness: how many labels of synthetic rows are right, as an oracle that learnt from gold says, the LLM judge of
curation, and people; by label and by KADG value, and how far they agree.

No source is the truth but people. The oracle errs, which is reckoned out of its shares (`correctness`), but not out of its
verdicts on single rows, which is why words are compared with one another and not read by themselves. Where a task's labels
are steps of a number, the oracle knows no right or wrong, and its rank correlation with the numbers is told instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import combinations
from typing import Any

from japagen.analyze.labels.oracle import Oracle, ask_oracle
from japagen.analyze.labels.shares import RESAMPLES, agreement
from japagen.analyze.labels.verdicts import LOW, agrees, by_value, shares
from japagen.errors import DataError
from japagen.metrics import Undefined, codes
from japagen.progress import Listener, Progress, silent
from japagen.records import Example
from japagen.student import Student


def label_correctness(
    rows: Sequence[Example],
    gold: Mapping[str, Sequence[Example]],
    labels: Sequence[str],
    *,
    student: Student | None,
    name: str | None,
    seed: int,
    attributes: Sequence[str] = ("word",),
    values: Mapping[str, float] | None = None,
    judged: Mapping[str, Any] | None = None,
    people: Mapping[str, bool] | None = None,
    on_progress: Listener = silent,
) -> dict[str, Any]:
    """How many labels are right, as values that JSON can hold.

    Args:
        rows: synthetic ones, as curated; what the judge said is in their meta, ``judge_label``.
        gold: human-labelled rows by set, in the order in which sets are opened: ``train``, ``dev``, ``test``.
        labels: the task's, in its order.
        student: the oracle, learns from gold; None: there is none.
        name: of the oracle.
        seed: of all draws.
        attributes: keys of meta to look at value by value; those that no row has are left out.
        values: the number that each label stands for, of a similarity task; else None.
        judged: what curation told of its judge (``judge`` of ``curation.json``), if it had one.
        people: whether a person calls the label right, by row; rows that are not among `rows` do not count.
        on_progress: told before and after each source.

    Returns:
        kind: "labels", or "numbers" where they stand for numbers.
        rows: how many there are. low: the share below which a label alarms.
        oracle: None without a student or gold; {"undefined": why} where it has no value; else
            student, gold_rows (by set), gold_enough (as many as `enough`), asked (rows), in_gold (rows left out because
            gold holds their text), signature, and of labels
                student_accuracy; weak: whether that is too little to rely on; overall: raw, corrected, low, high;
                by_label: the same with rows and alarm
            or of numbers
                correlation, ceiling: value, low, high of the rank correlation with the given numbers, and on gold rows that
                it had not seen with theirs; alarm: the former may be 0 or less; by_label: rows, mean, low, high of what it
                says under each given label, and gold_rows, gold_mean under each gold label.
        judge: None, {"undefined": why}, or llm, rows, overall, by_label, unseen (`verdicts.shares`), unread, applied,
            before (share of the rows that it read which it agreed with before any was dropped; None if not told), audit
            (what rows labelled by people say of it; None if none were), audit_sentence, signature.
        people: None, {"undefined": why}, or rows, overall, by_label, unseen, elsewhere (verdicts on other rows), signature.
        attributes: by attribute and source ("oracle", "judge", "people"), see `verdicts.by_value`.
        agreement: for each two sources that share rows: between, both, first, second, neither, value, low, high, kappa,
            kappa_low, kappa_high, signature.

    Raises:
        Undefined: there are no rows, or one has an unknown label.
        DataError: two rows have the same id.
    """
    if not rows:
        raise Undefined("no synthetic rows")
    codes([row.label for row in rows], labels)
    if len({row.id for row in rows}) < len(rows):
        raise DataError("two rows have the same id", where="analyze", remedy="give each row an id of its own")
    with _step("oracle", on_progress):
        oracle: dict[str, Any] | None = None
        oracles: dict[str, bool] = {}
        if student is not None:
            who = Oracle(student, str(name), gold, labels, values)
            oracle, oracles = ask_oracle(who, rows, beside=people or (), seed=seed)
    with _step("verdicts", on_progress):
        judge, judges = _judge(rows, labels, values, judged)
        persons, peoples = _people(rows, labels, people)
    found = {"oracle": oracles, "judge": judges, "people": peoples}
    trusted = {"oracle": not (oracle or {}).get("weak")}
    by_attribute = {}
    for attribute in attributes:
        told = {who: by_value(rows, right, attribute, alarms=trusted.get(who, True)) for who, right in found.items()}
        if any(told.values()):
            by_attribute[attribute] = {who: one for who, one in told.items() if one}
    return {
        "kind": "labels" if values is None else "numbers",
        "rows": len(rows),
        "low": LOW,
        "oracle": oracle,
        "judge": judge,
        "people": persons,
        "attributes": by_attribute,
        "agreement": _agreements(found, seed),
    }


Told = tuple[dict[str, Any] | None, dict[str, bool]]
"""What one source says as JSON, and its verdict on each row."""


def _judge(
    rows: Sequence[Example],
    labels: Sequence[str],
    values: Mapping[str, float] | None,
    judged: Mapping[str, Any] | None,
) -> Told:
    asked = [row for row in rows if "judge_label" in row.meta]
    if not asked:
        return None, {}
    right = {
        row.id: agrees(row.label, str(row.meta["judge_label"]), values)
        for row in asked
        if row.meta["judge_label"] is not None
    }
    about = judged or {}
    llm = about.get("llm")
    before = None
    if about:
        read = about["rows"] - about["unread"]
        before = {"rows": read, "value": 1 - sum(about["doubted"].values()) / read} if read else None
    told: dict[str, Any] = {
        "llm": llm,
        "unread": len(asked) - len(right),
        "applied": bool(about.get("applied")),
        "before": before,
        "audit": about.get("independence"),
        "audit_sentence": about.get("sentence"),
    }
    try:
        found = shares(rows, right, labels, alarms=False)
    except Undefined:
        return told | {"undefined": f"none of the {len(asked)} verdicts could be read"}, {}
    named = llm or "judge"
    return told | found | {"signature": f"judge-agreement ({named}, {found['rows']} rows, {_counted(values)})"}, right


def _people(rows: Sequence[Example], labels: Sequence[str], people: Mapping[str, bool] | None) -> Told:
    if people is None:
        return None, {}
    here = {row.id for row in rows}
    right = {name: verdict for name, verdict in people.items() if name in here}
    elsewhere = len(people) - len(right)
    try:
        found = shares(rows, right, labels, alarms=True)
    except Undefined:
        return {"elsewhere": elsewhere, "undefined": "people have looked at none of these rows"}, {}
    signature = f"human-correctness ({found['rows']} of {len(rows)} rows, labels by their rows, Wilson and MOVER)"
    return {**found, "elsewhere": elsewhere, "signature": signature}, right


def _counted(values: Mapping[str, float] | None) -> str:
    near = "" if values is None else "the next step counts as the same, "
    return f"{near}labels by their rows, Wilson and MOVER"


def _agreements(found: Mapping[str, Mapping[str, bool]], seed: int) -> list[dict[str, Any]]:
    told = []
    for first, second in combinations(found, 2):
        try:
            one = agreement(found[first], found[second], seed=seed)
        except Undefined:
            continue
        rows = one.both + one.first + one.second + one.neither
        signature = (
            f"agreement ({first} and {second}, {rows} rows, Wilson, kappa by {RESAMPLES} resamples, seed {seed})"
        )
        told.append({"between": [first, second], "rows": rows, **asdict(one), "signature": signature})
    return told


@contextmanager
def _step(item: str, on_progress: Listener) -> Iterator[None]:
    on_progress(Progress("analyze", item, done=0, total=1))
    yield
    on_progress(Progress("analyze", item, done=1, total=1))
