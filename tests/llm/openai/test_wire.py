"""Requests as JSON bodies: what is sent, what is left out, what a user may not set."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import ConfigError
from japagen.llm.openai.wire import Ability, body, check_settings, encode
from japagen.records import Message, Request, Sampling
from japagen.sections import LLMSection

MESSAGES = (Message("system", "客の声を書いてください。"), Message("user", "本の声"))


def settings(**more: Any) -> LLMSection:
    return LLMSection(name="openai:tiny:latest", base_url="http://localhost/v1", **more)


def request(**more: Any) -> Request:
    return Request("a/1", MESSAGES, **more)


def test_a_plain_request() -> None:
    sampling = Sampling(temperature=0.7, top_p=0.9, max_tokens=50, stop=("\n", "。"))
    assert body(request(sampling=sampling, seed=7), settings()) == {
        "model": "tiny:latest",
        "messages": [
            {"role": "system", "content": "客の声を書いてください。"},
            {"role": "user", "content": "本の声"},
        ],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 50,
        "stop": ["\n", "。"],
        "seed": 7,
    }


def test_none_is_not_sent() -> None:
    bare = request(sampling=Sampling(None, None, None, ()))
    assert set(body(bare, settings(send_seed=False))) == {"model", "messages"}


def test_seeds_fit_into_31_bits() -> None:
    assert body(request(seed=2**63 - 1), settings())["seed"] == 2**31 - 1
    assert body(request(seed=2**31), settings())["seed"] == 0


def test_a_reasoning_model() -> None:
    sent = body(request(sampling=Sampling(1.0, 0.9, 50, ("x",))), settings(reasoning=True))
    assert set(sent) == {"model", "messages", "seed", "max_completion_tokens"}
    assert sent["max_completion_tokens"] == 50
    asked = body(request(choices=("はい", "いいえ")), settings(reasoning=True, max_tokens=4000))
    assert asked["max_completion_tokens"] == 4000
    assert "logprobs" not in asked


def test_structured_replies() -> None:
    sent = body(request(samples=3), settings())["response_format"]
    schema = sent["json_schema"]["schema"]
    assert (sent["type"], sent["json_schema"]["strict"]) == ("json_schema", True)
    assert schema["required"] == ["texts"]
    assert schema["properties"]["texts"] == {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 3,
        "maxItems": 3,
    }
    less = Ability.of(settings()).without("form")
    assert body(request(samples=3), settings(), less)["response_format"] == {"type": "json_object"}
    assert "response_format" not in body(request(samples=3), settings(), less.without("form"))
    assert "response_format" not in body(request(samples=3), settings(json_schema=False))
    assert "response_format" not in body(request(), settings())
    assert "response_format" not in body(request(samples=3), settings(style="document"))  # lines are asked for, no JSON
    assert less.without("form").without("form").form == "none"


def test_questions_with_choices() -> None:
    sent = body(request(choices=("はい", "いいえ"), sampling=Sampling(0.9, 0.9, 80, ("\n",))), settings())
    assert (sent["temperature"], sent["max_tokens"], sent["logprobs"], sent["top_logprobs"]) == (0, 16, True, 20)
    assert not {"top_p", "stop"} & set(sent)
    assert body(request(choices=("あ" * 30, "い")), settings())["max_tokens"] == 60
    fewer = Ability.of(settings()).without("logprobs")
    assert body(request(choices=("はい",)), settings(), fewer)["top_logprobs"] == 5
    assert "logprobs" not in body(request(choices=("はい",)), settings(), fewer.without("logprobs"))
    assert "logprobs" not in body(request(choices=("はい",)), settings(logprobs=False))


def test_labels_are_constrained_where_no_likelihoods_are_asked_for() -> None:
    asked = request(choices=("はい", "いいえ", "はい"))
    assert "response_format" not in body(asked, settings())  # the form's own first token would be scored
    sent = body(asked, settings(logprobs=False))
    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "label",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"label": {"type": "string", "enum": ["はい", "いいえ"]}},
                "required": ["label"],
                "additionalProperties": False,
            },
        },
    }
    assert (sent["temperature"], sent["max_tokens"]) == (0, 32)
    assert "response_format" in body(asked, settings(reasoning=True))
    assert "response_format" not in body(asked, settings(logprobs=False, json_schema=False))
    assert "response_format" not in body(asked, settings(logprobs=False, style="document"))
    assert "response_format" not in body(request(), settings(logprobs=False))
    free = body(asked, settings(logprobs=False), Ability.of(settings(logprobs=False)).without("form"))
    assert "response_format" not in free  # a JSON object of any form would be no help
    assert free["max_tokens"] == 16
    batch = LLMSection(name="openai-batch:tiny", base_url="http://localhost/v1", logprobs=False)
    assert "response_format" not in body(asked, batch)


def test_several_replies_and_extras() -> None:
    sent = body(request(seed=3), settings(extra_body={"seed": 5, "temperature": 0.1, "reasoning_effort": "low"}), n=4)
    assert (sent["n"], sent["seed"], sent["temperature"], sent["reasoning_effort"]) == (4, 5, 0.1, "low")


@pytest.mark.parametrize("name", ["messages", "model", "n", "stream"])
def test_extras_that_are_ours(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' cannot be set here"):
        check_settings(settings(extra_body={name: 1}))


def test_settings_that_cannot_be_sent() -> None:
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        check_settings(settings(extra_body={"a": object()}))
    check_settings(settings(style="chat", extra_body={"a": None}))


ANY_TEXT = st.text(st.characters())  # lone surrogates included


@given(st.lists(ANY_TEXT, max_size=4), st.integers(0, 2**63 - 1), st.lists(ANY_TEXT, max_size=2))
def test_any_text_can_be_sent(texts: list[str], seed: int, stop: list[str]) -> None:
    asked = Request("a", tuple(Message("user", t) for t in texts), Sampling(stop=tuple(stop)), seed=seed)
    sent = orjson.loads(encode(body(asked, settings())))
    assert [m["content"] for m in sent["messages"]] == [t.encode("utf-8", "replace").decode() for t in texts]
    assert 0 <= sent["seed"] < 2**31


def test_equal_settings_make_equal_bodies() -> None:
    assert encode(body(request(seed=1), settings())) == encode(body(request(seed=1), settings()))
