"""What one needs to know of Japanese text: comparing forms, scripts, politeness, words. Pure functions of strings.

Nothing here knows of examples, labels or models. Every function takes any Python string, lone surrogates included.
The tokeniser (fugashi with unidic-lite) is loaded at the first call of `words`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fugashi import GenericTagger

Register = Literal["polite", "plain", "unknown"]

REGISTERS: tuple[Register, ...] = ("polite", "plain", "unknown")
SCRIPTS = ("hiragana", "katakana", "kanji", "latin", "digit", "emoji", "other")
TOKENISER = "fugashi/unidic-lite"

_HIRAGANA = re.compile("[\u3041-\u3096\u309d-\u309f\U0001b001-\U0001b11f]")
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\U0001b120-\U0001b122\U0001b164-\U0001b167]")
_KANJI = re.compile("[々〆〇〻\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_JAPANESE = re.compile(f"[{_HIRAGANA.pattern[1:-1]}{_KATAKANA.pattern[1:-1]}{_KANJI.pattern[1:-1]}]")
_EMOJI = re.compile(
    # Emoji=Yes of Unicode's emoji-data.txt: the pictograph blocks, then the scattered older symbols (☆ and ♪ are none).
    "[\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
    "↔-↙↩↪⌚⌛⌨⏏⏩-⏳⏸-⏺▪▫▶◀◻-◾☀-☄☎☑☔☕☘☝☠☢☣☦☪☮☯☸-☺♀♂♈-♓♟♠♣♥♦♨♻♾♿⚒-⚗⚙⚛⚜⚠⚡⚧⚪⚫⚰⚱⚽⚾⛄⛅⛈⛎⛏⛑⛓⛔"
    "⛩⛪⛰-⛵⛷-⛺⛽✂✅✈-✍✏✒✔✖✝✡✨✳✴❄❇❌❎❓-❕❗❣❤➕-➗➡➰➿⤴⤵⬅-⬇⬛⬜⭐⭕〰〽]"
)
_DASHES = str.maketrans("〜‐‑‒–—―−", "~-------")  # 5〜10分 is 5～10分; NFKC leaves these apart
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NO_LETTER = re.compile(r"[\W_]")  # every mark is among them
_MARK_IN_NUMBER = re.compile(r"(?<=\d)([\W_])(?=\d)")
_BLANK = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

_NOT_VERBS = "冷覚醒済澄悩励騙晦増"  # 目を覚ます, 湯を冷ました: the verb itself ends in ます
_POLITE = (
    rf"(?:です|でした|でして|でしょう|ください|下さい|(?<![{_NOT_VERBS}])(?:ます|ました|まして|ません|ましょう|ませ))"
)
_TAIL = r"(?:けれども|けれど|けど|ように|っけ|って|もん|もの|ので|のに|から|[かがねよなわのしさぞぜぇえぅうっんー〜~])*"
_ENDS_POLITE = re.compile(_POLITE + _TAIL + "$")
_JOINS_POLITE = re.compile(_POLITE + "(?:が|けれど|けど|ので|のに|から|し)")
_ENDS_PLAIN = re.compile(r"[うくぐすつぬぶむるいただん](?:けど|って|から|もん|[かがねよなわのしさぞぜっー〜~])*$")
_QUOTED = re.compile(r"「[^「」]*」|『[^『』]*』|“[^”]*”|\([^()]*(?:\)|$)")
_SENTENCE_END = re.compile(rf"[。!?\n♪♡☆★]|\.\.+|{_EMOJI.pattern}")
_LAUGHTER = re.compile(r"(?:[\W_]|[笑草泣怒汗爆wWv])+$")


def normalise(text: str) -> str:
    """The form in which two texts are compared for containment: NFKC, runs of whitespace one space, ends stripped."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def canonical(text: str) -> str:
    """The form in which two texts count as the same: NFKC, casefolded, without punctuation, symbols and whitespace.

    Digits stay, and so does a mark between two digits other than a comma: 1.5倍 is not 15倍, but 1,000円 is 1000円.
    A text of nothing but symbols keeps them, so that 😀 and 😡 differ. Applying it again changes nothing.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = _VARIATION.sub("", text)
    apart = _MARK_IN_NUMBER.split(text)  # the odd ones are marks between two digits
    apart[::2] = [part.translate(_KEPT) for part in apart[::2]]
    apart[1::2] = [_in_number(mark) for mark in apart[1::2]]
    kept = "".join(apart)
    return unicodedata.normalize("NFKC", kept) or "".join(text.translate(_DASHES).split())


class _Kept(dict[int, str]):
    """What stands for each character that is not between two digits; looked up once for each."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        self[point] = "" if _NO_LETTER.match(char) and _is_mark(char) else char
        return self[point]


_KEPT = _Kept()


def _in_number(char: str) -> str:
    """What stands for a character between two digits."""
    if not _is_mark(char):
        return char
    return "" if char.isspace() or char == "," else char.translate(_DASHES)


