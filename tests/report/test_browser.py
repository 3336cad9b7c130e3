"""The rows to browse: which are chosen, that they come out as they went in, and that they fit."""

import base64
import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen import report
from japagen.report.browser import FIRST, LEAST, browser, chosen_rows
from japagen.report.packed import packed, packed_json, packed_plotly


def card(set: str = "kept", label: str = "a", reason: str = "", text: str = "本", **more: Any) -> dict[str, Any]:
    row = {
        "set": set,
        "id": "1",
        "text": text,
        "pair": "",
        "label": label,
        "reason": reason,
        "predicted": "",
        "notes": [],
    }
    return row | more


def unpacked(told: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(told)).decode("utf-16-le", "surrogatepass"))


def rows_of(told: str) -> list[dict[str, Any]]:
    """The rows of packed columns, as the page's script reads them."""
    found = unpacked(told)
    names = found["names"]
    return [
        {
            "text": text,
            "id": found["id"][at],
            "pair": found["pair"][at] if found["pair"] else "",
            **{key: names[key][found[key][at]] for key in ("set", "label", "reason", "predicted")},
            "notes": [
                (names["name"][name], names["value"][value])
                for name, value in zip(found["notes"][at][::2], found["notes"][at][1::2], strict=True)
            ],
        }
        for at, text in enumerate(found["text"])
    ]


def test_nothing_to_browse() -> None:
    assert browser([], 10, 1000) is None
    assert browser([card()], 0, 1000) is None


words = st.text(alphabet=st.characters(codec="utf-16-le"), max_size=8)
notes = st.lists(st.tuples(st.sampled_from(["", "word", "語"]), words.filter(bool)), max_size=3)
rows = st.lists(
    st.builds(
        card,
        set=st.sampled_from(["kept", "dropped", "mistakes"]),
        label=words, reason=words, text=words, pair=words, predicted=words, id=words, notes=notes,
    ),
    min_size=1,
)  # fmt: skip


@given(rows)
def test_rows_come_out_as_they_went_in(cards: list[dict[str, Any]]) -> None:
    found = browser(cards, 1000, 10_000_000)
    assert found
    assert rows_of(found.packed) == cards
    assert (found.shown, found.total, sum(found.sets.values())) == (len(cards),) * 3


@given(rows, st.integers(1, 60))
def test_never_more_rows_than_asked_for_and_in_their_order(cards: list[dict[str, Any]], most: int) -> None:
    places = [next(at for at, one in enumerate(cards) if one is row) for row in chosen_rows(cards, most)]
    assert len(places) <= most
    assert places == sorted(set(places))
    assert len(cards) > most or len(places) == len(cards)


def test_rare_reasons_stay_and_large_ones_get_the_rest() -> None:
    cards = [
        *(card(label="a") for _ in range(1000)),
        *(card("dropped", "a", "duplicate") for _ in range(440)),
        *(card("dropped", "a", "rare") for _ in range(5)),
    ]
    found = Counter(row["reason"] for row in chosen_rows(cards, 185))
    # 20 + 20 + 5 rows first; the other 140 in proportion to the 980 and 420 rows that are left
    assert found == {"": LEAST + 98, "duplicate": LEAST + 42, "rare": 5}
    # 10 + 10 + 5 rows first; of the other 5 there are 990 * 5 // 1420 = 3 and 430 * 5 // 1420 = 1
    assert Counter(row["reason"] for row in chosen_rows(cards, 30)) == {"": 13, "duplicate": 11, "rare": 5}


def test_rows_of_a_group_are_taken_at_equal_steps() -> None:
    found = chosen_rows([card(text=str(at)) for at in range(10)], 4)
    assert [row["text"] for row in found] == ["0", "2", "5", "7"]


def test_fewer_rows_where_they_would_weigh_too_much() -> None:
    cards = [card(text="".join(chr(0x4E00 + at * 37 % 20000 + n * at % 97) for n in range(60))) for at in range(2000)]
    whole = browser(cards, 2000, 10**9)
    assert whole
    limit = len(whole.packed) // 3
    part = browser(cards, 2000, limit)
    assert part
    assert 0.8 * limit < len(part.packed) <= limit
    assert part.shown < part.total == 2000
    assert len(part.first) == FIRST
    tiny = browser(cards, 2000, 1)
    assert tiny
    assert tiny.shown == 1


def test_packing_is_the_same_whenever_it_is_done() -> None:
    assert packed(b"japagen") == packed(b"japagen")
    assert gzip.decompress(base64.b64decode(packed(b"japagen"))) == b"japagen"
    assert unpacked(packed_json({"a": "\ud800本"})) == {"a": "\ud800本"}
    assert len(packed_plotly()[0]) < 2_100_000


def test_a_page_with_large_tables_holds_fewer_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tables take is not known before they are there: `HTML_BYTES` is a guess, here far too low."""
    draw = random.Random(0)
    kept = [
        {"id": str(at), "label": "a", "text": "".join(chr(draw.randrange(0x4E00, 0x9FFF)) for _ in range(200))}
        for at in range(400)
    ]
    monkeypatch.setattr(report, "HTML_BYTES", -(10**7))
    whole, _ = report.write_report(report.ReportData("runs", kept=kept), tmp_path / "whole")
    most = whole.stat().st_size - 60_000
    monkeypatch.setattr(report, "PAGE_BYTES", most)
    page, _ = report.write_report(report.ReportData("runs", kept=kept), tmp_path / "page")
    assert most - 30_000 < page.stat().st_size <= most
    assert "of these 400 rows" in page.read_text("utf-8")
