"""The commands in words, from what Typer knows of them."""

from __future__ import annotations

import enum
import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo, ParameterInfo


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option.

    Attributes:
        names: as they are written, e.g. ``--output`` and ``-o``.
        default: "needed" where it must be given, "" where leaving it out is a meaning of its own.
        description: what it is.
    """

    names: tuple[str, ...]
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, how it is called, what it does, and what it takes."""

    name: str
    usage: str
    description: str
    takes: tuple[Parameter, ...]


def commands(app: typer.Typer, name: str = "japagen") -> Iterator[Command]:
    """All commands of a program, those of its groups after it.

    Raises:
        ValueError: an argument or option has no help.
    """
    for info in app.registered_commands:
        if info.callback is not None:
            called = info.name or info.callback.__name__.replace("_", "-")
            yield _command(f"{name} {called}", info.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            inner = f"{name} {group.name}"
            if (callback := group.typer_instance.registered_callback) and callback.callback:
                yield _command(inner, callback.callback)
            yield from commands(group.typer_instance, inner)


def _command(name: str, callback: Callable[..., Any]) -> Command:
    arguments, options = [], []
    hints = typing.get_type_hints(callback, include_extras=True)
    for each, given in inspect.signature(callback).parameters.items():
        match typing.get_args(hints[each]):
            case (_, ArgumentInfo() as info):
                arguments.append(Parameter((info.metavar or each.upper(),), "", _told(each, info)))
            case (kind, OptionInfo() as info):
                options.append(Parameter(_names(info), _default(given.default), _told(each, info) + _more(kind)))
    usage = [name, *(p.names[0] for p in arguments), *(f"{p.names[0]} …" for p in options if p.default == "needed")]
    text = " ".join(line or "\n\n" for line in inspect.cleandoc(callback.__doc__ or "").splitlines())
    return Command(name, " ".join([*usage, "[OPTIONS]"]), text.replace(" \n\n ", "\n\n"), (*arguments, *options))


def _names(info: OptionInfo) -> tuple[str, ...]:
    """The names of an option; the first stands where Typer, until it sees the type, takes it for a default."""
    return tuple(name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str))


def _told(name: str, info: ParameterInfo) -> str:
    if not info.help:
        raise ValueError(f"'{name}' has no help")
    return info.help


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return "needed"
    return "" if value is None or value is False else str(value)


def _more(kind: Any) -> str:
    """What an option's type says beside its help."""
    said = ""
    for each in (kind, *typing.get_args(kind)):
        if isinstance(each, type) and issubclass(each, enum.Enum):
            said += " One of " + ", ".join(f"`{choice.value}`" for choice in each) + "."
        if typing.get_origin(each) is list:
            said += " May be given several times."
    return said
