"""What the hub refuses, in words of ours: what is wrong and what to do. The token is in none of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from japagen.errors import HubError

if TYPE_CHECKING:
    from japagen.push.destination import Destination

AGAIN = "the same command goes on where it stopped"
_LONGEST = 200  # characters repeated of what the hub says
_QUOTA = ("quota", "storage limit", "storage usage", "payment", "billing", "exceeded your")


def explain(error: BaseException, to: Destination) -> HubError | None:
    """What a failed call of huggingface_hub means for the user; None: it is none that we know, so a bug."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    where = f"{to.endpoint}, {to.repo_id}"
    match root(error):
        case HubError() as ours:
            return ours
        case OfflineModeIsEnabled():
            remedy = "unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE"
            return HubError("huggingface_hub is told to stay offline", where=where, remedy=remedy)
        case HfHubHTTPError() as refused:
            words = visible(refused.server_message or "", to.token)
            return _refused(refused.response.status_code, refused.response.headers.get("X-Error-Code", ""), words, to)
        case httpx2.HTTPError() as broken:
            what = f"the hub cannot be reached ({type(broken).__name__}: {visible(str(broken), to.token)})"
            remedy = f"check the network, a proxy and HF_ENDPOINT; {AGAIN}"
            return HubError(what.replace(": )", ")"), where=where, remedy=remedy)
        case json.JSONDecodeError() | UnicodeDecodeError() | KeyError() | RecursionError():
            remedy = "check HF_ENDPOINT: a proxy or a page for people may stand in between"
            return HubError("what answers there does not speak as the hub does", where=where, remedy=remedy)
        case ValueError() as wrong:
            words = visible(str(wrong), to.token)
            if "README.md" in words:
                remedy = "see whether --licence names one that the hub knows; else report it to japagen"
                return HubError(f"the hub does not take the card: {words}", where=where, remedy=remedy)
            if any(word in words.lower() for word in _QUOTA):
                return _quota(words, to)
            return HubError(f"the hub does not take a file: {words}", where=where, remedy=AGAIN)
        case _ if _of_a_library(root(error)):  # huggingface_hub trips over an answer that it did not expect
            remedy = "check HF_ENDPOINT: a proxy or a page for people may stand in between"
            return HubError("what answers there does not speak as the hub does", where=where, remedy=remedy)
    return None


def _of_a_library(error: BaseException) -> bool:
    """Whether an error arose in code that is not ours, of a kind that a wrong answer causes."""
    if not isinstance(error, TypeError | AttributeError | LookupError | NameError):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and not str(trace.tb_frame.f_globals.get("__name__", "")).startswith("japagen")


def root(error: BaseException) -> BaseException:
    """What went wrong, out of what huggingface_hub has wrapped it in."""
    while isinstance(error, RuntimeError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def visible(words: str, token: str) -> str:
    """What the hub says, without the token, as one short line."""
    line = " ".join((words.replace(token, "***") if token else words).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _refused(status: int, code: str, words: str, to: Destination) -> HubError:
    where, said = f"{to.endpoint}, {to.repo_id}", f": {words}" if words else ""
    namespace, tokens = to.repo_id.partition("/")[0], f"{to.endpoint}/settings/tokens"
    if status == 402 or (status in (400, 403, 413) and any(word in words.lower() for word in _QUOTA)):
        return _quota(words, to)
    match status:
        case 401:
            what = f"the hub does not accept the token in HF_TOKEN{said}"
            remedy = f"make one with the right to write at {tokens}, and set HF_TOKEN to it"
        case 403:
            what = f"the token in HF_TOKEN has no right to do this{said}"
            remedy = (
                f"it needs the role 'write', or as a fine-grained one 'Write access to contents/settings of all repos' "
                f"of {namespace}, whose member you must be: {tokens}"
            )
        case 404 if code == "RevisionNotFound":
            what, remedy = f"there is no branch '{to.revision}'", AGAIN
        case 404:
            what = f"there is no such repository or page{said}"
            remedy = f"check the name, HF_ENDPOINT, and that {namespace} is a user or organisation of yours"
        case 409 | 412:
            what, remedy = f"somebody else is changing the repository now{said}", AGAIN
        case 413:
            what = f"the hub finds a file or the push too large{said}"
            remedy = "push the parts alone (--only data, --only model); --dry-run shows the sizes"
        case 429:
            what, remedy = f"the hub has had too many calls from you{said}", f"wait some minutes; {AGAIN}"
        case _ if status >= 500:
            what, remedy = f"the hub is out of order (HTTP {status}){said}", f"wait some minutes; {AGAIN}"
        case _:
            what, remedy = (
                f"the hub refuses (HTTP {status}){said}",
                "mend what it says, and give the same command again",
            )
    return HubError(what, where=where, remedy=remedy)


def _quota(words: str, to: Destination) -> HubError:
    remedy = f"make room, or take a larger plan ({to.endpoint}/settings/billing); {AGAIN}"
    return HubError(f"no room is left at the hub: {words}", where=f"{to.endpoint}, {to.repo_id}", remedy=remedy)
