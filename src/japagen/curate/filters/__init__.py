"""Filters: each asks one question about one row, with None to keep it or the reason to drop it; repairs come before.

The table here says which there are, in which order they are asked, and which are on unless switched. Nothing here knows
of other rows: those are in `duplicates`. Where an example is a pair of texts, each must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from japagen.curate.filters.echo import label_leak, prompt_echo, shot_copy
from japagen.curate.filters.finding import Filter, Finding, Shot, texts
from japagen.curate.filters.form import incomplete, repetition
from japagen.curate.filters.length import too_few_words, too_long, too_many_words, too_short
from japagen.curate.filters.pairs import same_sentences
from japagen.curate.filters.personal import personal_data
from japagen.curate.filters.repairs import Mend, list_mark, quotes, whitespace
from japagen.curate.filters.script import garbled, not_japanese
from japagen.curate.filters.talk import meta_talk, refusal

__all__ = [
    "CHECKS",
    "REPAIRS",
    "Check",
    "Filter",
    "Finding",
    "Known",
    "Limits",
    "Mend",
    "Repair",
    "Shot",
    "checks",
    "garbled",
    "incomplete",
    "label_leak",
    "list_mark",
    "meta_talk",
    "not_japanese",
    "personal_data",
    "prompt_echo",
    "quotes",
    "refusal",
    "repairs",
    "repetition",
    "same_sentences",
    "shot_copy",
    "texts",
    "too_few_words",
    "too_long",
    "too_many_words",
    "too_short",
    "whitespace",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the filters draw their lines.

    Attributes:
        min_chars, max_chars: length of a text in characters.
        min_words, max_words: length of a text in words of MeCab, marks included; None: any.
        min_japanese: share of kana and kanji among the letters of a text, a Latin word counting for two.
        max_repeated: share of character 4-grams that occurred before in the text.
        shot_similarity: Jaccard similarity of character 3-grams from which a text is a copy of one of the shots;
            None does not look for copies.
        same_sentences: label of which a pair may be one sentence twice: the highest of a similarity; None: no pair may.
        switched: checks and repairs by name, on or off against their default.
    """

    min_chars: int = 3
    max_chars: int = 200
    min_words: int | None = None
    max_words: int | None = None
    min_japanese: float = 0.6
    max_repeated: float = 0.35
    shot_similarity: float | None = 0.8
    same_sentences: str | None = None
    switched: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the prompts that made the rows.

    Attributes:
        shots: the example texts; for pairs (first text, second text).
        fragments: other parts that must not turn up in a text: meanings of labels, instructions, names of fields with
            their colon.
        label_names: for each label how it may be called in a text, e.g. its verbalisation.
    """

    shots: Sequence[Shot] = ()
    fragments: Sequence[str] = ()
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One question about one row: `ask` gives None to keep it, or the check's name and a detail to drop it."""

    name: str
    question: str
    ask: Filter


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that is taken away from around a text: `mend` gives the mended row and what went, or None."""

    name: str
    question: str
    mend: Mend


CHECKS: Mapping[str, tuple[str, bool]] = {
    "too_short": ("Has it fewer characters than min_chars?", True),
    "too_long": ("Has it more characters than max_chars?", True),
    "garbled": ("Is its encoding broken, or is there markup or a model's special token in it?", True),
    "not_japanese": ("Is it in another language or script?", True),
    "repetition": ("Does it go round in a loop?", True),
    "prompt_echo": ("Does it repeat the wording of the prompt or open with a field's name?", True),
    "meta_talk": ("Does it talk to the one who asked (以下は…です, 承知しました)?", True),
    "refusal": ("Does it decline to write (申し訳ありませんが…できません)?", True),
    "incomplete": ("Does it break off, or begin in the middle?", True),
    "too_few_words": ("Has it fewer words than min_words?", True),
    "too_many_words": ("Has it more words than max_words?", True),
    "same_sentences": ("Is the pair one sentence twice?", True),
    "shot_copy": ("Is it a copy of one of the prompt's examples?", True),
    "label_leak": ("Does it name its own label?", False),
    "personal_data": ("Is there a telephone number, an address, an account or a person's page in it?", False),
}
"""Name of each check, in order: its question, and whether it is asked unless switched off."""

REPAIRS: Mapping[str, tuple[str, bool]] = {
    "whitespace": ("Are there blanks or invisible characters around it?", True),
    "list_mark": ("Does it open with the number or bullet of a list?", True),
    "quotes": ("Is all of it in quotation marks or bold type?", True),
}
"""Name of each repair, in order: its question, and whether it is made unless switched off."""

_MENDS: Mapping[str, Callable[[], Mend]] = {"whitespace": whitespace, "list_mark": list_mark, "quotes": quotes}


def checks(limits: Limits, known: Known) -> tuple[Check, ...]:
    """The checks that are on, in the order in which they are asked; those without a limit ask nothing and are left out."""
    found = []
    for name, (question, default) in CHECKS.items():
        if limits.switched.get(name, default) and (ask := _filter(name, limits, known)):
            found.append(Check(name, question, ask))
    return tuple(found)


def repairs(limits: Limits) -> tuple[Repair, ...]:
    """The repairs that are on, in the order in which they are made."""
    return tuple(
        Repair(name, question, _MENDS[name]())
        for name, (question, default) in REPAIRS.items()
        if limits.switched.get(name, default)
    )


def _filter(name: str, limits: Limits, known: Known) -> Filter | None:
    match name:
        case "too_short":
            return too_short(limits.min_chars)
        case "too_long":
            return too_long(limits.max_chars)
        case "garbled":
            return garbled()
        case "not_japanese":
            return not_japanese(limits.min_japanese)
        case "repetition":
            return repetition(limits.max_repeated)
        case "prompt_echo":
            return prompt_echo(known.fragments)
        case "meta_talk":
            return meta_talk()
        case "refusal":
            return refusal()
        case "incomplete":
            return incomplete()
        case "too_few_words":
            return None if limits.min_words is None else too_few_words(limits.min_words)
        case "too_many_words":
            return None if limits.max_words is None else too_many_words(limits.max_words)
        case "same_sentences":
            return same_sentences(limits.same_sentences)
        case "shot_copy":
            return None if limits.shot_similarity is None else shot_copy(known.shots, limits.shot_similarity)
        case "label_leak":
            return label_leak(known.label_names)
        case "personal_data":
            return personal_data()
    raise KeyError(name)
