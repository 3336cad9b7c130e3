"""Filters: each answers one question about one example, with None to keep it or the reason and a detail to drop it.

A filter is made by the function of its name, which takes its limits, and knows nothing of other rows (those are in
`duplicates`). Where an example is a pair of texts, each must pass: the first one with a finding decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from japagen.japanese import canonical, char_ngrams, foreign_kanji, has_kana, japanese_share, normalise, script_counts
from japagen.ngrams import jaccard, trigrams
from japagen.records import Example

Finding = tuple[str, str]
Filter = Callable[[Example], Finding | None]
Shot = str | tuple[str, str | None]
"""An example text of a prompt, or the two of a pair."""

LONG_WITHOUT_KANA = 15  # kanji; 期待以上の品質 may go without の, a sentence of kanji alone is Chinese
SHORTEST_FRAGMENT = 6  # characters; shorter parts of a prompt occur in honest texts
SHORTEST_SHOT_WITHIN = 8  # characters; 最高です inside a text is no copy of that shot
SHORTEST_LOOP = 20  # characters; うまいうまいうまい is enthusiasm

_FIELD = re.compile(
    r"[\s\"'*#\-「『【\[(]*(レビュー|口コミ|感想文|本文|文章|テキスト|ラベル|出力|入力|回答|答え|例文?|プロンプト|指示"
    r"|review|text|label|output|input|answer|example|prompt|assistant|user|system)\d*[\s*」』】\])]*:",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\\?\{\w+\\?\}")  # {word} in a template, also after re.escape
_TOKEN_DEBRIS = re.compile(r"<0x[0-9A-Fa-f]{2}>|<\|[^|<>]{1,40}\|>|</?s>|<unk>|\[UNK\]|<(?:start|end)_of_turn>|▁(?=\w)")
_MOJIBAKE = re.compile("[縺繧繝]")  # what UTF-8 kana become when read as Shift_JIS


def texts(example: Example) -> tuple[str, ...]:
    """The one text of an example, or its two."""
    return (example.text,) if example.text_pair is None else (example.text, example.text_pair)


def _each_text(check: Callable[[str], Finding | None]) -> Filter:
    def look(example: Example) -> Finding | None:
        return next((found for text in texts(example) if (found := check(text))), None)

    return look


def too_short(min_chars: int) -> Filter:
    """Fewer characters than `min_chars`, without the whitespace around them?"""

    def check(text: str) -> Finding | None:
        n = len(text.strip())
        return ("too_short", f"{n} characters, fewer than {min_chars}") if n < min_chars else None

    return _each_text(check)


def too_long(max_chars: int) -> Filter:
    """More characters than `max_chars`, without the whitespace around them?"""

    def check(text: str) -> Finding | None:
        n = len(text.strip())
        return ("too_long", f"{n} characters, more than {max_chars}") if n > max_chars else None

    return _each_text(check)


def garbled() -> Filter:
    """Broken encoding, control characters, or special tokens of a language model?"""

    def check(text: str) -> Finding | None:
        for char in text:
            broken = char == "\ufffd" or unicodedata.category(char) in ("Cc", "Cs", "Co")
            if broken and char not in "\n\r\t":
                return "garbled", f"character U+{ord(char):04X}"
        if debris := _TOKEN_DEBRIS.search(text):
            return "garbled", f"token {debris.group()}"
        if len(wrong := _MOJIBAKE.findall(text)) >= 2:
            return "garbled", f"mojibake {''.join(wrong[:5])}"
        return None

    return _each_text(check)


def not_japanese(min_share: float) -> Filter:
    """Another language? By the share of kana and kanji among letters, by Chinese-only characters, by missing kana."""

    def check(text: str) -> Finding | None:
        if (share := japanese_share(text)) < min_share:
            return "not_japanese", f"{share:.2f} of the letters are Japanese, less than {min_share:.2f}"
        if foreign := foreign_kanji(text):
            return "not_japanese", f"not in Japanese use: {foreign[:10]}"
        if (kanji := script_counts(text)["kanji"]) > LONG_WITHOUT_KANA and not has_kana(text):
            return "not_japanese", f"{kanji} kanji and no kana"
        return None

    return _each_text(check)


def repetition(max_repeated: float) -> Filter:
    """A loop? By the share of character 4-grams that occurred before in the text, for texts above 20 characters."""

    def check(text: str) -> Finding | None:
        text = normalise(text)
        if len(text) <= SHORTEST_LOOP:
            return None
        grams = char_ngrams(text, 4)
        share = 1 - len(set(grams)) / len(grams)
        if share <= max_repeated:
            return None
        return "repetition", f"{share:.2f} of the character 4-grams are repeats, more than {max_repeated:.2f}"

    return _each_text(check)


def prompt_echo(fragments: Sequence[str]) -> Filter:
    """A part of the prompt? A sentence of it inside, or a line that opens with a field's name and its colon.

    Fragments are cut at line breaks, 。 and the places of ``{word}``; pieces of six characters or more must not occur.
    A fragment that ends in a colon is a field's name, whatever its length, with any word at the place of ``{word}``;
    the usual names (レビュー, 出力, review) are known without being given.
    """
    pieces = [normalise(piece) for fragment in fragments for piece in re.split("[。\n]", fragment)]
    names = [_PLACE.sub(".{1,20}", re.escape(piece)) for piece in pieces if len(piece) > 1 and piece.endswith(":")]
    given = re.compile("|".join(names)) if names else None
    parts = [part.strip(" 「」『』、,") for piece in pieces if not piece.endswith(":") for part in _PLACE.split(piece)]
    inside = [part for part in parts if len(part) >= SHORTEST_FRAGMENT]

    def check(text: str) -> Finding | None:
        for line in map(normalise, text.splitlines()):
            if field := (given and given.match(line)) or _FIELD.match(line):
                return "prompt_echo", f"opens with the field {field.group()}"
        whole = normalise(text)
        return next((("prompt_echo", f"contains {part}") for part in inside if part in whole), None)

    return _each_text(check)


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


def same_sentences(allowed: str | None = None) -> Filter:
    """A pair of one sentence twice, by canonical form? Never where its label is `allowed`: the highest similarity."""

    def check(example: Example) -> Finding | None:
        if example.text_pair is None or example.label == allowed:
            return None
        if canonical(example.text) != canonical(example.text_pair):
            return None
        return "same_sentences", f"{example.text_pair} says what the first text says"

    return check
