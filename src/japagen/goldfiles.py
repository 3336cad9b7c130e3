"""Gold data as a task or an experiment names them: files and their columns, what is held back, or a published set.

What stands in the files is no affair of this module; `evaluate.gold` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from japagen.cache import cache_folder
from japagen.errors import did_you_mean
from japagen.goldsets import PREFIX, PUBLISHED
from japagen.knowledge import FileName, Text

SPLITS = ("train", "dev", "test")

Share = Annotated[float, Field(gt=0, lt=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GoldFile(_Strict):
    """A file of human-labelled rows: JSONL, CSV, TSV or Parquet, with the names of its columns; or the livedoor corpus.

    Attributes:
        file: relative to the file that names it; ``published:NAME/FILE`` is a file of a fetched set (`japagen gold`).
        text: name of the column that holds the text, or the first of two; livedoor: ``title``, ``body`` or ``both``.
        text_pair: of the column that holds the second text; needed for pairs, and for pairs only.
        label: of the column that holds the label; for similarity the number; livedoor: always the article's folder.
        id: of the column that holds the rows' names; null: they are numbered; livedoor: always the article's file.
        labels: what the file calls a label, to the task's name of it, where they differ.
        max_chars: longer texts are cut there, in characters; null: texts are whole.
    """

    file: FileName
    text: Text = "text"
    text_pair: Text | None = None
    label: Text = "label"
    id: Text | None = None
    labels: dict[str, Text] = Field(default_factory=dict)
    max_chars: int | None = Field(default=None, ge=1)

    @field_validator("labels", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        """A label of the task may be called like a number, which YAML then reads as one."""
        if not isinstance(given, dict):
            return given
        return {str(key): str(value) if type(value) is int else value for key, value in given.items()}

    @field_validator("file")
    @classmethod
    def _known(cls, given: str) -> str:
        if given.startswith(PREFIX):
            published_place(given)
        return given

    def within(self, folder: Path) -> GoldFile:
        """The same file, found from anywhere: `folder` is where its name starts. Links keep their names and endings."""
        if self.file.startswith(PREFIX):
            return self
        return self.model_copy(update={"file": str((folder / self.file).absolute())})


class Split(_Strict):
    """Shares of rows that are held back: whole groups (one image, or a text in common), each label in its share.

    Attributes:
        dev: share held back as dev; null: none.
        test: share held back as test, out of `all`; null: none.
        seed: which rows; the same seed takes the same ones.
    """

    dev: Share | None = None
    test: Share | None = None
    seed: int = Field(default=0, ge=0, le=2**63 - 1)


class Gold(_Strict):
    """Human-labelled data: files, or the name of a published set (`japagen gold` lists them).

    Attributes:
        train: what the supervised baseline learns from.
        dev: what few-shot training draws from, and students may choose their settings on.
        test: what is measured on.
        all: one file for all three, of which `split` says what is dev and test; the rest is train.
        split: what is held back, out of `all`, or as dev out of `train`.
    """

    train: GoldFile | None = None
    dev: GoldFile | None = None
    test: GoldFile | None = None
    all: GoldFile | None = None
    split: Split | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if given not in PUBLISHED:
            own = Path(given).suffix != ""
            hint = f"a file of yours is written as test: {{file: {given}}}" if own else did_you_mean(given, PUBLISHED)
            raise ValueError(f"no published set is called '{given}'; {hint}")
        return PUBLISHED[given].gold

    @model_validator(mode="after")
    def _check(self) -> Gold:
        for path, problem in _problems(self):
            raise ValueError(f"{path}: {problem}")
        return self

    @property
    def files(self) -> dict[str, GoldFile]:
        """The files by what they are for: ``train``, ``dev``, ``test`` or ``all``."""
        named = {"train": self.train, "dev": self.dev, "test": self.test, "all": self.all}
        return {split: file for split, file in named.items() if file is not None}

    @property
    def has_train(self) -> bool:
        """Whether there are rows to train on."""
        return self.train is not None or self.all is not None

    @property
    def has_dev(self) -> bool:
        """Whether there are dev rows: a file of them, or a share that is held back."""
        return self.dev is not None or (self.split is not None and self.split.dev is not None)

    def within(self, folder: Path) -> Gold:
        """The same files, found from anywhere: `folder` is where their names start."""
        return self.model_copy(update={split: file.within(folder) for split, file in self.files.items()})


def published_place(file: str) -> Path:
    """Where a ``published:NAME/FILE`` is kept.

    Raises:
        ValueError: there is no such set, or no such file in it.
    """
    name, _, file_name = file.removeprefix(PREFIX).partition("/")
    if name not in PUBLISHED:
        raise ValueError(f"no published set is called '{name}'; {did_you_mean(name, PUBLISHED)}")
    known = [each.name for each in PUBLISHED[name].files]
    if file_name not in known:
        raise ValueError(f"'{name}' has no file '{file_name}'; {did_you_mean(file_name, known)}")
    return cache_folder() / "gold" / name / file_name


def _problems(gold: Gold) -> Iterator[tuple[str, str]]:
    """What cannot be used, with its place; the first is told."""
    split, shares = gold.split, gold.split or Split()
    if gold.all is not None:
        for name in SPLITS:
            if name in gold.files:
                yield name, "'all' holds every row; remove one of the two"
        if shares.test is None:
            yield "split" if split else "all", "'all' needs a share to measure on: split: {dev: 0.1, test: 0.2}"
    elif gold.test is None:
        what = "this key is needed: the rows to measure on"
        yield "test", what + (" (to split 'train', call it 'all')" if gold.train and shares.test else "")
    elif shares.test is not None:
        yield "split.test", "the test rows have a file of their own; remove this share"
    if split is not None and shares.dev is None and shares.test is None:
        yield "split", "holds nothing back; give a share: {dev: 0.1}"
    if shares.dev is not None and gold.dev is not None:
        yield "split.dev", "the dev rows have a file of their own; remove this share"
    if shares.dev is not None and not gold.has_train:
        yield "split.dev", "is taken out of the train rows, and there are none; name 'train' or 'all'"
    if (total := (shares.dev or 0) + (shares.test or 0)) >= 1:
        yield "split", f"dev and test are {total:g} of the rows, so none is left to train on; their sum must be below 1"
    seen: dict[str, str] = {}
    for name, file in gold.files.items():
        if file.file in seen:
            yield name, f"is the same file as {seen[file.file]}; rows that are measured on must be others"
        seen[file.file] = name
