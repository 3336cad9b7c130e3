"""The keys of a pydantic model in words: what a page of the reference says of a YAML file.

A key's description is that of its field, else the line of the class docstring's "Attributes:" part that names it. A key or
a section without one is an error, so that the pages cannot be incomplete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel

_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
_ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)*): (.+)$")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a section, in words; `default` is YAML, or "" for a key that is needed."""

    name: str
    type: str
    limits: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of keys.

    Attributes:
        paths: where it stands, dotted; "" for the whole file; more than one where a class is used again.
        description: what it is for.
        keys: in the order of the model.
    """

    paths: tuple[str, ...]
    description: str
    keys: tuple[Key, ...]


def sections(model: type[BaseModel]) -> list[Section]:
    """All sections of a model, the outermost first.

    Raises:
        ValueError: a key or a section has no description.
    """
    schema = model.model_json_schema(mode="serialization")  # without what is no key of a file
    definitions = schema.get("$defs", {})
    waiting: list[tuple[str, dict[str, Any]]] = [("", schema)]
    paths: dict[str, list[str]] = {}
    found: dict[str, tuple[str, tuple[Key, ...]]] = {}
    while waiting:
        path, here = waiting.pop(0)
        title = here["title"]
        paths.setdefault(title, []).append(path)
        if title in found:
            continue
        found[title] = (_summary(here), tuple(_keys(path, here, definitions)))
        inner = [
            each for name, field in here.get("properties", {}).items() for each in _inside(f"{path}.{name}", field)
        ]
        waiting[:0] = [(where.lstrip("."), definitions[name]) for where, name in inner]
    return [Section(tuple(paths[title]), *found[title]) for title in found]


def _inside(path: str, field: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and definition of each section that a field may hold."""
    if "$ref" in field:
        yield path, field["$ref"].rpartition("/")[2]
    for option in field.get("anyOf", ()):
        yield from _inside(path, option)
    for option in _values(field):
        yield from _inside(f"{path}.NAME", option)
    if isinstance(field.get("items"), dict):
        yield from _inside(f"{path}[]", field["items"])


def _values(field: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the values of a mapping with free names must be; none for anything else."""
    more = field.get("additionalProperties")
    return [*field.get("patternProperties", {}).values(), *([more] if isinstance(more, dict) else [])]


def _keys(path: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Key]:
    written = _attributes(schema.get("description", ""))
    for name, field in schema.get("properties", {}).items():
        description = field.get("description") or written.get(name)
        if not description:
            inner = [definitions[each] for _, each in _inside("", field)]
            description = _summary(inner[0]) if inner else ""
        if not description.strip():
            raise ValueError(f"{path or schema['title']}: the key '{name}' has no description")
        needed = name in schema.get("required", ())
        yield Key(name, _type(field), _limits(field), "" if needed else _default(field), _plain(description))


def _summary(schema: Mapping[str, Any]) -> str:
    """The part of a class docstring before "Attributes:"."""
    text = schema.get("description", "").partition("\n\nAttributes:")[0]
    if not text.strip():
        raise ValueError(f"the section {schema['title']} has no docstring")
    return _plain(re.sub(r" \(see the module\)|; `folder` is[^.]*\.?| `folder` is[^.]*\.", "", text))


def _attributes(docstring: str) -> dict[str, str]:
    """Name and description of each entry in a docstring's "Attributes:" part."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in docstring.partition("Attributes:\n")[2].splitlines():
        if entry := _ENTRY.match(line):
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        elif line.startswith(" " * 8):
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _plain(text: str) -> str:
    """A docstring's words as one line of Markdown."""
    return " ".join(text.replace("``", "`").split())


def _type(field: Mapping[str, Any]) -> str:
    """A field's type in plain words."""
    if "$ref" in field:
        return "section"
    if options := field.get("anyOf"):
        return ", or ".join(_type(option) for option in options)
    if options := field.get("enum"):
        return " or ".join(f"`{option}`" for option in options)
    match field.get("type"):
        case "null":
            return "`null`"
        case "array":
            return f"list, each {_type(field['items'])}"
        case "object":
            values = _values(field)
            return f"names, each with {_type(values[0])}" if values else "keys and values"
        case str() as kind:
            return _WORDS[kind]
    return "anything"


def _limits(field: Mapping[str, Any]) -> str:
    """A field's limits in plain words; "" where there are none that say more than the type."""
    said = []
    low, high = field.get("minimum"), field.get("maximum")
    match low, high:
        case (None, None):
            pass
        case (_, None):
            said.append(f"at least {low:,}")
        case (None, _):
            said.append(f"at most {high:,}")
        case _:
            said.append(f"{low:,} to {high:,}")
    if (above := field.get("exclusiveMinimum")) is not None:
        said.append(f"above {above:,}")
    if (below := field.get("exclusiveMaximum")) is not None:
        said.append(f"below {below:,}")
    if field.get("minProperties"):
        said.append(f"at least {field['minProperties']}")
    if field.get("minItems"):
        said.append(f"at least {field['minItems']} in the list")
    if field.get("maxLength"):
        said.append(f"at most {field['maxLength']} characters")
    if field.get("pattern"):
        said.append(f"must match `{field['pattern']}`")
    inner = [*field.get("anyOf", ()), *([field["items"]] if isinstance(field.get("items"), dict) else [])]
    said += [words for option in inner if (words := _limits(option))]
    return "; ".join(said)


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field:
        return "{}" if field.get("type") == "object" else "[]"
    if isinstance(field["default"], dict) and "$ref" in field:
        return "see below"
    dumped = yaml.safe_dump(field["default"], default_flow_style=True, allow_unicode=True, width=1000)
    return dumped.removesuffix("...\n").strip()
