"""The tokeniser of Japanese BERTs: MeCab cuts a text into words, a vocabulary cuts the words into pieces or characters.

Gives the ids of transformers' BertJapaneseTokenizer, many times sooner: MeCab writes the words of a text as one string,
and the ids of each word are looked up once. Only what that class does with MeCab is done here; `plain` tells.

WordPiece: Wu et al. 2016, "Google's Neural Machine Translation System"; longest match first, from the left.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from japagen.student.encoder.tokens import folder as files
from japagen.student.encoder.tokens.mecab import Words, dictionary_of
from japagen.student.encoder.tokens.parallel import in_processes
from japagen.student.encoder.tokens.rows import Padding, Pieces, Template, Tokenised, checked

LONGEST_WORD = 100
"""Characters; a longer word is unknown as a whole."""
MOST_WORDS = 1_000_000
"""Most words whose ids are remembered."""
_DEFAULTS = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
_DEFAULT_TOKENS = {f"{name}_token": token for name, token in _DEFAULTS.items()}
_FLAGS = ("lstrip", "rstrip", "single_word")


def plain(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether these settings are all done here: words by MeCab, WordPiece or characters, and tokens without conditions.

    Raises:
        ModelError: a setting is of no use to anyone.
    """
    tokens = [config.get(key) for key in files.NAMED]
    added = config.get("added_tokens_decoder", {})
    extra = config.get("extra_special_tokens") or config.get("additional_special_tokens") or []
    if not isinstance(added, dict):
        raise files.unusable(folder / files.CONFIG, "'added_tokens_decoder' is no JSON object")
    others = [key for key in config if key.endswith("_token") and key not in files.NAMED and config[key] is not None]
    return (
        config.get("word_tokenizer_type") == "mecab"
        and config.get("subword_tokenizer_type", "wordpiece") in ("wordpiece", "character")
        and config.get("do_word_tokenize", True) is True
        and config.get("do_subword_tokenize", True) is True
        and not config.get("split_special_tokens")
        and not others
        and isinstance(extra, list)
        and not any(
            isinstance(token, dict) and any(token.get(f) for f in _FLAGS)
            for token in (*tokens, *added.values(), *extra)
        )
        and (bool(added) or not any((folder / name).exists() for name in (files.ADDED, files.FAST)))
    )


@dataclass(frozen=True, slots=True)
class JapaneseSettings:
    """What the folder says.

    Attributes:
        config: `tokenizer_config.json`, to be saved again.
        vocabulary: `vocab.txt`, to be saved again.
        dictionary: name of MeCab's dictionary package.
        nfkc: whether texts are normalised before MeCab.
        lower: whether words are lower-cased.
        characters: whether words are cut into characters, else by WordPiece.
        whole: words that are not lower-cased.
        tokens: id of each token that is found in a text before it is cut.
        ids: id of each token of the vocabulary.
        unknown: id of the unknown token.
        template: the frame of a row.
        padding: the form of a batch.
    """

    config: Mapping[str, Any]
    vocabulary: str
    dictionary: str
    nfkc: bool
    lower: bool
    characters: bool
    whole: frozenset[str]
    tokens: Mapping[str, int]
    ids: Mapping[str, int]
    unknown: int
    template: Template
    padding: Padding


