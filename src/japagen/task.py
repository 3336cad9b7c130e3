"""A task as data: its labels and what they mean, the words of its prompts, KADG words, gold data and metric.

A task is a YAML file, one of those in ``japagen/tasks`` or a user's own. This module reads and checks it; how prompts are
put together is `generate.prompts`' affair.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from japagen.errors import ConfigError, did_you_mean
from japagen.yamlfile import read_model

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]


def _template(*placeholders: str) -> AfterValidator:
    def check(text: str) -> str:
        for name in _PLACEHOLDER.findall(text):
            if name not in placeholders:
                known = ", ".join(f"{{{p}}}" for p in placeholders)
                raise ValueError(f"unknown placeholder {{{name}}}; known here: {known}")
        return text

    return AfterValidator(check)


def fill(template: str, **values: str) -> str:
    """Put values into a template; braces inside a value are left alone.

    >>> fill("{word}の感想：", word="本")
    '本の感想：'
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group(0)), template)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shot(_Strict):
    """An example text of one label, written by a person; `word` is the KADG word it belongs to."""

    text: Text
    word: Text | None = None


class Label(_Strict):
    """A label: what it means, how to ask for it, what to call it when a model is asked, and example texts.

    Attributes:
        meaning: what texts of this label have in common, in Japanese.
        instruction: the user turn that asks a chat model for one text; `{word}` is the KADG word.
        instruction_without_word: the same where no word is used.
        heading: first line of the document that a base model continues; default: the task's own.
        verbalisation: what a model would answer for this label; its likelihood is measured.
        shots: example texts.
    """

    meaning: Text
    instruction: Annotated[Text, _template("word", "meaning")]
    instruction_without_word: Annotated[Text, _template("meaning")] | None = None
    heading: Annotated[Text, _template("meaning", "verbalisation")] | None = None
    verbalisation: Text
    shots: tuple[Shot, ...] = ()


class Document(_Strict):
    """How a base model is shown the task: as a text that it continues.

    Attributes:
        heading: the first line, `{meaning}` and `{verbalisation}` being the label's.
        lead: what stands before each text.
        lead_with_word: the same where the text has a KADG word, `{word}`.
    """

    heading: Annotated[Text, _template("meaning", "verbalisation")] = "{meaning}"
    lead: Annotated[Text, _template("verbalisation")] = "文："
    lead_with_word: Annotated[Text, _template("word", "verbalisation")] = "{word}についての文："


class Prompting(_Strict):
    """How a model is asked for the label of a text directly (the paper's PROMPTING baseline).

    Attributes:
        system: setting and rules, for chat models.
        heading: first line of the document, for base models.
        question: the turn that shows a text, `{text}`, and ends where the answer begins.
        content_free: a text without content, for calibration (Zhao et al. 2021).
    """

    system: Text
    heading: Text
    question: Annotated[Text, StringConstraints(pattern=r"\{text\}"), _template("text")]
    content_free: Text = "（本文なし）"


class GoldFile(_Strict):
    """A file of human-labelled rows: JSONL, CSV, TSV or Parquet, with the names of its columns."""

    file: Text
    text: Text = "text"
    label: Text = "label"
    id: Text | None = None


class Gold(_Strict):
    """Human-labelled data: `test` is what is measured on; few-shot training draws from `dev`."""

    dev: GoldFile | None = None
    test: GoldFile


class Knowledge(_Strict):
    """KADG (paper, section 3.2): words that steer what a text is about, one drawn per request."""

    words: tuple[Text, ...] = Field(min_length=1)


class Task(_Strict):
    """A task (see the module). `folder` is where relative file names start; it is set when a file is read."""

    name: Name
    kind: Literal["single"] = "single"
    title: Text
    description: Text
    metric: Literal["accuracy", "macro_f1", "mcc"] = "accuracy"
    max_chars: int = Field(default=200, ge=1, le=100_000)
    system: Text
    labels: dict[Name, Label] = Field(min_length=2)
    document: Document = Document()
    prompting: Prompting | None = None
    knowledge: Knowledge | None = None
    gold: Gold | None = None
    licence: str | None = None
    folder: Path | None = Field(default=None, exclude=True)

    @model_validator(mode="after")
    def _check(self) -> Task:
        verbal: dict[str, str] = {}
        for name, label in self.labels.items():
            if label.verbalisation in verbal:
                raise ValueError(f"labels '{verbal[label.verbalisation]}' and '{name}' have the same verbalisation")
            verbal[label.verbalisation] = name
            if "{word}" in label.instruction and label.instruction_without_word is None and self.knowledge is None:
                raise ValueError(f"label '{name}' asks with {{word}}, but the task has no knowledge.words")
            known = set(self.knowledge.words) if self.knowledge else set()
            for shot in label.shots:
                if shot.word and shot.word not in known:
                    raise ValueError(
                        f"a shot of label '{name}' has the word '{shot.word}', which is not among knowledge.words; "
                        + did_you_mean(shot.word, known)
                    )
        return self

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels, in the file's order."""
        return tuple(self.labels)

    @classmethod
    def load(cls, name: str | Path) -> Task:
        """A built-in task by name, or a task file by path.

        Raises:
            ConfigError: no such task, or its file says something that cannot be used.
        """
        path = Path(name)
        if path.suffix not in {".yaml", ".yml"}:
            known = built_in_tasks()
            if str(name) not in known:
                raise ConfigError(
                    f"no task is called '{name}'; {did_you_mean(str(name), known)}",
                    remedy="japagen tasks lists the built-in tasks; a file of your own ends in .yaml",
                )
            path = known[str(name)]
        task = read_model(cls, path)
        return task.model_copy(update={"folder": path.resolve().parent})

    def path(self, file: str) -> Path:
        """A file named in the task, relative to the task's own folder."""
        return (self.folder or Path()) / file


def built_in_tasks() -> dict[str, Path]:
    """Name and file of every built-in task."""
    folder = Path(str(resources.files("japagen"))) / "tasks"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}
