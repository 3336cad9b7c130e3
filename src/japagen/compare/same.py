"""Only what can be compared is: runs of a task with other test rows, other gold labels or another metric are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from japagen.compare.finished import JSON, Finished
from japagen.errors import RunError

_ASPECTS: dict[str, Callable[[Finished], Any]] = {
    "kind": lambda run: run.kind,
    "metric": lambda run: run.metric,
    "labels": lambda run: ", ".join(run.label_names),
}


def check_same(runs: Sequence[Finished]) -> None:
    """Compare the runs of one task with the first of them.

    Raises:
        RunError: two of them differ in what they were measured on or by; both are named, and what differs.
    """
    first, *others = runs
    for other in others:
        if told := _difference(first, other):
            raise RunError(
                f"runs '{first.name}' and '{other.name}' of task '{first.task}' cannot be compared: {told}",
                where=other.folder,
                remedy="compare runs that were measured on the same gold data; leave one of the two out",
            )


def _difference(a: Finished, b: Finished) -> str:
    """What differs, in words; empty where nothing does."""
    for name, of in _ASPECTS.items():
        if of(a) != of(b):
            return f"the {name} is '{of(a)}' in the one and '{of(b)}' in the other"
    if a.ids != b.ids:
        return _other_rows(a, b)
    for identifier, x, y in zip(a.ids, a.gold, b.gold, strict=True):
        if x != y:
            return f"row '{identifier}' has the gold label '{x}' in the one and '{y}' in the other"
    if a.gold_values != b.gold_values:
        return "the gold numbers of their test rows differ"
    if a.groups != b.groups:
        return "their test rows are grouped differently"
    if a.rows_digest and b.rows_digest and a.rows_digest != b.rows_digest:
        return f"the texts of their test rows differ{_files(a, b)}"
    if (a.rows_digest is None or b.rows_digest is None) and (told := _files(a, b)):
        return f"their test rows come from different files{told}"
    return ""


def _other_rows(a: Finished, b: Finished) -> str:
    mine, theirs = set(a.ids), set(b.ids)
    if mine == theirs:
        return "their test rows stand in another order"
    counts = f"{len(a.ids):,} test rows in the one and {len(b.ids):,} in the other"
    for run, only in ((a, mine - theirs), (b, theirs - mine)):
        if only:
            counts += f"; '{min(only)}' is only in '{run.name}'"
    return counts


def _files(a: Finished, b: Finished) -> str:
    """The files of the test rows with their checksums, where both are known and differ; else empty."""
    one, other = (_test_files(run.scores) for run in (a, b))
    if not one or not other or [sha for _, sha in one] == [sha for _, sha in other]:
        return ""
    shown = [", ".join(f"{name} {sha[:12]}" for name, sha in files) for files in (one, other)]
    return f" (SHA-256 {shown[0]} and {shown[1]})"


def _test_files(scores: JSON) -> list[tuple[str, str]]:
    files = (scores.get("gold") or {}).get("files") or ()
    return [(str(f["file"]), str(f["sha256"])) for f in files if f.get("split") in ("test", "all") and f.get("sha256")]
