"""Where a server is and how it is addressed: base_url checked, the key read from the environment and kept out of sight.

The key exists in one private field and in the headers; nothing that is printed, logged, raised or stored may hold it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote_plus, urlsplit

from japagen.errors import ConfigError, ModelError
from japagen.sections import LLMSection

_WORDS = 300  # characters of a server's words that are shown
_LOCAL = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_READ = 2_000  # characters of a server's words that are searched for what looks like a key
_LEAST = 4  # characters of a key; shorter ones stand in any text
_SECRET = re.compile(r"(?i)\bbearer\s+\S+|\bsk-[\w*.…-]{2,}")
_WORD = re.compile(r"[^\s\"']+")
_TOKEN = re.compile(r"[\w-]{6,}")
_SECRET_NAME = re.compile(r"(?i)key|token|secret|sig|password|auth")
_LABEL = re.compile(r"(?i)[a-z0-9_-]{1,63}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server with OpenAI's API.

    Attributes:
        base: scheme, host and path, without a slash at the end.
        query: what followed the question mark in base_url, e.g. ``api-version=2024-10-21``; may be empty.
        host: host and port as they are shown to users.
        key: the key, or "" for a server that needs none.
    """

    base: str
    query: str
    host: str
    key: str = field(default="", repr=False)

    @classmethod
    def from_settings(cls, section: LLMSection) -> Endpoint:
        """The endpoint of an experiment's section; the key comes from the variable that it names.

        Raises:
            ConfigError: base_url is none of a server, or a hosted server has no key.
        """
        parts = check_address(section.base_url)
        key = os.environ.get(section.api_key_env, "").strip()
        if any(not "!" <= char <= "~" for char in key):
            raise ConfigError(
                f"the key in {section.api_key_env} holds characters that no key has",
                where="llm.api_key_env",
                remedy=f"set {section.api_key_env} to the key alone, without quotes, spaces or line breaks",
            )
        host = parts.netloc.rpartition("@")[2].lower()
        if not key and not is_local(parts.hostname or ""):
            raise ConfigError(
                f"the server {host} needs a key, and the environment variable {section.api_key_env} is not set",
                where="llm.api_key_env",
                remedy=f"set it: export {section.api_key_env}=...; or name another variable in llm.api_key_env",
            )
        return cls(f"{parts.scheme}://{host}{parts.path.rstrip('/')}", parts.query, host, key)

    @property
    def path(self) -> str:
        """The path of `base`, e.g. ``/v1``."""
        return urlsplit(self.base).path

    def url(self, path: str) -> str:
        """The address of an operation, e.g. of ``/chat/completions``; base_url's query follows the path."""
        return f"{self.base}{path}" + (f"?{self.query}" if self.query else "")

    def headers(self) -> dict[str, str]:
        """What identifies us to the server; without a key nothing."""
        if not self.key:
            return {}
        hostname = urlsplit(self.base).hostname or ""
        if hostname.endswith(".azure.com"):
            return {"api-key": self.key}
        return {"Authorization": f"Bearer {self.key}"}

    def without_key(self, text: str) -> str:
        """A text of the server's with "[key]" for the key, also where it is spelled with JSON's escapes."""
        if len(self.key) < _LEAST:
            return text
        text = text.replace(self.key, "[key]")
        return _spelled(self.key).sub("[key]", text) if "\\" in text else text

    def scrub(self, text: str) -> str:
        """A server's words as they may be shown: no key or piece of one, no control characters, about 300 characters.

        Empty where the words spell the key with something between its letters.
        """
        text = self.without_key(text[:20_000])
        for _, value in parse_qsl(self.query):
            if len(value) >= 16:
                text = text.replace(value, "[key]")
        text = _SECRET.sub("[key]", text[:_READ])
        text = _WORD.sub(lambda found: "[key]" if "***" in found[0] else found[0], text)
        text = _TOKEN.sub(lambda found: "[key]" if found[0] in self.key else found[0], text)
        if len(self.key) >= _LEAST and self.key in "".join(char for char in text if char.isprintable() and char != " "):
            return ""
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return text if len(text) <= _WORDS else text[: _WORDS - 1] + "…"

    def error(self, what: str, *, words: str = "", remedy: str = "") -> ModelError:
        """An error of this server, its words scrubbed."""
        said = self.scrub(words)
        return ModelError(f"{what}: {said}" if said else what, where=f"server {self.host}", remedy=remedy)


@lru_cache(maxsize=8)
def _spelled(key: str) -> re.Pattern[str]:
    """A key whose characters may each stand as an escape of JSON's."""
    return re.compile("".join(rf"(?:\\?{re.escape(char)}|\\u(?i:{ord(char):04x}))" for char in key))


def check_address(base_url: str) -> SplitResult:
    """The parts of a base_url that can be used; the address itself is not shown, since it may hold a password.

    Raises:
        ConfigError: it is none of a server, or holds what may be a key.
    """
    remedy = "write it like https://api.openai.com/v1 or http://localhost:8000/v1"
    try:
        parts = urlsplit(base_url.strip())
        hostname, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"not an address: {error}", where="llm.base_url", remedy=remedy) from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "an address with a user name or password is not accepted",
            where="llm.base_url",
            remedy="write the address without it, and put the key into the variable that llm.api_key_env names",
        )
    if parts.scheme not in ("http", "https") or not hostname or any(char.isspace() for char in base_url.strip()):
        raise ConfigError(
            "not the address of a server (http or https, and a host)", where="llm.base_url", remedy=remedy
        )
    if not all("!" <= char <= "~" for char in base_url.strip()) or not _is_host(hostname):
        raise ConfigError(
            "the address holds a host that no server has, or characters that no address has",
            where="llm.base_url",
            remedy=f"{remedy}; a host outside ASCII in its xn-- form, other parts percent-encoded",
        )
    names = [unquote_plus(part.partition("=")[0]) for part in re.split("[&;]", parts.query)]
    if parts.fragment or _SECRET.search(unquote_plus(parts.query)) or any(map(_SECRET_NAME.search, names)):
        raise ConfigError(
            "what follows the path may hold a key (a parameter named like one, or a part after #), and settings are stored",
            where="llm.base_url",
            remedy="leave it out, and put the key into the variable that llm.api_key_env names; api-version may stay",
        )
    if parts.path.rstrip("/").endswith("/chat/completions"):
        raise ConfigError(
            "the address goes too far: /chat/completions is added by japagen",
            where="llm.base_url",
            remedy="end it before, usually with /v1",
        )
    return parts


def _is_host(hostname: str) -> bool:
    """Whether it is an IP address, or a name of labels as DNS has them."""
    try:
        ipaddress.ip_address(hostname)
    except ValueError:
        return len(hostname) <= 253 and all(map(_LABEL.fullmatch, hostname.removesuffix(".").split(".")))
    return True


def is_local(hostname: str) -> bool:
    """Whether a host is this machine or one of a private network, which usually asks for no key.

    >>> [is_local(host) for host in ("localhost", "127.0.0.1", "10.0.0.7", "vllm", "api.openai.com", "8.8.8.8")]
    [True, True, True, True, False, False]
    """
    try:
        address = ipaddress.ip_address(hostname)
    except ValueError:
        return "." not in hostname or hostname.endswith(_LOCAL)
    return address.is_loopback or address.is_private or address.is_link_local
