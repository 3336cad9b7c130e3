"""What a user is told when a server refuses for good: the server's words without the key, and what to do about it."""

from __future__ import annotations

from japagen.errors import ModelError
from japagen.llm.openai.endpoint import Endpoint
from japagen.llm.openai.responses import Trouble
from japagen.llm.openai.wire import model_of
from japagen.sections import LLMSection

_SHORTER = "the prompt is too long: use fewer or shorter shots, lower llm.max_tokens, or another model"


def refusal(trouble: Trouble, endpoint: Endpoint, settings: LLMSection) -> ModelError:
    """The error of a run whose server gave this answer."""
    if trouble.reason == "insufficient_quota":
        what, remedy = "the account has no quota left", "add credit, then give the same command again: replies are kept"
    else:
        what = f"refused the request (HTTP {trouble.status})"
        remedy = _remedy(trouble, endpoint, settings)
    return endpoint.error(what, words=trouble.words, remedy=remedy)


def redirected(endpoint: Endpoint, status: int, target: str) -> ModelError:
    """The error of a server that answers with a redirect; following it could hand the key to somebody else."""
    to = f" to {endpoint.scrub(target)}" if target else ""
    return endpoint.error(
        f"redirects{to} (HTTP {status}), which is not followed, as the key would go along",
        remedy="correct llm.base_url to the address that answers itself (scheme, host, path up to /v1)",
    )


def unreachable(endpoint: Endpoint, why: str) -> ModelError:
    """The error of a server that never answered."""
    return endpoint.error(
        f"no server answers at {endpoint.base}",
        words=why,
        remedy="start the server, or correct llm.base_url; then give the same command again",
    )


def untrusted(endpoint: Endpoint, why: str) -> ModelError:
    """The error of a server with which no encrypted connection is possible."""
    return endpoint.error(
        f"no secure connection to {endpoint.base}",
        words=why,
        remedy="check llm.base_url (http or https), the machine's clock, or SSL_CERT_FILE for a certificate of your own",
    )


def too_long_a_wait(endpoint: Endpoint, seconds: float, deadline: float) -> ModelError:
    """The error of a server that wants us to wait for longer than a request may take."""
    return endpoint.error(
        f"asks us to wait {seconds:,.0f} s, longer than llm.http.deadline ({deadline:,.0f} s)",
        remedy="give the same command again later: it goes on, replies are kept; or raise llm.http.deadline",
    )


def throttled(endpoint: Endpoint, words: str, deadline: float) -> ModelError:
    """The error of a server that says 429 to every call, for as long as a request may take."""
    return endpoint.error(
        f"refuses all calls as too many (HTTP 429), and answered none within llm.http.deadline ({deadline:,.0f} s)",
        words=words,
        remedy="check the account's limits and who else uses them; then give the same command again: replies are kept",
    )


def _remedy(trouble: Trouble, endpoint: Endpoint, settings: LLMSection) -> str:
    words = trouble.words.lower()
    variable = settings.api_key_env
    match trouble.status:
        case 400 | 422 if "max_completion_tokens" in words:
            return "the model wants max_completion_tokens: set llm.reasoning: true"
        case 400 | 422 if "context" in words and any(unit in words for unit in ("length", "window", "size")):
            return _SHORTER
        case 413:
            return _SHORTER
        case 400 | 422:
            return "change the settings it names in the section llm (extra_body, temperature, n, send_seed, ...)"
        case 401 if not endpoint.key:
            return f"the server wants a key: set the environment variable {variable} to it"
        case 401:
            return f"the key in the environment variable {variable} is not accepted: set a valid one"
        case 402:
            return "the account has no credit left: add some, then give the same command again: replies are kept"
        case 403:
            return f"the key in {variable} may not use model '{model_of(settings)}', or not from here"
        case 404 | 405:
            name = model_of(settings)
            return f"check the model's name ('{name}') and llm.base_url ({endpoint.base}), which usually ends in /v1"
        case _:
            return "check llm.base_url and the settings of the section llm"
