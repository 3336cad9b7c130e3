"""Reading a YAML file into a strict model, with errors that name file, line, key and the nearest valid name."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails

from japagen.errors import ConfigError, did_you_mean

_MAX_BYTES = 4 * 1024 * 1024
_MAX_DEPTH = 20

Model = TypeVar("Model", bound=BaseModel)
_Path = tuple[Hashable, ...]
_TEXT = "tag:yaml.org,2002:str"
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool")}


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # plain data only; libyaml is ten times as fast


def is_file_name(path: str) -> bool:
    """Whether a file may be called so: no NUL, and not longer than file systems allow."""
    try:
        name = os.fsencode(path)
    except ValueError:
        return False
    return b"\0" not in name and len(name) < 4096 and all(len(part) <= 255 for part in name.split(b"/"))


def check_path(path: str | Path) -> None:
    """Refuse what cannot be the name of a file.

    Raises:
        ConfigError: it cannot.
    """
    if not is_file_name(str(path)):
        raise ConfigError("cannot be the name of a file", where=f"'{str(path)[:40]}…'", remedy="check the path")


def user_path(path: str, setting: str) -> Path:
    """A path that may begin with ``~``; `setting` is where it was given.

    Raises:
        ConfigError: it cannot be the name of a file, or there is no such user.
    """
    check_path(path)
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        what = f"'{Path(path).parts[0]}' is no user's folder"
        raise ConfigError(what, where=setting, remedy="write the path in full") from error


def _mapping(node: yaml.MappingNode, file: Path | str, path: _Path) -> dict[str, yaml.Node]:
    seen: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = str(key.value)
        if path[-1:] == ("labels",) and key.tag in _PLAIN:
            key.tag = _TEXT  # what a file calls its labels is often a number; it is read as it is written
        if key.tag != _TEXT:
            where = f"{file}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError("a list or mapping is no name", where=where, remedy="write NAME: VALUE")
            what = f"the key {name} is a number or the like in YAML; names are texts"
            raise ConfigError(what, where=where, remedy=f'put it in quotes: "{name}":')
        if name in seen:
            line = key.start_mark.line + 1
            raise ConfigError(
                f"'{name}' stands here for the second time", where=f"{file}:{line}", remedy="rename or remove one"
            )
        seen[name] = value
    return seen


def _lines(node: yaml.Node, file: Path | str, path: _Path = ()) -> dict[_Path, int]:
    found = {path: node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        for (key, _), (name, value) in zip(node.value, _mapping(node, file, path).items(), strict=True):
            found |= _lines(value, file, (*path, name))
            found[(*path, name)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            found |= _lines(value, file, (*path, i))
    return found


def read_yaml(file: Path) -> tuple[Any, dict[_Path, int]]:
    """The data of a YAML file and the line of each path in it.

    Raises:
        ConfigError: absent, unreadable, not UTF-8, not YAML, a key twice, or a reference (``*name``).
    """
    try:
        if file.exists() and not file.is_file():
            raise ConfigError("is no ordinary file", where=file, remedy="check the path")
        if file.stat().st_size > _MAX_BYTES:
            raise ConfigError("larger than 4 MiB", where=file, remedy="keep long lists of texts in a JSONL file")
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", where=file, remedy="save it as UTF-8") from error
    except (OSError, ValueError) as error:
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ConfigError(what, where=file, remedy="check the path") from error
    return read_text(text, file)


def read_text(text: str, file: Path | str) -> tuple[Any, dict[_Path, int]]:
    """The same of YAML that does not stand in a file; `file` says where it is from.

    Raises:
        ConfigError: not YAML, empty, a key twice, a reference, or nested too deeply.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise ConfigError("nested too deeply", where=file, remedy="check brackets and quotes")
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise ConfigError("references (*name) are not read", where=f"{file}:{line}", remedy="write it out")
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                raise ConfigError("the file is empty", where=file, remedy="start from: japagen new NAME")
            lines = _lines(node, file)
            return loader.construct_document(node), lines
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        raise ConfigError(
            f"not valid YAML: {error.problem or error}", where=where, remedy="check indentation and quotes"
        ) from error
    except (yaml.YAMLError, ValueError, AttributeError, LookupError, OverflowError, RecursionError) as error:
        raise ConfigError(f"not valid YAML: {error}", where=file, remedy="check the file") from error


