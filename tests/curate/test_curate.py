"""Curating as a whole: no row vanishes, the first reason wins, order is kept, and progress adds up."""

from hypothesis import given
from hypothesis import strategies as st

from japagen.curate import CurateSettings, curate
from japagen.progress import Progress
from japagen.records import Accounting, Example

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)
LIKELY_TEXT = st.text("良いです。2ab", min_size=3, max_size=12)
EXAMPLES = st.lists(
    st.builds(
        Example,
        id=st.text("123"),
        text=ANY_TEXT | LIKELY_TEXT,
        label=st.sampled_from(["p", "n"]),
        text_pair=st.none() | LIKELY_TEXT,
    ),
    max_size=20,
)


@given(EXAMPLES, st.none() | st.floats(0.1, 1))
def test_every_row_is_kept_or_dropped(examples: list[Example], near: float | None) -> None:
    settings = CurateSettings(min_chars=3, near_duplicate=near)
    kept, dropped = curate(examples, settings=settings, shots=["良いです"], fragments=["良いです良いです"])
    outcomes = iter(kept), iter(d.example for d in dropped)
    gone = {id(d.example) for d in dropped}
    assert len(kept) + len(dropped) == len(examples)
    assert all(next(outcomes[id(example) in gone]) is example for example in examples)  # in their order
    Accounting.count(len(examples), kept, dropped)


def test_each_row_has_its_first_reason() -> None:
    texts = {
        "keep": "履きやすくて毎日使っています。",
        "short": "abc",  # not Japanese either
        "long": "長い文です、" * 40,  # a loop, too
        "garbled": "とても良い\ufffd商品",
        "english": "This is a good product.",
        "loop": "すごいすごいすごいすごいすごいすごいすごいすごい",
        "echo": "レビュー：履きやすくて毎日使っています。",
        "shot": "三日で壊れてしまいました",
        "same": "履きやすくて、毎日使っています！",
        "near": "履きやすくて毎日使っています。良",
        "other": "色がきれいで気に入った。",
    }
    examples = [Example(name, text, "positive") for name, text in texts.items()]
    kept, dropped = curate(examples, shots=["三日で壊れてしまいました。"])
    assert [e.id for e in kept] == ["keep", "other"]
    assert [(d.example.id, d.reason) for d in dropped] == [
        ("short", "too_short"),
        ("long", "too_long"),
        ("garbled", "garbled"),
        ("english", "not_japanese"),
        ("loop", "repetition"),
        ("echo", "prompt_echo"),
        ("shot", "shot_copy"),
        ("same", "duplicate"),
        ("near", "near_duplicate"),
    ]
    assert [d.detail for d in dropped][-2:] == ["keep", "keep (0.92)"]


def test_a_conflict_leaves_no_twin_behind() -> None:
    # The two in conflict go; the near-duplicate of one of them has nobody to be a duplicate of, and stays.
    examples = [
        Example("a", "この靴はとても履きやすいので好き", "p"),
        Example("b", "この靴はとても履きやすいので好き。", "n"),
        Example("c", "この靴はとても履きやすいので好きだ", "p"),
    ]
    kept, dropped = curate(examples)
    assert [e.id for e in kept] == ["c"]
    assert {d.reason for d in dropped} == {"label_conflict"}


def test_near_duplicates_can_be_left_alone() -> None:
    examples = [Example("a", "履きやすくて毎日使う。", "p"), Example("b", "履きやすくて毎日使うよ", "p")]
    assert len(curate(examples)[0]) == 1
    assert curate(examples, settings=CurateSettings(near_duplicate=None)) == (examples, [])


def test_copies_of_shots_can_be_left_alone() -> None:
    examples = [Example("a", "履きやすくて毎日使う。", "p")]
    shots = [examples[0].text]
    assert len(curate(examples, shots=shots)[1]) == 1
    assert curate(examples, shots=shots, settings=CurateSettings(shot_similarity=None)) == (examples, [])


def test_progress_ends_with_the_truth_for_each_label() -> None:
    heard: list[Progress] = []
    examples = [
        Example("a", "履きやすくて毎日使う。", "p"),
        Example("b", "履きやすくて毎日使う", "p"),
        Example("c", "すぐ穴があいた", "n"),
    ]
    curate(examples, on_progress=heard.append)
    assert {p.stage for p in heard} == {"curate"}
    assert heard[0] == Progress("curate", "p", done=0, total=2)
    assert {p.item: (p.done, p.total, p.kept, p.dropped) for p in heard} == {"p": (2, 2, 1, 1), "n": (1, 1, 1, 0)}


def test_nothing_gives_nothing() -> None:
    assert curate([]) == ([], [])
