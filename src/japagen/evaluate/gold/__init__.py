"""Gold data: human-labelled rows, read from the files that a task names. Never generated, never changed.

``livedoor`` reads the news corpus, ``splits`` holds rows back where one file is all there is, ``published`` and ``fetch``
keep the sets that are published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from japagen.evaluate.gold.leakage import check_splits
from japagen.evaluate.gold.livedoor import articles_digest
from japagen.evaluate.gold.published import licence_of
from japagen.evaluate.gold.reading import load_gold, nearest_label
from japagen.evaluate.gold.splits import first_of_each, split_rows
from japagen.goldfiles import Split
from japagen.groups import IMAGE, image_groups, split_groups, text_groups
from japagen.records import Example
from japagen.tables import file_digest
from japagen.task import Task


@dataclass(frozen=True, slots=True)
class GoldSource:
    """A file that gold rows are from.

    Attributes:
        split: ``train``, ``dev``, ``test`` or ``all``.
        file: its name, without its folder.
        sha256: of the file (hex); of a folder that of the articles in it.
        rows: how many were read, without the repeated ones.
        licence: of the data, where it is known.
        repeated: rows left out because they repeat text and label of an earlier one (of ``all`` only).
    """

    split: str
    file: str
    sha256: str
    rows: int
    licence: str | None = None
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class GoldData:
    """All gold rows of a task, by what they are for, and where they are from.

    Ids are unique within a file, not over files: JGLUE numbers the rows of its train and valid both from 0.

    Attributes:
        train, dev, test: the rows; empty where there are none.
        files: where they are from.
        split: what was held back, where that was asked for.
    """

    train: list[Example] = field(default_factory=list)
    dev: list[Example] = field(default_factory=list)
    test: list[Example] = field(default_factory=list)
    files: tuple[GoldSource, ...] = ()
    split: Split | None = None


def load_gold_data(task: Task) -> GoldData:
    """All splits of a task's gold data; empty where it has none.

    Rows are held back in groups: those that share an image or a text. Rows of ``all`` that repeat another are left out;
    of ``train`` none is.

    Raises:
        ConfigError, DataError: what `load_gold`, `splits.split_rows` or `leakage.check_splits` refuses.
    """
    gold = task.gold
    if gold is None:
        return GoldData()
    read = {name: load_gold(task, file) for name, file in gold.files.items()}
    held_back, repeated = {}, 0
    if gold.split is not None:
        whole = "train" if gold.all is None else "all"
        rows = read[whole]
        if gold.all is not None:
            kept = first_of_each(rows, text_groups(rows))
            repeated = len(rows) - len(kept)
            read[whole] = rows = [rows[place] for place in kept]
        shares = {name: share for name in ("dev", "test") if (share := getattr(gold.split, name)) is not None}
        where = task.path(gold.files[whole].file)
        held_back = split_rows(rows, split_groups(rows), shares, seed=gold.split.seed, where=where)
    sources = tuple(
        _source(name, task.path(file.file), len(read[name]), repeated if name == "all" else 0)
        for name, file in gold.files.items()
    )
    parts = {name: read.get(name, []) for name in ("train", "dev", "test")} | held_back
    data = GoldData(**parts, files=sources, split=gold.split)
    check_splits(data)
    return data


def _source(split: str, path: Path, rows: int, repeated: int) -> GoldSource:
    sha256 = articles_digest(path) if path.is_dir() else file_digest(path)
    return GoldSource(split, path.name, sha256, rows, licence_of(path, sha256), repeated)


__all__ = [
    "IMAGE",
    "GoldData",
    "GoldSource",
    "first_of_each",
    "image_groups",
    "load_gold",
    "load_gold_data",
    "nearest_label",
    "split_rows",
]
