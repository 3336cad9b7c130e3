"""What a tokeniser's folder says of itself, read strictly: it may be a stranger's, damaged or made to do harm.

Only files of fixed names are opened; names and paths that the settings give are not followed.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from japagen.errors import ModelError
from japagen.student.encoder.tokens.rows import Padding

CONFIG, FAST, VOCABULARY = "tokenizer_config.json", "tokenizer.json", "vocab.txt"
MODEL, SPECIAL, ADDED = "config.json", "special_tokens_map.json", "added_tokens.json"
NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""Special tokens that have a name, in the order in which transformers numbers those that a vocabulary lacks."""
MOST_BYTES = {CONFIG: 2**24, MODEL: 2**24, SPECIAL: 2**24, ADDED: 2**24, VOCABULARY: 2**27, FAST: 2**28}
AGAIN = "the folder is incomplete or was changed: copy it anew"
_WITH_TYPES = {"bert", "electra", "albert"}  # models that have two token types even where config.json is silent


def installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


def unusable(file: Path, what: str, remedy: str = AGAIN) -> ModelError:
    """The error that says so of a file."""
    return ModelError(what, where=file, remedy=remedy)


def read_text(file: Path) -> str:
    """The file's text; every line ends as on Unix.

    Raises:
        ModelError: it cannot be read, is larger than any such file is, or is no UTF-8.
    """
    try:
        size = file.stat().st_size
        if size > MOST_BYTES[file.name]:
            raise unusable(file, f"{size} bytes are too many for such a file")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise unusable(file, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise unusable(file, f"not UTF-8: byte {error.start}") from error


def read_json(file: Path) -> dict[str, Any]:
    """An object of JSON; empty where there is no such file.

    Raises:
        ModelError: it cannot be read, or holds something else.
    """
    if not file.exists():
        return {}
    try:
        found = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise unusable(file, f"not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise unusable(file, "not a JSON object")
    return found


def read_config(folder: Path) -> dict[str, Any]:
    """`tokenizer_config.json`, completed from `special_tokens_map.json` where an old one leaves the tokens to it.

    Raises:
        ModelError: one of them is damaged.
    """
    config = read_json(folder / CONFIG)
    return config if "added_tokens_decoder" in config else config | read_json(folder / SPECIAL)


def class_of(folder: Path, config: Mapping[str, Any]) -> str | None:
    """Name of the tokeniser's class, without "Fast" where that only says how; None if neither file names one.

    Raises:
        ModelError: it is no name.
    """
    name = config.get("tokenizer_class") or read_json(folder / MODEL).get("tokenizer_class")
    if name is not None and not isinstance(name, str):
        raise unusable(folder / CONFIG, "'tokenizer_class' is no name")
    return name if name is None or name == "PreTrainedTokenizerFast" else name.removesuffix("Fast")


def token_of(folder: Path, config: Mapping[str, Any], key: str, default: str | None = None) -> str | None:
    """The text of a special token, which the settings give as text or as an object.

    Raises:
        ModelError: it is neither.
    """
    match config.get(key, default):
        case None:
            return None
        case str(text) | {"content": str(text)}:
            return text
        case _:
            raise unusable(folder / CONFIG, f"'{key}' is no token")


def is_left(folder: Path, config: Mapping[str, Any], key: str) -> bool:
    """Whether "padding_side" or "truncation_side" is "left".

    Raises:
        ModelError: it is neither "left" nor "right".
    """
    side = config.get(key, "right")
    if side not in ("left", "right"):
        raise unusable(folder / CONFIG, f"'{key}' must be left or right")
    return bool(side == "left")


def padding_of(folder: Path, config: Mapping[str, Any], pad: int | None) -> Padding:
    """How rows are padded for the model beside the tokeniser.

    Token types are for a model that has more than one; where there is no `config.json`, for one whose tokeniser lists them.

    Args:
        folder: the tokeniser's, and the model's if it has one.
        config: the tokeniser's settings.
        pad: id of the pad token; None where the tokeniser has none, then the model's.

    Raises:
        ModelError: the settings are of no use.
    """
    names = config.get("model_input_names")
    if names is not None and not (isinstance(names, list) and "input_ids" in names):
        raise unusable(folder / CONFIG, "'model_input_names' is no list with input_ids")
    types = names is None or "token_type_ids" in names
    model = read_json(folder / MODEL)
    if isinstance(model.get("model_type"), str):
        count = model.get("type_vocab_size", 2 if model["model_type"] in _WITH_TYPES else 0)
        types = types and isinstance(count, int) and count > 1
    if pad is None:
        given = model.get("pad_token_id")
        pad = given if isinstance(given, int) and given >= 0 else 0
    return Padding(pad, types, is_left(folder, config, "padding_side"))
