"""Configurations of the paper's authors, read as they are: one JSON file per task, ``*`` in its name marking KADG.

Keys: ``task_name``; ``content``, the system message; ``first instruction`` for pairs; ``labels``, numbered in the paper's
order, with an ``instruction`` each; and with KADG a list of words, ``object`` or ``genre``, whose name stands in the texts
where a word goes. The messages are the authors' to the letter (paper, section 3.1).

What the files leave open is decided here: the quotes around the name of the list are part of the text and stay; labels get
names; metric, limits and what asks for a label come from our task of the same name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from japagen.errors import ConfigError, did_you_mean
from japagen.task import Task, built_in_tasks
from japagen.templates import literal

_KEYS = ("task_name", "content", "first instruction", "labels")
_LISTS = ("object", "genre")
_NAMES = {  # the authors' name of a task: ours, and its labels in the paper's order
    "marcja": ("marc-ja", ("positive", "negative")),
    "jsts": ("jsts", ("0", "1", "2", "3", "4", "5")),
    "jnli": ("jnli", ("entailment", "contradiction", "neutral")),
    "jcola": ("jcola", ("unacceptable", "acceptable")),
    "news": (
        "news",
        (
            "topic-news",
            "sports-watch",
            "it-life-hack",
            "kaden-channel",
            "movie-enter",
            "dokujo-tsushin",
            "smax",
            "livedoor-homme",
            "peachy",
        ),
    ),
    "covid-19": ("covid-19", ("public-facts", "personal-facts", "opinion", "unrelated")),
}
_MAX_BYTES = 1 << 20
_MAX_LABELS = 1000


def read_upstream(path: Path) -> Task:
    """The task in a configuration of the authors.

    Raises:
        ConfigError: absent, not JSON, or not of their format.
    """
    data = _read(path)
    for key in data:
        if key not in (*_KEYS, *_LISTS):
            raise _wrong(path, f"unknown key '{key}'; {did_you_mean(key, (*_KEYS, *_LISTS))}")
    for key in ("task_name", "content"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            raise _wrong(path, f"'{key}' must be a text")
    known, names = _NAMES.get(data["task_name"], ("", ()))
    labels = _labels(path, data.get("labels"))
    if len(labels) != len(names):
        known, names = "", tuple(str(number) for number in range(len(labels)))
    gap, words = _words(path, data)

    def template(text: str) -> str:
        return literal(text).replace(gap, "{word}") if gap else literal(text)

    first = data.get("first instruction")
    if first is not None and not isinstance(first, str):
        raise _wrong(path, "'first instruction' must be a text")
    asked = {name: template(text) for name, text in zip(names, labels, strict=True)}
    ours = Task.load(known) if known in built_in_tasks() else None
    numeric = known == "jsts"
    task: dict[str, Any] = {
        "name": _name(path),
        "kind": "similarity" if numeric else "pair" if first is not None else "single",
        "title": ours.title if ours else data["task_name"],
        "description": ours.description if ours else data["task_name"],
        "metric": ours.metric if ours else "spearman" if numeric else "accuracy",
        "max_chars": ours.max_chars if ours else 200,
        "system": template(data["content"]),
        "labels": {
            name: {
                "meaning": ours.labels[name].meaning if ours else labels[i],
                "instruction": asked[name],
                "verbalisation": ours.labels[name].verbalisation if ours else name,
                **({"value": float(name)} if numeric else {}),
            }
            for i, name in enumerate(names)
        },
    }
    if first is not None:
        task["first"] = {"instruction": template(first)}
    if ours and ours.prompting:
        task["prompting"] = ours.prompting.model_dump()
    if words:
        everywhere = "{word}" in task["system"] or "{word}" in task.get("first", {}).get("instruction", "")
        without = [name for name, text in asked.items() if "{word}" not in text and not everywhere]
        if len(without) == len(names):
            raise _wrong(path, f"the words of '{gap}' are used nowhere: no text names it")
        task["knowledge"] = {"attributes": {"word": {"values": words, "not_for": without}}}
    try:
        return Task.model_validate(task).model_copy(update={"folder": path.resolve().parent})
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise _wrong(path, f"{place}: {problem['msg'].removeprefix('Value error, ')}".removeprefix(": ")) from error


def as_yaml(task: Task, *, source: str) -> str:
    """A task as a YAML file of ours, which reads back as the same task."""
    data = task.model_dump(mode="json", exclude_defaults=True, exclude={"folder"})
    for attribute in data.get("knowledge", {}).get("attributes", {}).values():
        if set(attribute["values"].values()) == {1.0}:
            attribute["values"] = list(attribute["values"])
    source = "".join(c if c.isprintable() else repr(c)[1:-1] for c in source)  # a line break would end the comment
    body = yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)
    return f"# From {source}, a configuration of the paper's authors. {{word}} is where a KADG word goes.\n{body}"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _read(path: Path) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise _wrong(path, f"'{key}' stands twice")
            found[key] = value
        return found

    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > _MAX_BYTES):
            raise _wrong(path, "is no ordinary file of at most 1 MiB")
        data = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", where=path, remedy="save it as UTF-8") from error
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise ConfigError(what, where=path, remedy="check the path; a name with * wants quotes in a shell") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise _wrong(path, "must be a JSON object")
    return data


def _wrong(path: Path, what: str) -> ConfigError:
    remedy = (
        f"a configuration of the paper's authors has the keys {', '.join(_KEYS)}; a task of your own is a .yaml file"
    )
    return ConfigError(what, where=path, remedy=remedy)


def _labels(path: Path, labels: Any) -> list[str]:
    """The instructions, in the order of the labels' numbers."""
    if not isinstance(labels, dict) or len(labels) < 2:
        raise _wrong(path, "'labels' must hold at least two labels")
    if len(labels) > _MAX_LABELS:
        raise _wrong(path, f"'labels' holds {len(labels):,} labels; at most {_MAX_LABELS:,} are read")
    if sorted(labels) != sorted(str(number) for number in range(len(labels))):
        raise _wrong(path, f"labels must be numbered 0 to {len(labels) - 1}, not {', '.join(labels)}")
    found = []
    for number in map(str, range(len(labels))):
        label = labels[number]
        if not isinstance(label, dict) or set(label) != {"instruction"} or not isinstance(label["instruction"], str):
            raise _wrong(path, f"label '{number}' must hold an 'instruction' and nothing else")
        if not label["instruction"].strip():
            raise _wrong(path, f"the instruction of label '{number}' is empty")
        found.append(label["instruction"])
    return found


def _words(path: Path, data: dict[str, Any]) -> tuple[str, list[str]]:
    """Name of the list of words, and the words; both empty where there is none."""
    lists = [key for key in _LISTS if key in data]
    if not lists:
        return "", []
    words = data[lists[0]]
    if len(lists) > 1 or not isinstance(words, list) or not words or not all(isinstance(w, str) and w for w in words):
        raise _wrong(path, f"give one list of words, as a list of texts: {' or '.join(_LISTS)}")
    return lists[0], words


def _name(path: Path) -> str:
    """A name for the task: the file's, with ``-kadg`` for ``*``."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem.replace("*", "-kadg")).strip("-.")
    return (name or "task")[:64]
