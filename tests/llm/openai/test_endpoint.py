"""Addresses and keys: what is accepted, what is sent, and that no key is shown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import ConfigError
from japagen.llm.openai.endpoint import Endpoint
from japagen.sections import LLMSection

KEY = "sk-planted-0123456789abcdefXYZ"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def endpoint(base_url: str) -> Endpoint:
    return Endpoint.from_settings(LLMSection(name="openai:m", base_url=base_url))


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    local = endpoint("http://localhost:8000/v1/")
    assert (local.host, local.path, local.headers()) == ("localhost:8000", "/v1", {})
    assert local.url("/chat/completions") == "http://localhost:8000/v1/chat/completions"
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    azure = endpoint("https://me.openai.azure.com/openai/deployments/d?api-version=2024-10-21")
    assert azure.url("/chat/completions").endswith("/deployments/d/chat/completions?api-version=2024-10-21")
    assert azure.headers() == {"api-key": KEY}
    assert endpoint("https://api.openai.com/v1").headers() == {"Authorization": f"Bearer {KEY}"}
    assert endpoint("http://notazure.com/v1").headers() == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.openai.com/v1",
        "ftp://localhost/v1",
        "http://",
        "http://[::1/v1",
        "http://localhost:x/v1",
        "http://local host/v1",
        "localhost:8000",
        "http://localhost:99999/v1",
        "http://localhost/v1/chat/completions",
        "http://.local/v1",
        "http://a..b.local/v1",
        f"http://{'a' * 64}.local/v1",
        f"http://{'a.' * 127}local/v1",
        "http://\ud800.local/v1",
        "http://localhost/\udc00",
        "http://１２７.0.0.1/v1",
        "http://localhost:８０００/v1",
        "http://a%20b.local/v1",
    ],
)
def test_what_is_no_address(base_url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint(base_url)
    assert caught.value.where == "llm.base_url"
    assert caught.value.remedy


def test_an_address_with_a_password_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint("https://me:hunter2@localhost/v1")
    assert "hunter2" not in str(caught.value)
    assert "llm.api_key_env" in caught.value.remedy


@pytest.mark.parametrize(
    "after",
    [
        "?api-key=hunter2",
        "?a=1&Access_Token=hunter2",
        "?a=1;sig=hunter2",
        "?%6Bey=hunter2",
        "?hunter2secret",
        "?v=sk-hunter2",
        "?v=Bearer+hunter2",
        "#hunter2",
    ],
)
def test_a_key_in_the_address_is_refused_and_not_shown(after: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint(f"http://localhost/v1{after}")
    assert "hunter2" not in str(caught.value)
    assert "llm.api_key_env" in caught.value.remedy


def test_other_parameters_stay() -> None:
    assert endpoint("http://localhost/v1?api-version=1&region=jp").query == "api-version=1&region=jp"


@pytest.mark.parametrize("host", ["api.openai.com", "8.8.8.8", "example.co.jp", "localhost.example.com"])
def test_a_hosted_server_needs_a_key(host: str) -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        endpoint(f"https://{host}/v1")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:1", "localhost", "192.168.1.5", "[::1]:8000", "gpu1", "gpu1.local", "10.1.2.3", "gpu_1.local"],
)
def test_a_private_server_needs_none(host: str) -> None:
    assert endpoint(f"http://{host}/v1").headers() == {}


def test_a_key_with_odd_characters_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\nX-Other: 1")
    with pytest.raises(ConfigError) as caught:
        endpoint("http://localhost/v1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        f"Incorrect API key provided: {KEY}.",
        "Incorrect API key provided: sk-plan*****************fXYZ. Find it at ...",
        "Incorrect API key provided: sk-other-project-key",
        f"header was Authorization: Bearer {KEY}",
        "the key plan***XYZ is wrong",
        f"the key begins with {KEY[:12]} and ends with {KEY[-9:]}",
        "x" * 290 + KEY,
    ],
)
def test_servers_echo_keys(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shown = str(endpoint("http://localhost/v1").error("refused", words=words))
    assert not any(KEY[i : i + 6] in shown for i in range(len(KEY) - 5))
    assert "sk-" not in shown
    assert "XYZ" not in shown


@pytest.mark.parametrize("between", [" ", "\u200b", "\n", "\u3000", " \t "])
def test_words_that_spell_the_key_are_not_shown(between: str) -> None:
    shown = Endpoint("http://h/v1", "", "h", KEY)
    assert shown.scrub(f"the key {between.join(KEY)} is wrong") == ""
    assert shown.scrub(f"the key {KEY[:14]}{between}{KEY[14:]} is wrong").count(KEY[14:]) == 0
    assert str(shown.error("refused", words=between.join(KEY))) == "server h: refused"


def test_the_key_is_taken_out_of_texts() -> None:
    shown = Endpoint("http://h/v1", "", "h", 'Pa/1"')
    for spelled in ('Pa/1"', 'Pa\\/1\\"', "\\u0050a\\u002F1\\u0022", 'Pa\\u002f1"'):
        assert shown.without_key(f"鍵は{spelled}です") == "鍵は[key]です"
    assert shown.without_key("Pa/1 と \\u0050a") == "Pa/1 と \\u0050a"
    assert Endpoint("http://h/v1", "", "h", "abc").without_key("abc") == "abc"  # too short to be told from words
    assert Endpoint("http://h/v1", "", "h").without_key("a\\") == "a\\"


@pytest.mark.parametrize("words", ["x" * 10**6, "*" * 10**6, "bearer " * 10**5, "a**" * 10**5, "bearer" + " " * 10**6])
def test_long_words_take_no_time(words: str) -> None:
    shown = Endpoint("http://h/v1", "", "h", KEY)
    began = time.process_time()
    for _ in range(20):
        shown.scrub(words)
    assert time.process_time() - began < 10.0  # a search in quadratic time takes far longer


def test_words_are_short_and_printable() -> None:
    shown = endpoint("http://localhost/v1").scrub("a\x1b[31mb\r\nc\x00" + "長い" * 1000)
    assert shown.startswith("a [31mb c 長い")
    assert len(shown) == 300


@given(st.text(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40), st.text())
def test_no_key_survives_scrubbing(before: str, key: str, after: str) -> None:
    shown = Endpoint("http://h/v1", "", "h", key).scrub(before + key + after)
    assert key not in shown.replace("[key]", "")
    assert len(shown) <= 300
    assert all(char.isprintable() for char in shown)


def test_the_key_is_not_in_the_repr() -> None:
    assert KEY not in repr(Endpoint("http://h/v1", "", "h", KEY))
