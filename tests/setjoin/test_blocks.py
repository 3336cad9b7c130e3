"""The set join in blocks: the pairs of the join in memory, however little memory there is."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen import setjoin
from japagen.setjoin import Pairs, Sets, self_join
from japagen.setjoin.blocks import BYTES, stream_join

TEXTS = st.lists(st.text("あいう2", max_size=12) | st.text(max_size=5), max_size=25)


def listed(*found: Pairs) -> list[tuple[int, int, float]]:
    return sorted(chain(*(zip(p.first.tolist(), p.second.tolist(), p.scores.tolist(), strict=True) for p in found)))


@given(TEXTS, st.sampled_from([0.3, 0.55, 0.7, 0.8, 1.0]), st.integers(1, 60))
def test_equal_to_the_join_in_memory(texts: list[str], similarity: float, tokens: int) -> None:
    whole = listed(self_join(Sets.of_texts(texts), similarity))
    assert listed(*stream_join(iter(texts), similarity, memory=2 * BYTES * tokens)) == whole


def test_compiled_and_in_a_folder_that_is_left_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setjoin, "FEW", 0)
    texts = [f"{'あいうえおかきくけこ' * (i % 7)}{i // 3}番" for i in range(200)]
    found = list(stream_join(texts, 0.6, memory=BYTES * 1000, folder=tmp_path))
    assert listed(*found) == listed(self_join(Sets.of_texts(texts), 0.6))
    assert len(found) > 5
    assert sum(map(len, found)) > 100
    assert list(tmp_path.iterdir()) == []


def test_blocks_hold_no_more_than_the_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(
        "japagen.setjoin.blocks.self_join", lambda sets, s: seen.append(len(sets.tokens)) or self_join(sets, s)
    )
    texts = [f"{i}番目のとても長い文{'が続く' * (i % 5)}" for i in range(300)]
    list(stream_join(texts, 0.8, memory=2 * BYTES * 500))
    assert max(seen) <= 500
    assert sum(seen) == len(Sets.of_texts(texts).tokens)


def test_refusals_and_nothing() -> None:
    assert list(stream_join([], 0.8)) == []
    with pytest.raises(ValueError, match="similarity must be above 0 and at most 1"):
        list(stream_join(["あ"], 0))
    with pytest.raises(ValueError, match="memory must be at least 1 byte"):
        list(stream_join(["あ"], 0.8, memory=0))