class JapaneseTokeniser:
    """See the module; made by `load`."""

    def __init__(self, settings: JapaneseSettings) -> None:
        self.settings = settings
        self._words = Words(settings.dictionary, exact=settings.characters)
        self._known: dict[str, Sequence[int]] = _Memo(self._ids_of_word)
        by_length = sorted(filter(None, settings.tokens), key=len, reverse=True)
        self._split = re.compile("(" + "|".join(map(re.escape, by_length)) + ")").split

    @property
    def padding(self) -> Padding:
        """The form of a batch."""
        return self.settings.padding

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, Any]) -> JapaneseTokeniser:
        """Read a folder for which `plain` holds.

        Raises:
            ModelError: a file is missing or damaged, or the dictionary is not installed.
        """
        return cls(read_settings(folder, config))

    def encode(self, first: Sequence[str], second: Sequence[str] | None, *, max_length: int) -> Tokenised:
        """See `Tokeniser.encode`; each distinct text is cut once, very many in several processes."""
        checked(first, second, max_length)
        place = {text: i for i, text in enumerate(dict.fromkeys(chain(first, second or ())))}
        pieces = in_processes(self, list(place), self.pieces)
        which = np.fromiter(map(place.__getitem__, first), np.int64, len(first))
        template = self.settings.template
        if second is None:
            return template.single(pieces, which, max_length)
        return template.pair(
            pieces, which, np.fromiter(map(place.__getitem__, second), np.int64, len(first)), max_length
        )

    def collate(self, tokens: Tokenised, rows: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        """See `Tokeniser.collate`."""
        return self.settings.padding.collate(tokens, rows)

    def save(self, folder: Path) -> None:
        """See `Tokeniser.save`: `vocab.txt` and `tokenizer_config.json`."""
        (folder / files.VOCABULARY).write_bytes(self.settings.vocabulary.encode())
        text = json.dumps(dict(self.settings.config), ensure_ascii=False, indent=2)
        (folder / files.CONFIG).write_bytes(text.encode() + b"\n")

    def pieces(self, texts: Sequence[str]) -> Pieces:
        """Ids of all tokens of each text, without special ones."""
        ids, starts = array("i"), array("q", [0])
        for text in texts:
            for i, part in enumerate(self._split(text)):
                if i % 2:
                    ids.append(self.settings.tokens[part])
                elif part:
                    words = self._words.of(normalize("NFKC", part) if self.settings.nfkc else part)
                    ids.extend(chain.from_iterable(map(self._known.__getitem__, words)))
            starts.append(len(ids))
        if len(self._known) > MOST_WORDS:
            self._known.clear()
        return Pieces(np.array(ids, dtype=np.int32), np.array(starts, dtype=np.int64))

    def _ids_of_word(self, word: str) -> Sequence[int]:
        settings = self.settings
        cased = word.lower() if settings.lower and word not in settings.whole else word
        if settings.characters:
            return tuple(settings.ids.get(c, settings.unknown) for c in normalize("NFKC", cased))
        # Lower case may neither make nor remove white space, but a word of MeCab's may hold some.
        return tuple(chain.from_iterable(self._word_pieces(part) for part in cased.split()))

    def _word_pieces(self, word: str) -> list[int]:
        """WordPiece; a word of which a part is in no vocabulary is unknown as a whole."""
        known, found, begin = self.settings.ids, list[int](), 0
        while begin < len(word) <= LONGEST_WORD:
            prefix = "##" if begin else ""
            ends = (end for end in range(len(word), begin, -1) if prefix + word[begin:end] in known)
            end = next(ends, begin)
            if end == begin:
                return [self.settings.unknown]
            found.append(known[prefix + word[begin:end]])
            begin = end
        return found or [self.settings.unknown]


class _Memo(dict[str, Sequence[int]]):
    """Values of a function, each computed once."""

    def __init__(self, function: Callable[[str], Sequence[int]]) -> None:
        self._function = function

    def __missing__(self, key: str) -> Sequence[int]:
        value = self[key] = self._function(key)
        return value


def read_settings(folder: Path, config: Mapping[str, Any]) -> JapaneseSettings:
    """Read and check a folder for which `plain` holds.

    Raises:
        ModelError: see `JapaneseTokeniser.load`.
    """
    file = folder / files.CONFIG
    vocabulary = files.read_text(folder / files.VOCABULARY)
    if not vocabulary:
        raise files.unusable(folder / files.VOCABULARY, "holds no token")
    ids = {token: i for i, token in enumerate(vocabulary.removesuffix("\n").split("\n"))}
    config = _DEFAULT_TOKENS | dict(config)
    named = {key: token for key in files.NAMED if (token := files.token_of(folder, config, key)) is not None}
    if lacking := sorted(_DEFAULT_TOKENS.keys() - named.keys() - {"mask_token"}):
        raise files.unusable(file, f"'{lacking[0]}' must be a token")
    extra = config.pop("extra_special_tokens", None) or config.pop("additional_special_tokens", None) or []
    special = list(dict.fromkeys([*named.values(), *(_content(file, token) for token in extra)]))
    tokens = _added(file, config.get("added_tokens_decoder", {}))
    size = len(ids.keys() | tokens.keys())
    for token in special:
        if token not in tokens:
            tokens[token] = ids.get(token, size)
            size += token not in ids
    never = config.get("never_split") or []
    if not (isinstance(never, list) and all(isinstance(word, str) for word in never)):
        raise files.unusable(file, "'never_split' is no list of words")
    if not isinstance(config.get("do_lower_case", False), bool):
        raise files.unusable(file, "'do_lower_case' must be true or false")
    dictionary, nfkc = dictionary_of(file, config.get("mecab_kwargs"))
    left = files.is_left(folder, config, "truncation_side")
    padding = files.padding_of(folder, config, tokens[named["pad_token"]])
    every = ids | tokens
    unknown = tokens[named["unk_token"]]
    return JapaneseSettings(
        config=_saved(config, special[len(named) :], dictionary, nfkc, padding),
        vocabulary=vocabulary,
        dictionary=dictionary,
        nfkc=nfkc,
        lower=config.get("do_lower_case", False),
        characters=config.get("subword_tokenizer_type") == "character",
        whole=frozenset([*never, *special]),
        tokens=tokens,
        ids={token: every[token] for token in ids},
        unknown=unknown,
        template=Template(tokens[named["cls_token"]], tokens[named["sep_token"]], left),
        padding=padding,
    )


def _content(file: Path, token: object) -> str:
    match token:
        case str(text) | {"content": str(text)}:
            return text
        case _:
            raise files.unusable(file, "a special token is no text")


def _added(file: Path, decoder: Mapping[str, Any]) -> dict[str, int]:
    """The token's id of each entry of "added_tokens_decoder"."""
    try:
        found = {_content(file, token): int(i) for i, token in decoder.items()}
    except ValueError as error:
        raise files.unusable(file, "'added_tokens_decoder' has an id that is no number") from error
    if any(not 0 <= i < 2**31 for i in found.values()):
        raise files.unusable(file, "'added_tokens_decoder' has an id out of range")
    return found


def _saved(
    config: Mapping[str, Any], extra: Sequence[str], dictionary: str, nfkc: bool, padding: Padding
) -> dict[str, Any]:
    """Settings that say all, so that they mean the same without the model's, and to another transformers."""
    dropped = [
        key for key in config if key.endswith("_file") or key in ("auto_map", "name_or_path", "special_tokens_map")
    ]
    return {key: value for key, value in config.items() if key not in dropped} | {
        "tokenizer_class": "BertJapaneseTokenizer",
        "subword_tokenizer_type": config.get("subword_tokenizer_type", "wordpiece"),
        "mecab_kwargs": {"mecab_dic": dictionary} | ({} if nfkc else {"normalize_text": False}),
        "model_input_names": padding.names,
        **({"extra_special_tokens": list(extra)} if extra else {}),
    }
