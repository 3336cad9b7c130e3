"""KADG, knowledge-assisted data generation, as data (paper, section 3.2): what a task knows of its texts.

An attribute is a named list of values, one of which is drawn for each row: a word, a register, a length. Where its value
goes is data as well: a line of the system message, a line of the instruction, both, or a gap ``{name}`` in the task's own
templates. Beside attributes there are two other mechanisms: one more rule, and descriptions in place of the labels' names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from japagen.errors import did_you_mean
from japagen.yamlfile import is_file_name

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


def _possible(file: str) -> str:
    if not is_file_name(file):
        raise ValueError("cannot be the name of a file; check quotes and length")
    return file


FileName = Annotated[Text, AfterValidator(_possible)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=32)]

RULE, DESCRIPTIONS, WORD, RANDOM = "rule", "descriptions", "word", "random-"
_RESERVED = {
    "rule",
    "descriptions",
    "random",
    "meaning",
    "label",
    "id",
    "text",
    "text_pair",
    "value",
    "reason",
    "detail",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Attribute(_Strict):
    """One property of a text that is drawn for each row, in given shares.

    Attributes:
        values: value to its weight; a plain list gives all the same weight. Shares are kept in every part of a run.
        file: YAML file with such `values`, in place of them; `japagen words` writes one.
        system: line added to the system message, with the attribute's own gap.
        instruction: line added to the instruction, likewise.
        not_for: labels whose texts do not have it.
    """

    values: dict[Text, Weight] = Field(default_factory=dict)
    file: FileName | None = None
    system: Text | None = None
    instruction: Text | None = None
    not_for: tuple[Text, ...] = ()

    @field_validator("values", mode="before")
    @classmethod
    def _weights(cls, given: Any) -> Any:
        if isinstance(given, str) or not isinstance(given, Sequence | Mapping):
            return given
        if isinstance(given, Mapping) and isinstance(given.get("file"), str):
            raise ValueError("'file' stands in place of 'values', not in it: write file: NAME-words.yaml")
        for value in given:
            if isinstance(value, Sequence | Mapping) and not isinstance(value, str):
                raise ValueError("a list holds texts only; with weights write values: {配送: 3, 返品: 1}")
            if not isinstance(value, str) or not value.strip():
                raise ValueError(
                    f"the value {value!r} is no text: values must be texts; put it in quotes, or remove it"
                )
        if len({value.strip() for value in given}) != len(given):
            raise ValueError("a value is listed twice; for a larger share write it as 'value: weight'")
        return given if isinstance(given, Mapping) else dict.fromkeys(given, 1.0)

    @model_validator(mode="after")
    def _check(self) -> Attribute:
        if bool(self.values) == bool(self.file):
            raise ValueError("needs 'values', or a 'file' that holds them (one of the two)")
        return self


class Knowledge(_Strict):
    """What the task knows of its texts (see the module).

    Attributes:
        words: the attribute ``word`` in short, for templates that have a gap ``{word}``: a list, or word to weight.
        attributes: attributes by name.
        rule: one more line of the system message.
    """

    words: dict[Text, Weight] | None = None
    attributes: dict[AttributeName, Attribute] = Field(default_factory=dict)
    rule: Text | None = None

    _weights = field_validator("words", mode="before")(Attribute._weights.__func__)  # type: ignore[attr-defined]

    @model_validator(mode="after")
    def _check(self) -> Knowledge:
        if self.words is not None and WORD in self.attributes:
            raise ValueError("attributes.word: 'words' is the same in short; keep one of the two")
        if self.words is not None and not self.words:
            raise ValueError("words: the list is empty")
        for name in self.attributes:
            if name in _RESERVED:
                raise ValueError(f"attributes.{name}: this name has another meaning; choose another")
        if not (self.words or self.attributes or self.rule):
            raise ValueError("holds nothing: give words, attributes or a rule, or remove it")
        return self

    @property
    def all_attributes(self) -> dict[str, Attribute]:
        """The attributes by name, `words` among them."""
        return ({WORD: Attribute(values=self.words)} if self.words else {}) | self.attributes


@dataclass(frozen=True, slots=True)
class Mechanisms:
    """Which mechanisms of KADG an experiment uses.

    Attributes:
        attributes: names, in the task's order.
        random: those of them whose values are replaced by random nouns of the same length (the control).
        rule, descriptions: whether they are on.
    """

    attributes: tuple[str, ...] = ()
    random: tuple[str, ...] = ()
    rule: bool = False
    descriptions: bool = False


def mechanisms(
    asked: bool | str | Sequence[str], attributes: Collection[str], *, rule: bool, descriptions: bool
) -> Mechanisms:
    """What ``generate.kadg`` asks for, of what the task has.

    Args:
        asked: True is everything, False nothing; a name or names: attributes, ``rule``, ``descriptions``;
            ``random-word`` in a list is the control of the words; alone it is everything with random words.
        attributes: names of the task's attributes.
        rule: whether the task has one.
        descriptions: whether its labels have some.

    Raises:
        ValueError: a name that the task does not have.
    """
    everything = Mechanisms(tuple(attributes), (), rule, descriptions)
    if asked is True:
        return everything
    if asked is False or asked == ():
        return Mechanisms()
    names = [asked] if isinstance(asked, str) else list(asked)
    known = [*attributes, *([RULE] if rule else []), *([DESCRIPTIONS] if descriptions else [])]
    known += [RANDOM + name for name in attributes if name == WORD]
    for name in names:
        if name not in known:
            raise ValueError(f"the task has no '{name}'; {did_you_mean(name, known)}")
    random = tuple(name for name in attributes if RANDOM + name in names)
    if isinstance(asked, str) and random:
        return Mechanisms(everything.attributes, random, rule, descriptions)
    chosen = tuple(name for name in attributes if name in names or name in random)
    return Mechanisms(chosen, random, RULE in names, DESCRIPTIONS in names)


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as shares that sum to 1.

    >>> shares({"本": 3, "茶": 1})
    {'本': 0.75, '茶': 0.25}
    """
    total = sum(weights.values())
    return {value: weight / total for value, weight in weights.items()}
