"""Responses as answers or troubles: any bytes give a value."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.llm.openai.responses import (
    LOADING,
    Answer,
    Choice,
    Trouble,
    enough_japanese,
    read_response,
    score_choices,
    without_key,
)
from japagen.records import Request


def answer(content: Any = "良い本でした。", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish, **more}
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    return {"model": "tiny-1", "system_fingerprint": "fp_1", "choices": [choice], "usage": usage}


def read(value: Any, status: int = 200) -> Answer | Trouble:
    return read_response(status, json.dumps(value).encode())


def first(value: Any) -> Any:
    found = read(value)
    assert isinstance(found, Answer)
    return found.choices[0]


def test_a_good_answer() -> None:
    found = read(answer())
    assert isinstance(found, Answer)
    assert (found.choices[0].text, found.choices[0].finish) == ("良い本でした。", "stop")
    assert (found.prompt_tokens, found.completion_tokens) == (12, 5)
    assert (found.model, found.fingerprint) == ("tiny-1", "fp_1")


@pytest.mark.parametrize(
    ("told", "finish"),
    [("stop", "stop"), ("length", "length"), ("max_tokens", "length"), ("content_filter", "content_filter")]
    + [(odd, "stop") for odd in (None, "eos", 3, [])],
)
def test_how_a_text_ended(told: Any, finish: str) -> None:
    assert first(answer(finish=told)).finish == finish


def test_contents_in_other_forms() -> None:
    assert first(answer(content=None)).text == ""
    parts = [{"type": "thinking", "text": "考え"}, {"type": "text", "text": "良い"}, {"type": "text", "text": "本"}]
    assert first(answer(content=parts)).text == "良い本"
    refused = answer(content=None)
    refused["choices"][0]["message"]["refusal"] = "お答えできません。"
    assert (first(refused).text, first(refused).finish) == ("お答えできません。", "content_filter")


def test_half_a_character_is_repaired() -> None:
    raw = json.dumps(answer()).encode().replace(b"\\u826f", b"\\ud83d")
    found = read_response(200, raw)
    assert isinstance(found, Answer)
    assert found.choices[0].text == "?い本でした。"
    found = read_response(200, json.dumps(answer(), ensure_ascii=False).encode()[:-3] + b"\xff\xfe}}")
    assert isinstance(found, Trouble)


def test_a_byte_order_mark_is_cut() -> None:
    assert read_response(200, b"\xef\xbb\xbf" + json.dumps(answer()).encode()) == read(answer())


@pytest.mark.parametrize("coding", ["cp932", "euc-jp"])
def test_a_text_of_another_coding_is_asked_for_again(coding: str) -> None:
    raw = json.dumps(answer(), ensure_ascii=False).encode(coding)
    assert read_response(200, raw) == Trouble("again", "malformed reply")
    assert first(answer("良い本でした\ufffd")).text == "良い本でした\ufffd"


def test_every_string_is_cleaned() -> None:
    def clean(text: str) -> str:
        return text.replace("KEY", "-")

    found = without_key(Answer((Choice("aKEY"), Choice("KEYb", "length")), 1, 2, "KEY", "fpKEY"), clean)
    assert found == Answer((Choice("a-"), Choice("-b", "length")), 1, 2, "-", "fp-")
    assert without_key(Trouble("again", "KEY", "bad KEY"), clean) == Trouble("again", "-", "bad -")


@pytest.mark.parametrize("likelihood", ["800", "0.5", "1e308", "1" + "0" * 400, "NaN", "-1e308", "-Infinity", "true"])
def test_likelihoods_that_are_none_are_ignored(likelihood: str) -> None:
    other = '{"token": "は\\ud800", "logprob": ' + likelihood + "}"
    position = '{"token": "い", "logprob": -0.5, "top_logprobs": [' + other + "]}"
    raw = json.dumps(answer(logprobs={"content": ["HERE"]})).replace('"HERE"', position).encode()
    found = read_response(200, raw)
    assert isinstance(found, Answer)
    assert found.choices[0].first == (("い".encode(), -0.5),)


def test_least_likelihoods_are_no_error() -> None:
    assert score_choices(("はい", "いいえ"), [("は".encode(), -1e6), ("い".encode(), 0.01)])[1] == pytest.approx(0.01)
    assert score_choices(("はい", "いいえ"), [("は".encode(), -1e6)]) == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [1]}',
        b'{"choices": [{"message": 1}]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b"<html>busy</html>",
        b'{"choices": [{"mess',
        b"[" * 100000,
        b'{"choices": {"message": {}}}',
        b'{"error": "overloaded"}',
        b"\xff",
    ],
)
def test_a_body_of_another_shape_is_asked_for_again(raw: bytes) -> None:
    assert read_response(200, raw) == Trouble("again", "malformed reply")


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {"prompt_tokens": -3, "completion_tokens": "5"},
        {"prompt_tokens": 2.5},
        {"prompt_tokens": 2**40, "completion_tokens": 10**30},
        {"prompt_tokens": True, "completion_tokens": None},
    ],
)
def test_usage_that_is_none_is_estimated_by_characters(odd: Any) -> None:
    found = read(answer() | {"usage": odd})
    assert isinstance(found, Answer)
    assert (found.prompt_tokens, found.completion_tokens) == (None, len("良い本でした。"))
    assert found.prompt_tokens_or(20) == 20


def test_usage_that_was_reported_is_taken() -> None:
    found = read(answer() | {"usage": {"prompt_tokens": 0, "completion_tokens": 2**40 - 1}})
    assert isinstance(found, Answer)
    assert (found.prompt_tokens_or(20), found.completion_tokens) == (0, 2**40 - 1)


@pytest.mark.parametrize(
    ("status", "error", "kind", "reason"),
    [
        (429, {"message": "slow down", "code": "rate_limit_exceeded"}, "throttled", "HTTP 429"),
        (429, {"message": "no money", "type": "insufficient_quota"}, "fatal", "insufficient_quota"),
        (429, {"message": "no money", "code": "insufficient_quota"}, "fatal", "insufficient_quota"),
        (503, {"message": "busy"}, "overloaded", "HTTP 503"),
        (503, {"message": "Loading model"}, "overloaded", LOADING),
        (500, {"message": "oops"}, "again", "HTTP 500"),
        (502, {}, "again", "HTTP 502"),
        (408, {}, "again", "HTTP 408"),
        (409, {}, "again", "HTTP 409"),
        (400, {"message": "no", "code": "content_filter"}, "filtered", "content_filter"),
        (400, {"innererror": {"code": "ResponsibleAIPolicyViolation"}}, "filtered", "content_filter"),
        (400, {"message": "Invalid parameter: 'response_format' is not supported"}, "form", "HTTP 400"),
        (422, {"message": "no", "param": "response_format"}, "form", "HTTP 422"),
        (400, {"message": "Requested sample logprobs of 20 is too much"}, "logprobs", "HTTP 400"),
        (400, {"message": "maximum context length is 4096"}, "fatal", "HTTP 400"),
        (401, {"message": "bad key"}, "fatal", "HTTP 401"),
        (404, {"message": "no such model"}, "fatal", "HTTP 404"),
    ],
)
def test_what_a_status_means(status: int, error: dict[str, Any], kind: str, reason: str) -> None:
    found = read({"error": error}, status)
    assert isinstance(found, Trouble)
    assert (found.kind, found.reason, found.status) == (kind, reason, status)


def test_a_true_status_inside_a_200() -> None:
    found = read({"error": {"code": 429, "message": "upstream is busy"}})
    assert found == Trouble("throttled", "HTTP 429", "upstream is busy", 429)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"error": {"message": "one"}}, "one"),
        ({"error": "two"}, "two"),
        ({"message": "three"}, "three"),
        ({"detail": [{"loc": ["body"], "msg": "four"}]}, '[{"loc": ["body"], "msg": "four"}]'),
    ],
)
def test_the_servers_words(value: Any, words: str) -> None:
    found = read(value, 400)
    assert isinstance(found, Trouble)
    assert found.words == words


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "error",
                    "usage",
                    "logprobs",
                    "top_logprobs",
                    "token",
                    "logprob",
                    "finish_reason",
                    "code",
                    "bytes",
                    "detail",
                    "innererror",
                    "refusal",
                    "text",
                    "prompt_tokens",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.sampled_from([200, 201, 400, 401, 408, 422, 429, 500, 503, 599]), JSON)
def test_any_json_gives_a_value(status: int, value: Any) -> None:
    assert isinstance(read(value, status), Answer | Trouble)


@given(st.integers(200, 599), st.binary(max_size=200))
def test_any_bytes_give_a_value(status: int, raw: bytes) -> None:
    assert isinstance(read_response(status, raw), Answer | Trouble)


def tokens(**likelihoods: float) -> list[tuple[bytes, float]]:
    return [(token.encode(), math.log(p)) for token, p in likelihoods.items()]


def test_likelihoods_of_choices() -> None:
    found = score_choices(("はい", "いいえ"), tokens(はい=0.5, い=0.25, は=0.1, 猫=0.05))
    assert [math.exp(value) for value in found] == pytest.approx([0.6, 0.25])
    absent = score_choices(("はい", "いいえ"), tokens(はい=0.5, 猫=0.05))
    assert [math.exp(value) for value in absent] == pytest.approx([0.5, 0.05])  # the least alternative
    spaced = score_choices((" yes", "no"), [(b" y", math.log(0.5)), (b"\n", math.log(0.4)), (b"no", math.log(0.1))])
    assert [math.exp(value) for value in spaced] == pytest.approx([0.5, 0.1])
    piece = "満".encode()[:2]  # a token of bytes, half a character
    assert score_choices(("満足", "不満"), [(piece, -0.5)]) == (-0.5, -0.5)


def test_choices_that_cannot_be_told_apart() -> None:
    assert score_choices(("満足", "満足でない"), tokens(満足=0.9)) == ()
    assert score_choices(("満足", "満点"), tokens(満足=0.5, 満=0.4)) == ()
    assert score_choices(("満足", "満点"), tokens(満足=0.7, 満点=0.2, 満=0.001)) != ()
    assert score_choices(("満足", "不満"), tokens(猫=0.9)) == ()
    assert score_choices(("満足", "不満"), []) == ()


def test_alternatives_are_read_from_the_first_position() -> None:
    position = {"token": "は", "logprob": -0.2, "bytes": list("は".encode()), "top_logprobs": []}
    position["top_logprobs"] = [{"token": "は", "logprob": -0.2}, {"token": "い", "logprob": -1.5, "bytes": None}]
    choice = first(answer(logprobs={"content": [position, {"token": "い", "logprob": 0.0}]}))
    assert choice.first == (("は".encode(), -0.2), ("い".encode(), -1.5))
    for odd in (None, [], {"content": None}, {"content": []}, {"content": [None]}, {"content": [{"top_logprobs": 3}]}):
        assert first(answer(logprobs=odd)).first == ()


def test_share_of_japanese() -> None:
    one, several = Request("a", ()), Request("a", (), samples=2)
    assert enough_japanese(one, "良い本でした。", 0.9)
    assert not enough_japanese(one, "It was a good book.", 0.1)
    assert enough_japanese(several, '{"texts": ["良い", "本"]}', 0.9)  # the key is not counted
    assert not enough_japanese(several, '{"texts": ["good", "book"]}', 0.1)
