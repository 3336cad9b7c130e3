"""Counting tokens: by the vocabulary, by what was observed, by the defaults; never by the network."""

from __future__ import annotations

import hashlib
import importlib.util
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.llm import tokens
from japagen.llm.tokens import Observed, TokenCounter
from japagen.records import Message

CHAT = (Message("system", "客になりきってください。"), Message("user", "声を一つ書いてください。"))
NUMBERS = st.integers(0, 10**9)


@pytest.fixture(autouse=True)
def vocabularies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty folder of vocabularies, and no network: whoever asks for an address fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    folder = tmp_path / "vocabularies"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield folder
    if folder.exists():
        assert not list(folder.glob("*.tmp"))


def test_without_a_vocabulary_the_measured_ratio_stands_in(vocabularies: Path) -> None:
    counter = TokenCounter.for_model("gpt-4o-mini")
    assert counter.text("あ" * 118) == pytest.approx(100)
    assert counter.prompt(CHAT) == pytest.approx(24 / 1.18 + 2 * 4 + 3)
    assert "1.18 characters per token" in counter.how
    assert "o200k_base" in counter.how
    assert not vocabularies.exists()


def test_every_model_is_counted_and_the_way_is_told() -> None:
    assert "cl100k_base" in TokenCounter.for_model("gpt-3.5-turbo-0613").how
    assert "cl100k_base" in TokenCounter.for_model("gpt-4-turbo").how
    for model in ("gpt-4o", "gpt-4.1-nano", "gpt-5-mini-2025-08-07", "o3", "o4-mini"):
        assert "o200k_base" in TokenCounter.for_model(model).how
    assert "Gemma 3" in TokenCounter.for_model("embedded").how
    assert "not known" in TokenCounter.for_model("my/own-model").how
    assert TokenCounter.for_model("my/own-model").text("あ" * 118) == pytest.approx(100)


def test_what_was_observed_goes_before_the_defaults() -> None:
    seen = Observed(replies=10, prompt_characters=3000, prompt_tokens=2000)
    counter = TokenCounter.for_model("my/own-model", seen)
    assert counter.text("あ" * 15) == pytest.approx(10)
    assert counter.prompt(CHAT) == pytest.approx(16)  # the tokens between messages are in what was observed
    assert counter.how == "1.50 characters per token, measured on 10 replies of this run"
    for nothing in (Observed(), Observed(replies=5, prompt_characters=100), Observed(replies=5, prompt_tokens=9)):
        assert "not known" in TokenCounter.for_model("my/own-model", nothing).how


def test_the_scripted_model_is_counted_as_it_counts() -> None:
    counter = TokenCounter.for_model("scripted", Observed(1, 10, 99))
    assert counter.prompt(CHAT) == sum(len(m.content) for m in CHAT)


def test_a_vocabulary_that_is_here_counts_exactly(vocabularies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiktoken = pytest.importorskip("tiktoken")
    data = b"a vocabulary"
    monkeypatch.setattr(tokens, "_FILES", {"o200k_base": ("file", hashlib.sha256(data).hexdigest())})
    in_bytes = tiktoken.Encoding(
        "bytes", pat_str=r".", mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={"<|end|>": 256}
    )
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: in_bytes)
    assert TokenCounter.for_model("gpt-4o").text("あい") == pytest.approx(2 / 1.18)
    vocabularies.mkdir()
    (vocabularies / "file").write_bytes(data)
    counter = TokenCounter.for_model("gpt-4o", Observed(1, 10, 99))
    assert counter.text("あい") == 6
    assert counter.text("<|end|>") == 7  # control tokens in a text are text
    assert counter.text("") == 0
    assert counter.prompt(CHAT) == 3 * 24 + 2 * 4 + 3
    assert counter.how == "counted with the model's vocabulary (o200k_base)"


@pytest.mark.parametrize("content", [b"", b"half a vocab"])
def test_a_damaged_vocabulary_is_neither_used_nor_fetched_nor_deleted(vocabularies: Path, content: bytes) -> None:
    vocabularies.mkdir()
    file = vocabularies / tokens._FILES["o200k_base"][0]
    file.write_bytes(content)
    assert "characters per token" in TokenCounter.for_model("gpt-4o").how
    assert file.read_bytes() == content


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_a_vocabulary_is_not_used_where_tiktoken_is_told_to_keep_none(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fetch it anew, whatever lies in the usual folder."""
    data = b"a vocabulary"
    monkeypatch.setattr(tokens, "_FILES", {"o200k_base": ("file", hashlib.sha256(data).hexdigest())})
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "data-gym-cache").mkdir()
    (tmp_path / "data-gym-cache" / "file").write_bytes(data)
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.setenv(variable, "")
    assert "characters per token" in TokenCounter.for_model("gpt-4o").how


def test_without_tiktoken_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert TokenCounter.for_model("gpt-4o").how.endswith("exact with: pip install 'japagen[tokens]'")
    assert "pip install" not in TokenCounter.for_model("embedded").how


@given(st.builds(Observed, NUMBERS, NUMBERS, NUMBERS), st.builds(Observed, NUMBERS, NUMBERS, NUMBERS))
def test_observations_add_up(a: Observed, b: Observed) -> None:
    assert a + b == b + a
    assert a + Observed() == a


@given(st.lists(st.text(max_size=40), max_size=6), st.floats(0.1, 10))
def test_a_prompt_is_the_sum_of_its_messages(texts: list[str], ratio: float) -> None:
    counter = TokenCounter.by_characters(ratio, how="")
    messages = [Message("user", text) for text in texts]
    assert counter.prompt(messages) == pytest.approx(sum(map(len, texts)) / ratio)


def test_a_token_has_characters() -> None:
    with pytest.raises(ValueError, match="has characters"):
        TokenCounter.by_characters(0, how="")
