"""Style by set and label: shares by hand, distances that name the widest gap, alarms, pairs, what is missing."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from japagen.analyze.corpus import corpora
from japagen.analyze.fidelity.style import UNITS, style
from japagen.analyze.sampling import UndefinedError
from japagen.records import Example

LABELS = ["positive", "negative"]


def rows(name: str, texts: Sequence[str], label: str = "positive") -> list[Example]:
    return [Example(f"{name}{at}", text, label) for at, text in enumerate(texts)]


def told(ours: Sequence[Example], theirs: Sequence[Example] = (), **options: Any) -> dict[str, Any]:
    first, second = corpora([ours, theirs], LABELS)
    found = style(first, second, LABELS, seed=0, **options)
    json.dumps(found, allow_nan=False)
    return found


def shares(found: dict[str, Any], aspect: str, of: str = "synthetic", label: str | None = None) -> dict[str, float]:
    one = found["aspects"][aspect]
    side = one["shares"][of]
    values = side["all"] if label is None else side["by_label"][label]
    return {name: share for name, share in zip(one["categories"], values, strict=True) if share}


POLITE = [f"靴を{n}足買いました。とても良いですね。" for n in range(30)]
PLAIN = [f"靴を{n}足買ったけど悪くない" for n in range(30)]


def test_shares_by_hand() -> None:
    found = told(
        [*rows("s", ["いいですね。", "ご案内します。", "いい！"]), *rows("n", ["カメラ(安い)だよ。"], "negative")]
    )
    assert list(found["aspects"]) == list(UNITS)
    assert shares(found, "register") == {"polite": 0.5, "plain": 0.5}
    assert shares(found, "register", label="negative") == {"plain": 1}
    assert shares(found, "honorifics") == {"none": 0.75, "humble": 0.25}
    assert shares(found, "sentence_ends") == {"none": 0.5, "ね": 0.25, "よ": 0.25}
    assert shares(found, "punctuation", label="negative") == {"()": pytest.approx(2 / 3), "。": pytest.approx(1 / 3)}
    assert shares(found, "scripts", label="negative") == {"katakana": 3 / 7, "kanji": 1 / 7, "hiragana": 3 / 7}
    assert found["aspects"]["punctuation"]["rate"] == {"synthetic": pytest.approx(100 * 6 / 26), "gold": None}
    assert found["lengths"]["synthetic"]["positive"]["mean"] == pytest.approx((6 + 7 + 3) / 3)
    assert found["lengths_words"]["synthetic"]["negative"]["mean"] == 7  # カメラ ( 安い ) だ よ 。


def test_lengths_are_described_and_laid_side_by_side() -> None:
    found = told(rows("s", ["あ" * 4, "あ" * 8]), rows("g", ["あ" * 20], "negative"))
    ours, theirs = found["lengths"]["synthetic"], found["lengths"]["gold"]
    assert (ours["positive"]["n"], ours["positive"]["mean"], ours["negative"]) == (2, 6, None)
    assert ours["positive"]["histogram"]["edges"] == theirs["negative"]["histogram"]["edges"]
    assert sum(ours["positive"]["histogram"]["counts"]) == 2
    assert set(found) == {"lengths", "lengths_words", "aspects"}


def test_a_difference_is_found_and_named() -> None:
    found = told(rows("s", POLITE), rows("g", PLAIN))
    one = found["aspects"]["register"]["distance"]["all"]
    assert (one["value"], one["ceiling"], one["n"]) == (1, 0, 15)
    assert one["p_holm"] < 0.05
    assert one["above"]
    assert one["alarm"]
    assert one["widest"]["category"] in ("polite", "plain")
    assert {one["widest"]["synthetic"], one["widest"]["gold"]} == {0, 1}
    assert one["signature"].startswith(
        "jensen-shannon register = 1.0000 bits [1.0000, 1.0000], gold against gold 0.0000"
    )
    same = found["aspects"]["honorifics"]["distance"]["all"]
    assert (same["value"], same["above"], same["alarm"]) == (0, False, False)
    assert found["aspects"]["register"]["distance"]["by_label"]["positive"]["value"] == 1
    assert found["aspects"]["register"]["distance"]["by_label"]["negative"] is None


def test_the_same_texts_raise_nothing() -> None:
    found = told(rows("s", [*POLITE, *PLAIN]), rows("g", [*PLAIN, *POLITE]))
    assert not any(one["distance"]["all"]["above"] for one in found["aspects"].values() if one["distance"]["all"])


def test_a_difference_that_chance_explains_is_none() -> None:
    found = told(rows("s", [*POLITE[:19], *PLAIN[:11]]), rows("g", [*POLITE[:15], *PLAIN[:15]]))
    one = found["aspects"]["register"]["distance"]["all"]
    assert one["value"] > one["ceiling"]
    assert not one["above"]


def test_lengths_raise_no_alarm() -> None:
    found = told(rows("s", ["いい"] * 30), rows("g", ["とても長い文を書きました"] * 30))
    assert found["aspects"]["characters"]["distance"]["all"]["above"]
    assert not found["aspects"]["characters"]["distance"]["all"]["alarm"]


def test_what_no_text_has_is_none() -> None:
    found = told(rows("s", ["いい"] * 10), rows("g", ["いい"] * 20))
    assert found["aspects"]["punctuation"]["shares"]["synthetic"]["all"] is None
    assert found["aspects"]["punctuation"]["distance"]["all"] is None
    assert found["aspects"]["register"]["distance"]["all"]["p"] == 1


def test_without_gold_or_with_too_little() -> None:
    found = told(rows("s", POLITE))
    assert found["lengths"]["gold"] is None
    assert found["aspects"]["register"]["shares"]["gold"] is None
    assert found["aspects"]["register"]["distance"] == {"all": None, "by_label": {"positive": None, "negative": None}}
    little = told(rows("s", POLITE), rows("g", PLAIN[:9]))
    assert little["aspects"]["register"]["shares"]["gold"]["all"] is not None
    assert little["aspects"]["register"]["distance"]["all"] is None


def test_pairs_have_the_lengths_of_each_text() -> None:
    pair = Example("p", "犬がいる", "positive", "空は青い。")
    found = told([pair], [pair], firsts=[[4], [4]])
    means = [found[key]["synthetic"]["positive"]["mean"] for key in ("lengths_first", "lengths_second", "lengths")]
    assert means == [4, 5, 10]  # the line break between both counts
    assert found["lengths_second"]["gold"]["positive"]["mean"] == 5


def test_of_many_texts_a_sample_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[style.__module__], "MOST_READ", 20)
    found = told(rows("s", [*POLITE, *PLAIN]))
    assert found["aspects"]["register"]["read"] == {"synthetic": 20}
    assert found["aspects"]["characters"]["read"] == {"synthetic": 60}
    assert 0.2 < shares(found, "register")["polite"] < 0.8
    assert sum(shares(found, "characters").values()) == pytest.approx(1)


def test_the_seed_decides() -> None:
    first, second = corpora([rows("s", [*POLITE, *PLAIN]), rows("g", [*PLAIN, *POLITE])], LABELS)
    assert style(first, second, LABELS, seed=1) == style(first, second, LABELS, seed=1)


def test_hostile_texts() -> None:
    found = told(rows("s", ["", "\ud800", "😀" * 500, "a\x00b", "ー" * 3000, "。"] * 3), rows("g", ["", "漢"] * 6))
    assert sum(shares(found, "register").values()) == pytest.approx(1)


def test_no_texts() -> None:
    with pytest.raises(UndefinedError, match="no synthetic texts"):
        told([])
