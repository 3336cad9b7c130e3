"""The arms of an experiment as they are written: names, and the keys that differ, dotted or nested."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STAGES = ("generate", "curate", "train", "evaluate", "analyze", "report")
_FILES = (
    "sweep",
    "replies",
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
)
"""Beginnings of the files beside the arms, and of devices on some systems."""
_OURS = ("name", "arms", "folder", "budget")


def check_arms(given: Any) -> Any:
    """Refuse names that would be mistaken for something else, and what cannot differ between arms.

    Raises:
        ValueError: what is wrong, after the place within `arms`.
    """
    if not isinstance(given, Mapping):
        raise ValueError("must be names with the keys that differ, e.g. {no-kadg: {generate.kadg: false}}")
    seen: dict[str, str] = {}
    for name, keys in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"{name}: an arm's name is that of a folder: up to 64 of A-Z, a-z, 0-9, '.', '_' and '-'")
        if name.lower() in (*_STAGES, "arms", "all") or name.lower().partition(".")[0] in _FILES:
            raise ValueError(f"{name}: an arm cannot be called so: it is the name of something else")
        if other := seen.get(name.lower()):
            raise ValueError(f"{name}: differs from '{other}' in capitals only, which not every disk tells apart")
        seen[name.lower()] = name
        if keys is None:
            raise ValueError(f"{name}: is empty; for the experiment as it is write {name}: {{}}")
        if not isinstance(keys, Mapping):
            raise ValueError(f"{name}: must be the keys that differ, e.g. {{generate.kadg: false}}")
        for key in keys:
            if (part := str(key).split(".")[0]) in _OURS:
                why = ": it is one for all of them" if part == "budget" else ""
                raise ValueError(f"{name}: '{key}' cannot differ between arms{why}")
        try:
            dotted(keys)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return given


def dotted(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that differ, each dotted to its value.

    Raises:
        ValueError: a key is written twice, dotted and nested.

    >>> dotted({"generate": {"kadg": False, "shots": 0}, "llm.temperature": 0.4})
    {'generate.kadg': False, 'generate.shots': 0, 'llm.temperature': 0.4}
    """
    found: dict[str, Any] = {}
    for key, value in keys.items():
        # a key that has a dot within a mapping is a name, such as a model's
        inner = isinstance(value, Mapping) and value and not any("." in str(name) for name in value)
        for name, each in dotted(value).items() if inner else [("", value)]:
            whole = f"{key}.{name}" if name else str(key)
            if whole in found:
                raise ValueError(f"'{whole}' stands here twice, dotted and nested")
            found[whole] = each
    return found
