"""Every error that a user can cause, as one tree.

    JapagenError            anything a user can mend; the command line prints it in two lines and exits with 2
    ├── ConfigError         a task or experiment file says something that we cannot use
    ├── DataError           gold data or input rows cannot be used
    ├── MissingExtra        an optional dependency is absent; the remedy is the exact ``pip install``
    ├── ModelError          a language model or a saved classifier cannot be used
    ├── HubError            the Hugging Face Hub does not do what was asked of it
    ├── RunError            a run folder is stale, foreign, locked or damaged
    ├── BudgetSpent         a limit of the budget is reached; what came is safe (also 2: only a change lets it go on)
    └── Interrupted         Ctrl-C; what was committed is safe (exit code 130)

Bad output of a model is not an error but a value (`records.Dropped`, a failed `records.Reply`). Anything else that is
raised is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class JapagenError(Exception):
    """Something the user can mend: where it is, what is wrong, and what to do.

    Args:
        what: what is wrong, in one line.
        where: file, line, key or folder concerned; printed before `what`.
        remedy: what to do about it; printed on a line of its own.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: object = None, remedy: str = "") -> None:
        self.what = what
        self.where = "" if where is None else str(where)
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n{self.remedy}" if self.remedy else head


class ConfigError(JapagenError):
    """A task or experiment file cannot be used."""


class DataError(JapagenError):
    """Gold data or input rows cannot be used."""


class MissingExtra(JapagenError):
    """An optional dependency is absent."""

    def __init__(self, package: str, extra: str, *, needed_by: str) -> None:
        super().__init__(
            f"the package '{package}' is not installed",
            where=needed_by,
            remedy=f"install it with: pip install 'japagen[{extra}]'",
        )


class ModelError(JapagenError):
    """A language model or a saved classifier cannot be used."""


class HubError(JapagenError):
    """The Hugging Face Hub does not do what was asked of it: a token, a name, a limit, or it is away."""


class RunError(JapagenError):
    """A run folder is stale, belongs to another experiment, is in use or is damaged."""


class BudgetSpent(JapagenError):
    """A limit of the budget is reached; everything that was acknowledged is on disk.

    Exit code 2 as for every error that needs a change of the user's: the same command alone would stop again.
    """


class Interrupted(JapagenError):
    """The user pressed Ctrl-C; everything that was acknowledged is on disk."""

    exit_code = 130


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of the known names, or lists them all.

    >>> did_you_mean("per_lable", ["per_label", "shots"])
    "did you mean 'per_label'?"
    >>> did_you_mean("zebra", ["per_label", "shots"])
    'known: per_label, shots'
    """
    names = list(known)
    if not names:
        return "none is known"
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
