"""Words of a text by MeCab, with one of the three dictionaries that come as Python packages."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from japagen.errors import MissingExtra, ModelError, did_you_mean
from japagen.student.encoder.tokens.folder import unusable

if TYPE_CHECKING:
    from fugashi import GenericTagger

DICTIONARIES = {
    "unidic_lite": "pip install unidic-lite",
    "ipadic": "pip install ipadic",
    "unidic": "pip install unidic && python -m unidic download",
}
DEFAULT = "unidic_lite"
"""What transformers takes where "mecab_kwargs" names none."""
_SPACE = re.compile(r"\s")


def dictionary_of(file: Path, kwargs: object) -> tuple[str, bool]:
    """Name of the dictionary, and whether texts are normalised to NFKC, as "mecab_kwargs" says.

    Options of MeCab's own are refused: they can name any file of this machine.

    Raises:
        ModelError: it says something else.
    """
    match {} if kwargs is None else kwargs:
        case {"mecab_option": str(option)} if option.strip():
            raise unusable(file, f"'mecab_option' is not allowed: {option[:80]}", "choose a model that goes without")
        case dict(given) if given.keys() <= {"mecab_dic", "mecab_option", "normalize_text"}:
            name, nfkc = given.get("mecab_dic", DEFAULT), given.get("normalize_text", True)
        case _:
            raise unusable(file, "'mecab_kwargs' holds a setting that MeCab's tokeniser does not know")
    if not isinstance(nfkc, bool):
        raise unusable(file, "'normalize_text' must be true or false")
    if name not in DICTIONARIES:
        hint = did_you_mean(str(name)[:80], DICTIONARIES)
        raise unusable(file, f"the dictionary '{str(name)[:80]}' is not one that comes as a package; {hint}")
    return str(name), nfkc


class Words:
    """Cuts texts into words.

    Args:
        dictionary: one of `DICTIONARIES`.
        exact: whether white space within and around words matters.

    Raises:
        ModelError: the dictionary is not installed, or its files were not fetched.
        MissingExtra: fugashi is not installed.
    """

    def __init__(self, dictionary: str, *, exact: bool) -> None:
        self._exact = exact
        options = _options(dictionary)
        self._joined = _tagger(dictionary, f"{options} -Owakati")
        self._single = _tagger(dictionary, options) if exact else None

    def of(self, text: str) -> Sequence[str]:
        """The words of a text; unless `exact`, they are also parted at any white space in them."""
        if self._single is None:
            return str(self._joined.parse(text)).split()
        if _SPACE.search(text):
            return [word.surface for word in self._single(text)]
        return str(self._joined.parse(text)).split(" ") if text else []


def _options(dictionary: str) -> str:
    try:
        folder = importlib.import_module(dictionary).DICDIR
    except ImportError as error:
        raise _lacking(dictionary, "is not installed") from error
    if not Path(folder).is_dir():
        raise _lacking(dictionary, "has no files yet")
    return f'-d "{folder}" -r "{Path(folder) / "mecabrc"}"'


def _tagger(dictionary: str, options: str) -> GenericTagger:
    try:
        import fugashi  # noqa: F401 whether it is there
    except ImportError as error:
        raise MissingExtra("fugashi", "encoder", needed_by="the model's tokeniser") from error
    try:
        return _opened(options)
    except RuntimeError as error:
        raise _lacking(dictionary, "cannot be opened by MeCab") from error


@cache
def _opened(options: str) -> GenericTagger:
    """One for each dictionary and process: MeCab does not give its memory back."""
    from fugashi import GenericTagger

    return GenericTagger(options)


def _lacking(dictionary: str, what: str) -> ModelError:
    package = dictionary.replace("_", "-")
    return ModelError(
        f"the package '{package}' {what}",
        where="the dictionary of the model's tokeniser",
        remedy=f"install it with: {DICTIONARIES[dictionary]}",
    )
