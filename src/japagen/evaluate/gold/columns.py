"""Which columns of a file hold the gold rows of a task, where nobody said or not everything: by what is customary.

The task's own gold files come first, then the published sets, then names that are common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from japagen.errors import ConfigError, DataError, did_you_mean
from japagen.evaluate.gold.livedoor import PARTS, is_livedoor
from japagen.evaluate.gold.reading import check_plain, shortened
from japagen.goldfiles import Gold, GoldFile
from japagen.goldsets import PUBLISHED
from japagen.tables import column, read_rows
from japagen.task import Task

PAIRS = (("text", "text_pair"), ("sentence1", "sentence2"), ("premise", "hypothesis"), ("text1", "text2"))
SINGLES = ("text", "sentence")
LABELS = ("label", "score")
_IDS = ("id", "sentence_pair_id", "uid")
_SHOWN = 12


def find_columns(task: Task, file: Path, given: Mapping[str, str], labels: Mapping[str, str]) -> GoldFile:
    """A file as gold data of a task: with the columns that are given, and for the others those that are customary.

    Args:
        task: whose rows they are to be.
        file: a table, or livedoor's folder or archive.
        given: columns by what they hold: text, text_pair, label, id.
        labels: what the file calls a label, to the task's name of it.

    Raises:
        ConfigError: a label that is named is none of the task's.
        DataError: the file cannot be read or is empty, a column is missing, the columns suggest nothing, or there are labels
            that the task does not know.
    """
    for name in labels.values():
        if name not in task.labels:
            what, remedy = f"'{name}' is no label of task '{task.name}'", did_you_mean(name, task.label_names)
            raise ConfigError(what, where="--map", remedy=remedy)
    check_plain(file)
    named = {**given, "file": str(file.absolute())}
    if is_livedoor(file):
        for part in ("label", "id"):
            if part in given:
                what = f"the {part} of an article is its {'folder' if part == 'label' else 'file'}, not '{given[part]}'"
                raise ConfigError(what, where=file, remedy=f"leave out --{part}")
        usual = next(known for known in _known_files(task, file) if known.text in PARTS)
        texts = {} if "text" in given else {"text": usual.text, "max_chars": usual.max_chars}
        return GoldFile.model_validate({**texts, **named, "labels": labels})
    rows = read_rows(file)
    if not rows:
        raise DataError("the file holds no rows", where=file, remedy="give a file with at least one labelled row")
    for name in given.values():
        column(rows, name, file)
    header = list(rows[0])
    for usual in (*_known_files(task, file), *_customary(task)):
        missing = {"text", "label", *(["text_pair"] if task.is_pair else [])} - set(given)
        if all(getattr(usual, part) in header for part in missing) and set(usual.labels.values()) <= set(task.labels):
            columns = {part: getattr(usual, part) for part in missing}
            columns["id"] = next((name for name in (usual.id, *_IDS) if name in header), None)
            columns["labels"] = {**usual.labels, **labels}
            found = GoldFile.model_validate({**columns, "max_chars": usual.max_chars, **named})
            _check_labels(task, found, rows, file)
            return found
    pair = " --text-pair COLUMN" if task.is_pair else ""
    raise DataError(
        f"which columns hold the {'two texts' if pair else 'text'} and the label is unclear; "
        f"it has: {', '.join(header[:_SHOWN])}",
        where=file,
        remedy=f"name them: --text COLUMN{pair} --label COLUMN",
    )


def _known_files(task: Task, file: Path) -> Iterator[GoldFile]:
    """The task's own files, `file` itself before the others, then those of the published sets."""
    own = list(task.gold.files.values()) if task.gold else []
    yield from sorted(own, key=lambda known: task.path(known.file).absolute() != file.absolute())
    for published in PUBLISHED.values():
        yield from Gold.model_validate(published.name).files.values()


def _customary(task: Task) -> Iterator[GoldFile]:
    for label in LABELS:
        for first, second in PAIRS if task.is_pair else [(text, None) for text in SINGLES]:
            yield GoldFile(file="-", text=first, text_pair=second, label=label)


def _check_labels(task: Task, gold: GoldFile, rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Ask for what labels mean that the task does not have, and show all that the file has."""
    if task.kind == "similarity" or any(gold.label not in row for row in rows):
        return
    seen = Counter(column([dict(row) for row in rows], gold.label, file))
    unknown = [written for written in seen if not _is_known(written, {*task.label_names, *gold.labels})]
    if not unknown:
        return
    values = ", ".join(f"'{shortened(written)}' {count}" for written, count in seen.most_common(_SHOWN))
    more = f", and {len(seen) - _SHOWN} more" if len(seen) > _SHOWN else ""
    options = " ".join(f"--map '{shortened(written)}=LABEL'" for written in unknown[:_SHOWN])
    remedy = f"say what they mean: {options}, LABEL being one of {', '.join(task.label_names)}"
    if len(unknown) > _SHOWN:
        columns = ", ".join(list(rows[0])[:_SHOWN])
        remedy = f"is it the column of the texts? name the one of the labels: --label COLUMN; the file has {columns}"
    raise DataError(
        f"the column '{gold.label}' has labels that task '{task.name}' does not know; it has (rows): {values}{more}",
        where=file,
        remedy=remedy,
    )


def _is_known(written: str, names: Collection[str]) -> bool:
    """Whether a label is one of the names; columns with gaps turn the number 1 into 1.0."""
    return written in names or written.removesuffix(".0") in names
