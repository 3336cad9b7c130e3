"""How huggingface_hub behaves while we push: no telemetry, no progress bars, no xet, no call without an end.

Its settings and its HTTP client belong to the whole process; they are put back afterwards. Large files go over plain HTTP
(LFS), which every hub speaks; the files of a run are small enough for it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from japagen.errors import HubError, MissingExtra
from japagen.push.failures import AGAIN

if TYPE_CHECKING:
    import httpx2

LONGEST_WAIT = 300  # seconds that we let the hub ask us to wait
_TIMEOUT, _CONNECT = 120.0, 15.0  # seconds without a byte; seconds until a connection stands


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Set huggingface_hub up for a push, and put it back.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        from huggingface_hub import constants, set_client_factory
        from huggingface_hub.utils import _http
        from huggingface_hub.utils import logging as hub_logging
        from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    except ImportError as error:
        raise MissingExtra("huggingface_hub", "hub", needed_by="japagen push") from error

    usual = _http._GLOBAL_CLIENT_FACTORY
    flags = {name: getattr(constants, name) for name in ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY")}
    verbosity, bars = hub_logging.get_verbosity(), not are_progress_bars_disabled()

    def client() -> httpx2.Client:
        made = usual()
        made.timeout = _timeout()
        made.event_hooks = {**made.event_hooks, "response": [*made.event_hooks["response"], _patient]}
        return made

    try:
        for name in flags:
            setattr(constants, name, True)
        hub_logging.set_verbosity(logging.ERROR)
        if bars:
            disable_progress_bars()
        set_client_factory(client)
        with warnings.catch_warnings():
            for known in (
                "Use 'content=",
                "Warnings while validating metadata",
            ):  # of its own making; not for our users
                warnings.filterwarnings("ignore", message=known)
            yield
    finally:
        set_client_factory(usual)
        hub_logging.set_verbosity(verbosity)
        if bars:
            enable_progress_bars()
        for name, value in flags.items():
            setattr(constants, name, value)


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds that an answer asks us to wait; None where it does not say, or not in seconds."""
    given = response.headers.get("Retry-After", "").strip()
    return float(given) if given.isascii() and given.isdigit() else None


def _patient(response: httpx2.Response) -> None:
    """Refuse to wait for hours: huggingface_hub would, and say nothing."""
    wait = retry_after(response)
    if response.status_code in (429, 503) and wait is not None and wait > LONGEST_WAIT:
        what = f"the hub asks us to come again in {wait:.0f} seconds (HTTP {response.status_code})"
        raise HubError(what, where=str(response.request.url.copy_with(path="/")), remedy=f"wait so long; {AGAIN}")


def _timeout() -> httpx2.Timeout:
    import httpx2

    return httpx2.Timeout(_TIMEOUT, connect=_CONNECT)
