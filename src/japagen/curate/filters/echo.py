"""What the prompt put into a text: parts of its wording, its example texts, the name of the label asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from japagen.curate.filters.finding import Filter, Finding, Shot, each_text, texts
from japagen.japanese import canonical, normalise
from japagen.ngrams import jaccard, trigrams
from japagen.records import Example

SHORTEST_FRAGMENT = 6  # characters; shorter parts of a prompt occur in honest texts
SHORTEST_SHOT_WITHIN = 8  # characters; 最高です inside a text is no copy of that shot

_FIELD = re.compile(
    r"[\s\"'*#\-「『【\[(]*(レビュー|口コミ|感想文|本文|文章|テキスト|ラベル|出力|入力|回答|答え|例文?|プロンプト|指示"
    r"|review|text|label|output|input|answer|example|prompt|assistant|user|system)\d*[\s*」』】\])]*:",
    re.IGNORECASE,
)
_LINES = re.compile(r"\n|(?<=[。.!?！？」』)）])\s+")  # a line break of the reply has become a space
_PIECES = re.compile(r"[。\n]|(?<=\})\s+")
_PLACE = re.compile(r"\\?\{\w+\\?\}")  # {word} in a template, also after re.escape
_PREFIX = "(?<![不未無非])"  # 不満足 does not name 満足


def prompt_echo(fragments: Sequence[str]) -> Filter:
    """A part of the prompt? A sentence of it inside, or a line that opens with a field's name and its colon.

    Fragments are cut at line breaks, 。, the places of ``{word}`` and blanks behind those; pieces of six characters or
    more must not occur. A fragment that ends in a colon is a field's name, whatever its length, with any word at the
    place of ``{word}``; the usual names (レビュー, 出力, review) are known without being given. Behind the end of a
    sentence, a space counts as a new line.
    """
    pieces = [normalise(piece) for fragment in fragments for piece in _PIECES.split(fragment)]
    names = [_PLACE.sub(".{1,20}", re.escape(piece)) for piece in pieces if len(piece) > 1 and piece.endswith(":")]
    given = re.compile("|".join(names)) if names else None
    parts = [part.strip(" 「」『』、,") for piece in pieces if not piece.endswith(":") for part in _PLACE.split(piece)]
    inside = [part for part in parts if len(part) >= SHORTEST_FRAGMENT]

    def check(text: str) -> Finding | None:
        for line in map(normalise, _LINES.split(text)):
            if field := (given and given.match(line)) or _FIELD.match(line):
                return "prompt_echo", f"opens with the field {field.group()}"
        whole = normalise(text)
        return next((("prompt_echo", f"contains {part}") for part in inside if part in whole), None)

    return each_text(check)


def shot_copy(shots: Sequence[Shot], similarity: float) -> Filter:
    """One of the prompt's examples again: the same, or with one whole inside, or similar in character 3-grams?

    In a pair the first text is compared with the first texts of the examples and the second with their second ones.
    """
    pairs = [(shot, None) if isinstance(shot, str) else shot for shot in shots]
    looks = [_copy_of([first for first, _ in pairs], similarity), _copy_of([second for _, second in pairs], similarity)]

    def check(example: Example) -> Finding | None:
        both = zip(looks, texts(example), strict=False)
        return next((found for look, text in both if (found := look(text))), None)

    return check


def _copy_of(shots: Sequence[str | None], similarity: float) -> Callable[[str], Finding | None]:
    known = [(shot, form, trigrams(form)) for shot in shots if shot and (form := canonical(shot))]

    def look(text: str) -> Finding | None:
        form = canonical(text)
        grams = trigrams(form)
        for shot, shot_form, shot_grams in known:
            if form == shot_form:
                return "shot_copy", f"the same as {shot}"
            if len(shot_form) >= SHORTEST_SHOT_WITHIN and shot_form in form:
                return "shot_copy", f"contains {shot}"
            if (score := jaccard(grams, shot_grams)) >= similarity:
                return "shot_copy", f"{score:.2f} similar to {shot}"
        return None

    return look


def label_leak(names: Mapping[str, Sequence[str]]) -> Filter:
    """Its own label by name? A text that says 満足 gives its label away to whoever counts words.

    Args:
        names: for each label how it may be called, e.g. its verbalisation. Case and width do not matter; a name in Latin
            letters must stand as a word; a name without a letter, such as the 3 of a similarity, is not looked for.
    """
    known = {
        label: [(name, _name(name)) for name in given if any(map(str.isalpha, name))] for label, given in names.items()
    }

    def check(example: Example) -> Finding | None:
        for text in map(normalise, texts(example)):
            for name, pattern in known.get(example.label, ()):
                if pattern.search(text):
                    return "label_leak", f"names its label {name}"
        return None

    return check


def _name(name: str) -> re.Pattern[str]:
    whole = re.escape(normalise(name))
    if whole.isascii():
        return re.compile(rf"(?<![A-Za-z0-9]){whole}(?![A-Za-z0-9])", re.IGNORECASE)
    return re.compile(_PREFIX + whole, re.IGNORECASE)
