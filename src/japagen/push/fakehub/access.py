"""Who may do what at the fake hub: tokens, and the refusals that callers see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from aiohttp import web

from japagen.push.fakehub.repositories import Name, NotThereError, Repositories, Repository, RepoType

PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}
REPOSITORIES = web.AppKey("repositories", Repositories)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a user: what it may do, and the organisations to which the user belongs."""

    role: Literal["read", "write"] = "write"
    user: str = "tester"
    orgs: tuple[str, ...] = ("org",)

    def owns(self, namespace: str) -> bool:
        """Whether a user or organisation is the token's own."""
        return namespace in (self.user, *self.orgs)


TOKENS = web.AppKey("tokens", Mapping[str, Token])


class RefusedError(Exception):
    """An answer other than 200: its status, the hub's code and the message."""

    def __init__(self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.status, self.message, self.code, self.headers = status, message, code, dict(headers or {})
        super().__init__(message)

    def response(self) -> web.Response:
        """As the hub sends it: the words in the body and in headers."""
        headers = {
            **self.headers,
            "X-Error-Message": self.message,
            **({"X-Error-Code": self.code} if self.code else {}),
        }
        return web.json_response({"error": self.message}, status=self.status, headers=headers)


def caller(request: web.Request) -> Token | None:
    """Whose call it is; None: a stranger's. A token that is not known is refused everywhere."""
    given = request.headers.get("Authorization", "")
    if not given:
        return None
    token = request.app[TOKENS].get(given.removeprefix("Bearer "))
    if token is None:
        raise RefusedError(401, "Invalid credentials in Authorization header")
    return token


def name_of(request: web.Request) -> Name:
    """The repository in the path of a call."""
    kind = request.match_info.get("kind", "models").removesuffix("s")
    return cast(RepoType, kind), f"{request.match_info['org']}/{request.match_info['name']}"


def writer(request: web.Request, namespace: str) -> Token:
    """The caller, who may write in a namespace."""
    token = caller(request)
    if token is None:
        raise RefusedError(401, "Invalid username or password.")
    if token.role == "read":
        raise RefusedError(403, "You don't have the required permissions: this token may only read")
    if not token.owns(namespace):
        raise RefusedError(403, f"You don't have the rights to create a repository under the namespace {namespace!r}")
    return token


def opened(request: web.Request, *, write: bool = False) -> tuple[Name, Repository]:
    """The repository in the path, where the caller may see it, or change it."""
    token, name = caller(request), name_of(request)
    namespace = name[1].partition("/")[0]
    try:
        repository = request.app[REPOSITORIES].get(name)
    except NotThereError as error:
        raise RefusedError(404 if token else 401, str(error), error.code) from error
    if repository.private and not (token and token.owns(namespace)):
        raise RefusedError(404 if token else 401, "Repository not found", "RepoNotFound")
    if write:
        writer(request, namespace)
    return name, repository


def check_gate(repository: Repository, token: Token | None, namespace: str) -> None:
    """Refuse the files of a gated repository to all but its owners."""
    if repository.gated and not (token and token.owns(namespace)):
        words = "Access to this repository is restricted and you are not in the authorized list."
        raise RefusedError(403 if token else 401, words, "GatedRepo")
