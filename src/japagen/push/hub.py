"""One push to one repository, as one commit: it is made if need be, and unchanged files make no commit.

A list of what was pushed, `japagen.json`, goes with the files. By it the next push knows the repository as its own, and
removes what it no longer holds.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from japagen.errors import HubError
from japagen.push.destination import Destination
from japagen.push.failures import explain, root, visible
from japagen.push.session import retry_after

Kind = Literal["dataset", "model"]
Say = Callable[[str], None]
Files = Mapping[str, bytes | Path]

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MANIFEST = "japagen.json"
TRIES = 4  # of a push, where the hub or the network fails in passing
_PASSING = (408, 429, 500, 502, 503, 504)
_FROM_THE_HUB = {".gitattributes", "README.md", "LICENSE", ".gitignore"}  # what a new repository may hold
_WORDS = {"dataset": "data set", "model": "model"}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was pushed, or would be.

    Attributes:
        kind: data set or model.
        url: its page.
        files: bytes of each file.
        commit: digest of the commit that now stands there; "" where nothing was sent.
        changed: whether it is a new one.
    """

    kind: Kind
    url: str
    files: Mapping[str, int]
    commit: str = ""
    changed: bool = False


def page(to: Destination, kind: Kind) -> str:
    """The page of a repository."""
    return f"{to.endpoint}/{'datasets/' if kind == 'dataset' else ''}{to.repo_id}"


def with_manifest(files: Files) -> dict[str, bytes | Path]:
    """The files, and the list of them."""
    listed = json.dumps({"made_by": "japagen", "files": sorted(files)}, ensure_ascii=False, indent=1)
    return {**files, MANIFEST: listed.encode() + b"\n"}


def sizes(files: Files) -> dict[str, int]:
    """Bytes of each file."""
    found = {path: len(held) if isinstance(held, bytes) else held.stat().st_size for path, held in files.items()}
    return dict(sorted(found.items()))


def send(files: Files, kind: Kind, to: Destination, *, say: Say) -> Pushed:
    """Push files to a repository; what fails in passing is tried again, and goes on where it stopped.

    Args:
        files: by their place in the repository; `japagen.json` comes with them.
        kind: of the repository.
        to: where.
        say: told of notices and of waits.

    Raises:
        HubError: the hub refuses, cannot be reached, or the repository is somebody else's.
    """
    files = with_manifest(files)
    heads: list[str] = []
    commit = _persist(lambda: _commit(files, kind, to, heads, say), to, say)
    return Pushed(kind, page(to, kind), sizes(files), commit, commit != heads[0])


def check_token(to: Destination, *, say: Say) -> None:
    """Make sure that the hub knows the token and lets it write.

    Raises:
        HubError: it does not.
    """
    found = _persist(_api(to).whoami, to, say)
    try:
        role = found["auth"]["accessToken"]["role"]
    except (KeyError, TypeError):
        return
    if role == "read":
        remedy = f"make one with the role 'write' at {to.endpoint}/settings/tokens, and set HF_TOKEN to it"
        raise HubError("the token in HF_TOKEN may only read", where=f"{to.endpoint}, {to.repo_id}", remedy=remedy)


def _api(to: Destination) -> HfApi:
    from huggingface_hub import HfApi

    version = metadata.version("japagen")
    return HfApi(endpoint=to.endpoint, token=to.token, library_name="japagen", library_version=version)


def _persist(action: Callable[[], T], to: Destination, say: Say) -> T:
    """Do it, again and again where the failure is a passing one; every failure becomes a HubError."""
    for tries in range(1, TRIES + 1):
        try:
            return action()
        except Exception as error:
            wait = _passing(error, tries)
            known = explain(error, to)
            if known is None:
                raise
            if wait is None or tries == TRIES:
                raise known from None  # what huggingface_hub says may repeat headers
        say(f"{known.what}; again in {wait:.0f} s")
        time.sleep(wait)
    raise AssertionError("not reached")


def _passing(error: Exception, tries: int) -> float | None:
    """Seconds to wait before the next try; None where waiting does not help."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    match root(error):
        case HfHubHTTPError() as refused if refused.response.status_code in _PASSING:
            return retry_after(refused.response) or 2.0 ** (tries - 1)
        case httpx2.TransportError():
            return 2.0 ** (tries - 1)
    return None


def _commit(files: Files, kind: Kind, to: Destination, heads: list[str], say: Say) -> str:
    """One try: the digest of the commit that then stands there. What stood there before is added to `heads`."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    api = _api(to)
    _prepare(api, kind, to, say)
    there = api.repo_info(to.repo_id, repo_type=kind, revision=to.revision)
    heads.append(str(there.sha))
    present = set(api.list_repo_files(to.repo_id, repo_type=kind, revision=there.sha))
    gone = _left_by_us(api, kind, to, str(there.sha), present) - files.keys()
    adds = [
        CommitOperationAdd(path, held if isinstance(held, bytes) else str(held)) for path, held in sorted(files.items())
    ]
    made = api.create_commit(
        to.repo_id,
        [*adds, *(CommitOperationDelete(path, is_folder=False) for path in sorted(gone))],
        commit_message=f"{_WORDS[kind].capitalize()} from japagen",
        repo_type=kind,
        revision=to.revision,
        parent_commit=there.sha,
    )
    return str(made.oid)


def _prepare(api: HfApi, kind: Kind, to: Destination, say: Say) -> None:
    """The repository and its branch, made where they are not there."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        there = api.repo_info(to.repo_id, repo_type=kind)
    except RepositoryNotFoundError:
        api.create_repo(to.repo_id, repo_type=kind, private=to.private, exist_ok=True)
    else:
        if to.private and there.private is not True:  # also where it does not say
            what = f"the {_WORDS[kind]} is public already, and you have not asked for that"
            raise HubError(what, where=page(to, kind), remedy="add --public, or choose another name")
        if not to.private and there.private:
            say(f"{page(to, kind)} is private and stays so; it can be published in its settings")
    if to.revision != "main":
        api.create_branch(to.repo_id, branch=to.revision, repo_type=kind, exist_ok=True)


def _left_by_us(api: HfApi, kind: Kind, to: Destination, commit: str, present: set[str]) -> set[str]:
    """The files that an earlier push has left in a commit.

    Raises:
        HubError: the repository holds files, and none of them is from us.
    """
    if MANIFEST not in present:
        if foreign := sorted(present - _FROM_THE_HUB):
            what = f"the {_WORDS[kind]} holds '{visible(foreign[0], to.token)}', which japagen has not pushed"
            remedy = "choose another name, or another branch with --revision, so that nothing of it is overwritten"
            raise HubError(what, where=page(to, kind), remedy=remedy)
        return set()
    with tempfile.TemporaryDirectory() as folder:
        file = api.hf_hub_download(to.repo_id, MANIFEST, repo_type=kind, revision=commit, local_dir=folder)
        try:
            listed = json.loads(Path(file).read_text("utf-8"))["files"]
            return {name for name in listed if isinstance(name, str)} & present
        except (ValueError, LookupError, TypeError):
            return set()
