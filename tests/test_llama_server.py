"""The example that starts llama.cpp's server: its chat template writes the document that the embedded model would read."""

from __future__ import annotations

import runpy
from pathlib import Path

import jinja2
from hypothesis import given
from hypothesis import strategies as st

from japagen.llm.embedded import render
from japagen.records import Message

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "llama_server.py"), run_name="example")
TEMPLATE = jinja2.Environment(autoescape=False).from_string(EXAMPLE["DOCUMENT"])


def conversation(system: str, turns: list[tuple[str, str]], last: str) -> list[Message]:
    messages = [Message("system", system)]
    for asked, answered in turns:
        messages += [Message("user", asked), Message("assistant", answered)]
    return [*messages, Message("user", last)]


def test_a_document_by_hand() -> None:
    messages = conversation("客の声。", [("声：", "好き。")], "声：")
    assert TEMPLATE.render(messages=messages) == "客の声。\n声：好き。\n声："


@given(st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=3), st.text())
def test_any_document(system: str, turns: list[tuple[str, str]], last: str) -> None:
    messages = conversation(system, turns, last)
    assert TEMPLATE.render(messages=messages) == "".join(render(messages))
