"""The human-labelled data of a run: its files, their licences, how they were split, which rows belong together.

Knows nothing of HTML.
"""

from __future__ import annotations

from typing import Any

from japagen.report.words import JSON, count, finite, join, things_of

Row = dict[str, Any]


def gold_data(scores: JSON) -> Row | None:
    """Files as rows, and the sentences beneath; None for a run that says nothing of its gold data."""
    told = scores.get("gold")
    if not told:
        return None
    return {
        "files": [_file(one) for one in told.get("files") or ()],
        "sentences": [*_split(told), *_repeated(told), *_groups(told, scores)],
    }


def _file(one: JSON) -> Row:
    return {
        "split": str(one.get("split") or "not said"),
        "file": str(one.get("file") or "not named"),
        "rows": count(one.get("rows")),
        "licence": str(one.get("licence") or "not stated"),
        "sha256": str(one.get("sha256") or "")[:12] or "not known",
    }


def _split(told: JSON) -> list[str]:
    split = told.get("split")
    if not split:
        return []
    shares = {name: finite(split.get(name)) for name in ("dev", "test")}
    parts = [f"{100 * part:g} % {name}" for name, part in shares.items() if part]
    if not parts:
        return []
    seed = f" with seed {split['seed']}" if split.get("seed") is not None else ""
    return [
        f"japagen split these rows itself{seed}: {join(parts)}, the rest for training; groups of rows were kept whole."
    ]


def _repeated(told: JSON) -> list[str]:
    left_out = sum(int(finite(one.get("repeated")) or 0) for one in told.get("files") or ())
    if not left_out:
        return []
    rows = "1 row that repeats" if left_out == 1 else f"{count(left_out)} rows that repeat"
    return [f"Left out: {rows} text and label of an earlier one."]


def _groups(told: JSON, scores: JSON) -> list[str]:
    n, groups, things = finite(scores.get("n")), finite(told.get("groups")), things_of(scores)
    if groups:
        rows = f"The {count(n)} test {things} belong" if n else f"The test {things} belong"
        return [
            f"{rows} to {count(groups)} groups, such as those about one image. Those of one group are not independent, so "
            "intervals and tests are clustered: they resample whole groups."
        ]
    return [
        f"No groups are known among the test {things}: intervals and tests resample them one by one, as independent."
    ]
