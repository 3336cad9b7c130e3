"""Where a push goes: name of the repository, branch, address of the hub, token; checked before anything is sent."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from japagen.errors import HubError

HUB = "https://huggingface.co"
TOKEN, ENDPOINT = "HF_TOKEN", "HF_ENDPOINT"
_LONGEST = 96  # characters of org/name that the hub takes
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
_NAMES_ARE = "give org/name: letters of ASCII, digits, '-', '_' and '.', e.g. my-org/reviews"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a push goes.

    Attributes:
        repo_id: org/name, the same for the data set and the model; the hub keeps the two apart.
        revision: the branch.
        private: whether only the owners may see it.
        endpoint: address of the hub, without a slash at the end.
        token: who we are; it is in no repr.
    """

    repo_id: str
    revision: str = "main"
    private: bool = True
    endpoint: str = HUB
    token: str = field(default="", repr=False)


def check_name(repo_id: str) -> str:
    """The name of a repository.

    Raises:
        HubError: the hub would not take it.
    """
    parts = repo_id.split("/")
    if len(parts) != 2 or not all(map(_NAME.fullmatch, parts)) or len(repo_id) > _LONGEST:
        raise HubError(f"'{repo_id[:_LONGEST]}' cannot be the name of a repository", where="--to", remedy=_NAMES_ARE)
    if any(bad in repo_id for bad in ("--", "..")) or repo_id.endswith((".git", ".ipynb")):
        what = (
            f"'{repo_id}' cannot be the name of a repository: the hub keeps '--', '..', '.git' and '.ipynb' for itself"
        )
        raise HubError(what, where="--to", remedy="choose another name")
    if any(part.endswith((".", "-")) for part in parts):
        raise HubError(f"'{repo_id}' ends in '.' or '-'", where="--to", remedy=_NAMES_ARE)
    return repo_id


def check_branch(revision: str) -> str:
    """The name of a branch.

    Raises:
        HubError: git would not take it, or it is a digest.
    """
    bad = not _BRANCH.fullmatch(revision) or any(part in revision for part in ("..", "//", "/."))
    if bad or revision.endswith(("/", ".", ".lock")) or revision.startswith("refs/"):
        remedy = "give a branch, e.g. --revision v2"
        raise HubError(f"'{revision[:_LONGEST]}' cannot be the name of a branch", where="--revision", remedy=remedy)
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        remedy = "give a branch, e.g. --revision v2"
        raise HubError("a commit cannot be pushed to", where="--revision", remedy=remedy)
    return revision


def hub_address() -> str:
    """The hub's address from HF_ENDPOINT, or the public one.

    Raises:
        HubError: it is no address.
    """
    given = os.environ.get(ENDPOINT, "").strip().rstrip("/") or HUB
    try:
        parts = urlsplit(given)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or "@" in parts.netloc or not given.isprintable():
        remedy = f"write it as {HUB}, or unset it"  # not repeated: it may hold a password
        raise HubError("is no address of a hub", where=ENDPOINT, remedy=remedy)
    return given


def hub_token(endpoint: str) -> str:
    """The token from HF_TOKEN.

    Raises:
        HubError: there is none, or what is there can be none.
    """
    token = os.environ.get(TOKEN, "").strip()
    make = f"make one with the right to write at {endpoint}/settings/tokens, and set {TOKEN} to it"
    if not token:
        raise HubError("no token of the hub is set", where=TOKEN, remedy=make)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise HubError("holds characters that no token has (it is not shown here)", where=TOKEN, remedy=make)
    return token