def _is_mark(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "PSZ" or category in ("Cc", "Cf", "Cs")


def _script(char: str) -> str | None:
    """The script of a character in NFKC, or None for what carries none: space, punctuation, marks, controls."""
    if _HIRAGANA.match(char):
        return "hiragana"
    if _KATAKANA.match(char):
        return "katakana"
    if _KANJI.match(char):
        return "kanji"
    if char.isdecimal():
        return "digit"
    if char.isalpha():
        return "latin" if "LATIN" in unicodedata.name(char, "") else "other"
    if _EMOJI.match(char):
        return "emoji"
    category = unicodedata.category(char)
    return None if category[0] in "PZM" or category in ("Cc", "Cf", "Sk") else "other"


def script_counts(text: str) -> Counter[str]:
    """How many characters of each of `SCRIPTS`, in NFKC: half-width ｶﾞ is one katakana, ㎏ two Latin letters.

    The long mark ー counts as katakana wherever it stands. Whitespace, punctuation, combining marks and emoji
    modifiers are not counted.
    """
    counts = Counter(dict.fromkeys(SCRIPTS, 0))
    counts.update(script for char in unicodedata.normalize("NFKC", text) if (script := _script(char)))
    return counts


def script_shares(text: str) -> dict[str, float]:
    """Share of each of `SCRIPTS` among the characters that `script_counts` counts; all 0 when there is none."""
    counts = script_counts(text)
    total = counts.total()
    return {script: counts[script] / total if total else 0.0 for script in SCRIPTS}


def japanese_share(text: str) -> float:
    """Share of kana and kanji among the letters of a text; 0 when it has no letter, for then nothing is Japanese."""
    letters = [s for c in unicodedata.normalize("NFKC", text) if (s := _script(c)) and (c.isalpha() or s == "kanji")]
    japanese = sum(script in ("hiragana", "katakana", "kanji") for script in letters)
    return japanese / len(letters) if letters else 0.0


def has_kana(text: str) -> bool:
    """Whether there is a hiragana or katakana letter (a long mark alone is none)."""
    text = unicodedata.normalize("NFKC", text)
    return any(_script(char) in ("hiragana", "katakana") for char in text if char != "ー")


def foreign_kanji(text: str) -> str:
    """The Chinese characters that no Japanese character set (JIS X 0213, code page 932) has, such as 这 or 们.

    Language models that were trained on much Chinese let them slip into Japanese sentences. Only the main block is
    judged: outside it are variants in Japanese names, such as 𠮷.
    """
    text = unicodedata.normalize("NFKC", text)
    return "".join(char for char in text if "\u4e00" <= char <= "\u9fff" and not _in_jis(char))


@cache
def _in_jis(char: str) -> bool:
    for codec in ("cp932", "euc_jis_2004"):
        try:
            char.encode(codec)
        except UnicodeEncodeError:
            continue
        return True
    return False


def register(text: str) -> Register:
    """Whether a text is polite (です・ます) or plain, by the ends of its sentences.

    Words in quotation marks or brackets are somebody else's or an aside and do not count, unless there is nothing
    else. A text is polite when it has a polite sentence and at least as many of them as plain predicates; sentences
    that end in a noun decide nothing, and a text of those alone is plain, as is customary. It is unknown when it has
    no Japanese letter at all.
    """
    text = unicodedata.normalize("NFKC", text)
    if not _JAPANESE.search(text):
        return "unknown"
    outside = _QUOTED.sub("", text)
    if not _JAPANESE.search(outside):
        outside = re.sub(r"[「」『』“”()]", "", text)
    sentences = [_LAUGHTER.sub("", part) for part in _SENTENCE_END.split(outside)]
    polite = [s for s in sentences if _is_polite(s)]
    plain = [s for s in sentences if _ENDS_PLAIN.search(s) and not _is_polite(s)]
    return "polite" if polite and len(polite) >= len(plain) else "plain"


def _is_polite(sentence: str) -> bool:
    if _ENDS_POLITE.search(sentence):
        return True
    return not _ENDS_PLAIN.search(sentence) and bool(_JOINS_POLITE.search(sentence))


_PIECE = 100_000
"""Most characters that MeCab is given at once: at a million it crashes."""


def words(text: str) -> list[str]:
    """The words of a text in NFKC, as MeCab with unidic-lite cuts them; punctuation marks are words too."""
    clean = normalise(_BLANK.sub(" ", text))
    parse = _tagger().parse
    pieces = (clean[start : start + _PIECE] for start in range(0, len(clean), _PIECE))
    return [word for piece in pieces for word in parse(piece).split()]


@cache
def _tagger() -> GenericTagger:
    import unidic_lite  # type: ignore[import-untyped]
    from fugashi import GenericTagger

    return GenericTagger(f'-Owakati -r "{unidic_lite.DICDIR}/mecabrc" -d "{unidic_lite.DICDIR}"')


def char_ngrams(text: str, n: int) -> list[str]:
    """All runs of `n` characters, in order, repetitions included; none when the text is shorter.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return [text[i : i + n] for i in range(len(text) - n + 1)]
