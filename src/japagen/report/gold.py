"""The human-labelled data of a run: its files, their licences, how they were split, which rows belong together.

Knows nothing of HTML.
"""

from __future__ import annotations

from typing import Any

from japagen.report.language import say, several
from japagen.report.words import JSON, count, finite, join, split_name, things_of

Row = dict[str, Any]


def gold_data(scores: JSON, *, file: bool = False) -> Row | None:
    """Files as rows, and the sentences beneath; None for a run that says nothing of its gold data.

    Of the analysis of a `file` nothing is said of splits, of which all are compared, nor of tests.
    """
    told = scores.get("gold")
    if not told or (file and not told.get("files")):
        return None
    if file:
        return {
            "files": [_file(one) for one in told["files"]],
            "splits": False,
            "sentences": [*_repeated(told), *_groups_of_file(told, scores)],
        }
    return {
        "files": [_file(one) for one in told.get("files") or ()],
        "splits": True,
        "sentences": [*_split(told), *_repeated(told), *_groups(told, scores)],
    }


def _file(one: JSON) -> Row:
    return {
        "split": split_name(str(one.get("split") or "")) or say("not said"),
        "file": str(one.get("file") or say("not named")),
        "rows": count(one.get("rows")),
        "licence": str(one.get("licence") or say("not stated")),
        "sha256": str(one.get("sha256") or "")[:12] or say("not known"),
    }


def _split(told: JSON) -> list[str]:
    split = told.get("split")
    if not split:
        return []
    shares = {name: finite(split.get(name)) for name in ("dev", "test")}
    parts = [
        say("{percent} % {split}", percent=f"{100 * part:g}", split=split_name(name))
        for name, part in shares.items()
        if part
    ]
    if not parts:
        return []
    told_parts, seed = join(parts), split.get("seed")
    if seed is None:
        return [
            say(
                "japagen split these rows itself: {parts}, the rest for training; groups of rows were kept whole.",
                parts=told_parts,
            )
        ]
    return [
        say(
            "japagen split these rows itself with seed {seed}: {parts}, the rest for training; groups of rows were "
            "kept whole.",
            seed=seed,
            parts=told_parts,
        )
    ]


def _repeated(told: JSON) -> list[str]:
    left_out = sum(int(finite(one.get("repeated")) or 0) for one in told.get("files") or ())
    if not left_out:
        return []
    return [
        several(
            left_out,
            "Left out: {n} row that repeats text and label of an earlier one.",
            "Left out: {n} rows that repeat text and label of an earlier one.",
        )
    ]


def _groups_of_file(told: JSON, scores: JSON) -> list[str]:
    groups, things = finite(told.get("groups")), things_of(scores)
    if not groups:
        return []
    return [
        say(
            "The gold {things} are about {groups} images. Those of one image are not independent: where it matters, one of "
            "each is compared.",
            things=things,
            groups=count(groups),
        )
    ]


def _groups(told: JSON, scores: JSON) -> list[str]:
    n, groups, things = finite(scores.get("n")), finite(told.get("groups")), things_of(scores)
    if not groups:
        return [
            say(
                "No groups are known among the test {things}: intervals and tests resample them one by one, as independent.",
                things=things,
            )
        ]
    many = count(groups)
    return [
        say(
            "The {n} test {things} belong to {groups} groups, such as those about one image. Those of one group are not "
            "independent, so intervals and tests are clustered: they resample whole groups.",
            n=count(n),
            things=things,
            groups=many,
        )
        if n
        else say(
            "The test {things} belong to {groups} groups, such as those about one image. Those of one group are not "
            "independent, so intervals and tests are clustered: they resample whole groups.",
            things=things,
            groups=many,
        )
    ]