def _fields_at(model: type[BaseModel], path: _Path) -> list[str]:
    """Names of the keys that are known where `path` leads; empty where that is no mapping of ours."""
    current: Any = model
    for step in path:
        if not (isinstance(current, type) and issubclass(current, BaseModel)) or step not in current.model_fields:
            found = [a for a in getattr(current, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
            current = found[0] if found else None
            continue
        current = current.model_fields[str(step)].annotation
        options = [a for a in getattr(current, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
        if options and not str(current).startswith(("dict", "tuple")):
            current = options[0]
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [name for name in current.model_fields if name != "folder"]
    return []


def _named_place(message: str, path: _Path, lines: dict[_Path, int]) -> _Path:
    """The place that a message names before its colon, as far as the file has it."""
    steps: tuple[str | int, ...] = tuple(message.partition(":")[0].split("."))
    while steps and (*path, *steps) not in lines:
        steps = steps[:-1]
    return steps


def read_model(model: type[Model], file: Path, changes: Mapping[str, Any] | None = None) -> Model:
    """Read and check a file strictly.

    Args:
        model: what it must hold.
        file: where it is.
        changes: values that take the place of the file's, by dotted key.

    Raises:
        ConfigError: the first thing that is wrong, with its line, key and the nearest valid name.
    """
    data, lines = read_yaml(file)
    if not isinstance(data, dict):
        raise ConfigError("expected keys and values", where=f"{file}:1", remedy="start from: japagen new NAME")
    return check_model(model, data, file, lines, changes)


def check_model(
    model: type[Model],
    data: dict[str, Any],
    file: Path,
    lines: dict[_Path, int] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Model:
    """Check data that was read from a file or made up; see `read_model`."""
    lines = {(): 1} | (lines or {})
    changed = {key: _change(data, key, value) for key, value in (changes or {}).items()}
    try:
        _refuse_ours(model, data)
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors()
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
        path: _Path = tuple(first["loc"])
        if first["type"] == "value_error":  # a check of the whole model names the place in its message
            path += _named_place(first["msg"].removeprefix("Value error, "), path, lines)
        known = path
        while known not in lines:
            known = known[:-1]
        where = f"{file}:{lines[known]}"
        for key, steps in changed.items():
            if path and (path[: len(steps)] == steps or steps[: len(path)] == path):
                where = f"--set {key}"
        dotted = ".".join(str(step) for step in path)
        remedy = "see: japagen new NAME, which writes every key with a comment"
        if where == f"--set {dotted}":
            dotted, remedy = "", "write KEY=VALUE; japagen new NAME writes every key with a comment"
        if first["type"] == "extra_forbidden":
            names = _fields_at(model, path[:-1])
            message = f"unknown key; {did_you_mean(str(path[-1]), names)}" if names else "unknown key"
        elif first["type"] == "missing":
            message = "this key is needed"
            if path == ("task",) and "labels" in data:
                message += "; this is a task, give the experiment that names it"
        elif path[-1:] == ("[key]",):
            message = _wrong_name(path, first["type"], first["msg"])
        else:
            message = first["msg"].removeprefix("Value error, ")
        named = message.partition(":")[0]  # a check of a section names places within it
        if named and f".{dotted}".endswith(f".{named}"):
            message = message.removeprefix(f"{named}: ")
        raise ConfigError(f"{dotted}: {message}" if dotted else message, where=where, remedy=remedy) from error


def _refuse_ours(model: type[BaseModel], data: dict[str, Any]) -> None:
    """Refuse keys that are set by us and stand in no file."""
    for name, field in model.model_fields.items():
        if field.exclude and name in data:
            wrong: InitErrorDetails = {"type": "extra_forbidden", "loc": (name,), "input": data[name]}
            raise ValidationError.from_exception_data(model.__name__, [wrong])


def _wrong_name(path: _Path, kind: str, message: str) -> str:
    """What is wrong with a key that is a name or a value of the user's."""
    if kind == "string_type":
        return "names and values must be texts; put them in quotes"
    match path[-3:]:
        case ("labels", _, _):
            return "a name has letters, digits, '.', '_' and '-'; the Japanese goes into 'verbalisation'"
        case ("attributes", _, _):
            return "a name has small letters, digits and '_', and begins with a letter; at most 32"
    return message


def _change(data: dict[str, Any], key: str, value: Any) -> _Path:
    """Put a value in the place of a dotted key; its path."""
    steps = key.split(".")
    for step in steps[:-1]:
        inner = data.setdefault(step, {})
        if not isinstance(inner, dict):
            inner = data[step] = {}
        data = inner
    data[steps[-1]] = value
    return tuple(steps)
