"""A task as data: its labels and what they mean, the words of its prompts, KADG, gold data and metric.

A task is a YAML file, one of those in ``japagen/tasks`` or a user's own, or a configuration of the paper's authors
(`upstream`). This module reads and checks it; how prompts are put together is `prompts`' affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from japagen.errors import ConfigError, did_you_mean
from japagen.goldfiles import Gold, GoldFile, Split, published_place
from japagen.goldsets import PREFIX
from japagen.knowledge import Attribute, Knowledge, Mechanisms, Text, Weight, mechanisms
from japagen.templates import gaps
from japagen.yamlfile import read_model

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Metric = Literal["accuracy", "macro_f1", "mcc", "spearman", "pearson"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Shot(_Strict):
    """An example of one label, written by a person.

    Attributes:
        text: the text, or the first of two.
        text_pair: the second text of a pair.
        word: the KADG word that it belongs to.
    """

    text: Text
    text_pair: Text | None = None
    word: Text | None = None


class Label(_Strict):
    """A label: what it means, how to ask for it, what to call it when a model is asked, and example texts.

    Attributes:
        meaning: what texts of this label have in common, in Japanese.
        description: says more than the label's name does; takes the name's place where KADG's descriptions are on.
        instruction: the user turn that asks a chat model for one text, or for the second of two; default: the task's.
        instruction_without_word: the same where an attribute that it names is not used.
        heading: first line of the document that a base model continues; default: the task's own.
        verbalisation: what a model would answer for this label; its likelihood is measured.
        value: the number that it stands for, for similarity; default: its name.
        shots: example texts.
    """

    meaning: Text
    description: Text | None = None
    instruction: Text | None = None
    instruction_without_word: Text | None = None
    heading: Text | None = None
    verbalisation: Text
    value: float | None = None
    shots: tuple[Shot, ...] = ()


class First(_Strict):
    """How the first sentence of a pair is asked for; it knows no label (paper, section 3.1).

    Attributes:
        instruction: the user turn of the first call.
        instruction_without_word: the same where an attribute that it names is not used.
        heading: first line of the document for a base model.
    """

    instruction: Text
    instruction_without_word: Text | None = None
    heading: Text | None = None


class Document(_Strict):
    """How a base model is shown the task: as a text that it continues.

    Attributes:
        heading: the first line, `{meaning}` and `{verbalisation}` being the label's.
        lead: what stands before each text (pairs: before the first).
        lead_with_word: the same where the text has a KADG word, `{word}`.
        lead_pair: what stands before the second text of a pair, `{text}` being the first.
    """

    heading: Text = "{meaning}"
    lead: Text = "文："
    lead_with_word: Text = "{word}についての文："
    lead_pair: Text = "文１：{text}　文２："


class Prompting(_Strict):
    """How a model is asked for the label of a text directly (the paper's PROMPTING baseline).

    Attributes:
        system: setting and rules, for chat models.
        heading: first line of the document, for base models.
        question: the turn that shows a text, `{text}` (and `{text_pair}`), and ends where the answer begins.
        content_free: a text without content, for calibration (Zhao et al. 2021).
    """

    system: Text
    heading: Text
    question: Text
    content_free: Text = "（本文なし）"


class Task(_Strict):
    """A task (see the module). `folder` is where relative file names start; it is set when a file is read.

    Attributes:
        name: of the task; reports and imported files are called after it.
        kind: ``single``: one text; ``pair``: two texts and a label; ``similarity``: two texts and a number.
        title: what the texts are, in a few words.
        description: what the task is about, in a sentence or two.
        metric: the task's own: systems are compared by it; spearman and pearson are for similarity.
        judges: what labels go by: the ``meaning`` of texts, or their ``wording`` (grammar), so that two texts which differ
            in politeness alone are two texts.
        max_chars: longest text, in characters.
        system: the system message: setting and rules.
        system_without_word: the same where an attribute that it names is not used.
        instruction, instruction_without_word: the labels' instruction, where they have none of their own.
        labels: the labels by name, in the order of reports.
        licence: of the examples and gold data.
    """

    name: Name
    kind: Literal["single", "pair", "similarity"] = "single"
    title: Text
    description: Text
    metric: Metric = "accuracy"
    judges: Literal["meaning", "wording"] = "meaning"
    max_chars: int = Field(default=200, ge=1, le=100_000)
    system: Text
    system_without_word: Text | None = None
    first: First | None = None
    instruction: Text | None = None
    instruction_without_word: Text | None = None
    labels: dict[Name, Label] = Field(min_length=2)
    document: Document = Document()
    prompting: Prompting | None = None
    knowledge: Knowledge | None = None
    gold: Gold | None = None
    licence: str | None = None
    folder: Path | None = Field(default=None, exclude=True)

    @field_validator("labels", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {str(key): value for key, value in given.items()} if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _check(self) -> Task:
        for path, problem in _problems(self):
            raise ValueError(f"{path}: {problem}")
        return self

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels, in the file's order."""
        return tuple(self.labels)

    @property
    def is_pair(self) -> bool:
        """Whether a row has two texts."""
        return self.kind != "single"

    @property
    def attributes(self) -> dict[str, Attribute]:
        """KADG attributes by name."""
        return self.knowledge.all_attributes if self.knowledge else {}

    def instructions(self, label: str) -> tuple[str, str | None]:
        """The template that asks for a text of a label, and the one in its place where an attribute is not used."""
        own = self.labels[label]
        if own.instruction is not None:
            return own.instruction, own.instruction_without_word
        return self.instruction or "", own.instruction_without_word or self.instruction_without_word

    def value(self, label: str) -> float | None:
        """The number that a label stands for; None but for similarity."""
        if self.kind != "similarity":
            return None
        given = self.labels[label].value
        return float(label) if given is None else given

    def mechanisms(self, kadg: bool | str | Sequence[str]) -> Mechanisms:
        """What of KADG an experiment uses; `kadg` is its ``generate.kadg``.

        Raises:
            ConfigError: the task has no such mechanism, or cannot be asked for without one.
        """
        described = any(label.description for label in self.labels.values())
        rule = self.knowledge is not None and self.knowledge.rule is not None
        try:
            chosen = mechanisms(kadg, list(self.attributes), rule=rule, descriptions=described)
        except ValueError as error:
            remedy = "name what the task has, or use true or false"
            raise ConfigError(str(error), where=f"generate.kadg, task '{self.name}'", remedy=remedy) from error
        for path, template, without, exempt in _asking(self):
            missing = [name for name in gaps(template) if name in self.attributes and name not in chosen.attributes]
            missing = missing or exempt
            if missing and without is None:
                raise ConfigError(
                    f"{path} has a gap for '{missing[0]}', which is not used",
                    where=f"generate.kadg, task '{self.name}'",
                    remedy=f"add {path}_without_word to the task, or use that part of KADG",
                )
        return chosen

    @classmethod
    def load(cls, name: str | Path) -> Task:
        """A built-in task by name, a task file by path, or a configuration of the paper's authors (``.json``).

        Raises:
            ConfigError: no such task, or its file says something that cannot be used.
        """
        path = Path(name)
        if path.suffix == ".json":
            from japagen.upstream import read_upstream

            return read_upstream(path)
        if path.suffix not in {".yaml", ".yml"}:
            known = built_in_tasks()
            if str(name) not in known:
                raise ConfigError(
                    f"no task is called '{name}'; {did_you_mean(str(name), known)}",
                    remedy="japagen tasks lists the built-in tasks; a file of your own ends in .yaml",
                )
            path = known[str(name)]
        task = read_model(cls, path).model_copy(update={"folder": path.resolve().parent})
        return _with_word_files(task)

    def path(self, file: str) -> Path:
        """A file named in the task, relative to the task's own folder; a published one is in the user's cache."""
        return published_place(file) if file.startswith(PREFIX) else (self.folder or Path()) / file


def _asking(task: Task) -> Iterator[tuple[str, str, str | None, list[str]]]:
    """Path, template, what stands in for it, and attributes that are never there, of all that asks for a text."""
    yield "system", task.system, task.system_without_word, []
    if task.first:
        yield "first.instruction", task.first.instruction, task.first.instruction_without_word, []
    for name in task.labels:
        template, without = task.instructions(name)
        absent = [a for a in gaps(template) if a in task.attributes and name in task.attributes[a].not_for]
        yield f"labels.{name}.instruction", template, without, absent


def _problems(task: Task) -> Iterator[tuple[str, str]]:
    """What cannot be used, with its place; the first is told."""
    attributes = list(task.attributes)
    texts: list[tuple[str, str | None, list[str]]] = [
        ("system", task.system, attributes),
        ("system_without_word", task.system_without_word, []),
        ("instruction", task.instruction, ["meaning", "label", *attributes]),
        ("instruction_without_word", task.instruction_without_word, ["meaning", "label"]),
        ("document.heading", task.document.heading, ["meaning", "verbalisation"]),
        ("document.lead", task.document.lead, ["verbalisation"]),
        ("document.lead_with_word", task.document.lead_with_word, ["word", "verbalisation"]),
        ("document.lead_pair", task.document.lead_pair, ["text", "verbalisation"]),
    ]
    if task.first:
        texts += [
            ("first.instruction", task.first.instruction, attributes),
            ("first.instruction_without_word", task.first.instruction_without_word, []),
            ("first.heading", task.first.heading, []),
        ]
    if task.prompting:
        texts += [("prompting.question", task.prompting.question, ["text", *(["text_pair"] if task.is_pair else [])])]
    for name, attribute in (task.knowledge.attributes if task.knowledge else {}).items():
        texts += [
            (f"knowledge.attributes.{name}.{part}", getattr(attribute, part), [name])
            for part in ("system", "instruction")
        ]
    for name, label in task.labels.items():
        texts += [
            (f"labels.{name}.instruction", label.instruction, ["meaning", "label", *attributes]),
            (f"labels.{name}.instruction_without_word", label.instruction_without_word, ["meaning", "label"]),
            (f"labels.{name}.heading", label.heading, ["meaning", "verbalisation"]),
        ]
    for path, template, known in texts:
        for gap in gaps(template or ""):
            if gap not in known:
                if gap == "word" and not task.attributes:
                    yield path, "has a gap {word}, but the task has no knowledge.words; add: knowledge: {words: [...]}"
                listed = ", ".join(f"{{{k}}}" for k in known) or "none"
                hint = " (write {{ and }} for braces that are meant)"
                yield path, f"unknown placeholder {{{gap}}}; known here: {listed}{hint}"
    if task.is_pair != (task.first is not None):
        what = "is needed: how the first sentence is asked for" if task.is_pair else "is for pairs; this kind is single"
        yield "first", what
    if task.prompting:
        for gap in ("text", *(["text_pair"] if task.is_pair else [])):
            if gap not in gaps(task.prompting.question):
                yield "prompting.question", f"must show the text: {{{gap}}} is missing"
    numeric = task.metric in ("spearman", "pearson")
    if numeric != (task.kind == "similarity"):
        fitting = "spearman or pearson" if task.kind == "similarity" else "accuracy, macro_f1 or mcc"
        yield "metric", f"'{task.metric}' does not fit kind '{task.kind}'; use {fitting}"
    for name, attribute in (task.knowledge.attributes if task.knowledge else {}).items():
        for named in attribute.not_for:
            if named not in task.labels:
                yield f"knowledge.attributes.{name}.not_for", f"no label '{named}'; {did_you_mean(named, task.labels)}"
        if set(attribute.not_for) == set(task.labels):
            yield f"knowledge.attributes.{name}.not_for", "names every label, so nothing is left; remove the attribute"
    numbers = [task.value(name) for name in task.labels if _is_number(task, name)]
    if task.kind == "similarity" and len(numbers) == len(task.labels) and len(set(numbers)) == 1:
        yield "labels", "all stand for the same number; give each a 'value' of its own"
    yield from _label_problems(task)


def _label_problems(task: Task) -> Iterator[tuple[str, str]]:
    verbal: dict[str, str] = {}
    words = task.attributes.get("word")
    for name, label in task.labels.items():
        here = f"labels.{name}"
        if label.verbalisation in verbal:
            yield here, f"has the same verbalisation as label '{verbal[label.verbalisation]}'"
        verbal[label.verbalisation] = name
        if label.instruction is None and task.instruction is None:
            yield here, "needs an 'instruction', or the task one for all labels"
        if task.kind == "similarity" and not _is_number(task, name):
            yield here, "needs a 'value', the number that it stands for"
        for shot in label.shots:
            shown = shot.text if len(shot.text) <= 20 else f"{shot.text[:20]}…"
            if task.is_pair != (shot.text_pair is not None):
                yield here, f"the shot '{shown}' " + ("needs a 'text_pair'" if task.is_pair else "has a second text")
            if shot.word and words and words.values and shot.word not in words.values:
                yield (
                    here,
                    (
                        f"a shot of label '{name}' has the word '{shot.word}', which is not among knowledge.words; "
                        + did_you_mean(shot.word, words.values)
                    ),
                )


def _is_number(task: Task, label: str) -> bool:
    """Whether a label has a value, or a plain decimal number as its name."""
    return task.labels[label].value is not None or re.fullmatch(r"[0-9]+(\.[0-9]+)?", label) is not None


class _WordFile(_Strict):
    """What `japagen words` writes."""

    values: dict[Text, Weight] = Field(min_length=1)

    _weights = field_validator("values", mode="before")(Attribute._weights.__func__)  # type: ignore[attr-defined]


def _with_word_files(task: Task) -> Task:
    """The task with the values of attributes that stand in files of their own."""
    if task.knowledge is None:
        return task
    found = {}
    for name, attribute in task.knowledge.attributes.items():
        if attribute.file:
            file = task.path(attribute.file)
            try:
                values = read_model(_WordFile, file).values
            except ConfigError as error:
                remedy = "write 'values:' with one 'word: weight' per line; see: japagen words --help"
                raise ConfigError(error.what, where=error.where, remedy=remedy) from error
            found[name] = attribute.model_copy(update={"values": values, "file": None})
    knowledge = task.knowledge.model_copy(update={"attributes": task.knowledge.attributes | found})
    return task.model_copy(update={"knowledge": knowledge})


def built_in_tasks() -> dict[str, Path]:
    """Name and file of every built-in task."""
    folder = Path(str(resources.files("japagen"))) / "tasks"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


__all__ = [
    "Document",
    "First",
    "Gold",
    "GoldFile",
    "Label",
    "Metric",
    "Name",
    "Prompting",
    "Shot",
    "Split",
    "Task",
    "built_in_tasks",
]
