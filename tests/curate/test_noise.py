"""Label noise: nobody judges what he has seen, planted errors are found, and no label is emptied."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.curate.noise import Noise, Opinion, judge, label_noise, out_of_fold, too_few
from japagen.errors import ConfigError, DataError, MissingExtra
from japagen.groups import IMAGE, split_groups
from japagen.progress import Progress
from japagen.records import Example, Prediction
from japagen.student.embedding import EmbeddingStudent
from japagen.student.linear import LinearStudent

GOOD = ["香りがよい", "軽くて便利", "色がきれい", "母も喜んだ", "丈夫で安心"]
BAD = ["すぐ壊れた", "重くて不便", "色がくすむ", "返品したい", "音がうるさい"]
THINGS = ["お茶", "傘", "椅子", "時計", "靴", "鞄", "机", "皿"]


def reviews() -> list[Example]:
    return [
        Example(f"{label}-{n}-{m}", f"この{thing}は{text}。", label)
        for label, texts in (("good", GOOD), ("bad", BAD))
        for n, text in enumerate(texts)
        for m, thing in enumerate(THINGS)
    ]


def with_errors(rows: Sequence[Example], ids: Sequence[str]) -> list[Example]:
    other = {"good": "bad", "bad": "good"}
    return [replace(row, label=other[row.label]) if row.id in ids else row for row in rows]


@dataclass
class Watcher:
    """A student that says of every row the shares of labels that it learnt from, and remembers whom it judged."""

    judged: list[tuple[list[Example], list[Example], list[Example]]] = field(default_factory=list)

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Watched:
        return Watched(self, list(train), list(dev))


@dataclass
class Watched:
    watcher: Watcher
    train: list[Example]
    dev: list[Example]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        self.watcher.judged.append((self.train, self.dev, list(examples)))
        labels = sorted({row.label for row in self.train})
        scores = {label: sum(row.label == label for row in self.train) / len(self.train) for label in labels}
        return [Prediction(row.id, max(scores, key=scores.__getitem__), scores) for row in examples]

    def save(self, folder: object) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Oracle:
    """A student that says what it is told of each row, by its id."""

    scores: dict[str, dict[str, float]]

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Oracle:
        return self

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        return [Prediction(row.id, "", self.scores[row.id]) for row in examples]

    def save(self, folder: object) -> None:
        raise NotImplementedError


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from("ab")), min_size=12, max_size=40),
    st.integers(2, 5),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_nobody_judges_what_he_has_seen(drawn: list[tuple[int, int, str]], folds: int, images: bool) -> None:
    rows = [
        Example(
            f"r{i}",
            f"文{i if images else a}。",
            label,
            f"対{i if images else b}。",
            meta={IMAGE: f"{a}_{b}-1-2"} if images else {},
        )
        for i, (a, b, label) in enumerate(drawn)
    ]
    watcher = Watcher()
    if too_few(rows, folds=folds, seed=3, groups=split_groups(rows)):
        with pytest.raises(DataError):
            out_of_fold(rows, student=watcher, folds=folds, seed=3)
        assert not watcher.judged
        return
    scores = out_of_fold(rows, student=watcher, folds=folds, seed=3)
    group_of = dict(zip([row.id for row in rows], split_groups(rows), strict=True))
    for train, dev, judged in watcher.judged:
        parts = [{group_of[row.id] for row in part} for part in (train, dev, judged)]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]
        assert not parts[0] & parts[1]
        assert {row.label for row in train} == {"a", "b"}
        assert sorted(row.id for row in [*train, *dev, *judged]) == sorted(row.id for row in rows)
    assert sorted(row.id for _, _, judged in watcher.judged for row in judged) == sorted(row.id for row in rows)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0)


def test_scores_stand_in_the_order_of_rows_and_of_sorted_labels() -> None:
    rows = [Example(f"r{i}", f"文{i}。", "zb"[i % 2]) for i in range(12)]
    said = {row.id: {"z": i, "b": 20.0 - i} for i, row in enumerate(rows)}
    scores = out_of_fold(rows, student=Oracle(said), folds=3, seed=0)
    np.testing.assert_allclose(scores, [[(20 - i) / 20, i / 20] for i in range(12)])


def test_planted_errors_are_found_and_others_left() -> None:
    wrong = ["good-0-1", "good-2-3", "bad-1-4", "bad-3-0", "bad-4-7"]
    rows = with_errors(reviews(), wrong)
    noise = label_noise(rows, student=judge("linear", pair=False), seed=0)
    assert {rows[place].id for place in noise.flagged} == set(wrong)
    assert noise.flagged_by_label == {"bad": 2, "good": 3}
    assert noise.sentence == "The label of 5 of 80 rows is doubted: bad 2, good 3."
    assert noise == label_noise(rows, student=judge("linear", pair=False), seed=0)


def test_the_linear_judge_is_held_back() -> None:
    assert judge("linear", pair=False) == LinearStudent((1.0,))
    assert judge("linear", pair=True) == LinearStudent((0.03,))
    assert isinstance(judge("embedding", pair=True), EmbeddingStudent)
    with pytest.raises(ConfigError, match="no student is called 'liner'"):
        judge("liner", pair=False)


def test_nothing_is_flagged_where_nothing_is_wrong() -> None:
    noise = label_noise(reviews(), student=judge("linear", pair=False), seed=0)
    assert noise.flagged == []
    assert noise.sentence == "No label of 80 rows is doubted."


def test_an_opinion_by_hand() -> None:
    rows = [Example(f"r{i}", f"文{i}。", "ab"[i % 2]) for i in range(20)]
    said = {row.id: {"a": 0.9, "b": 0.1} if row.label == "a" else {"a": 0.2, "b": 0.8} for row in rows}
    said["r2"] = {"a": 0.04, "b": 0.96}
    noise = label_noise(rows, student=Oracle(said), folds=5, seed=0)
    opinion = noise.opinions[2]
    assert (opinion.given, opinion.predicted, opinion.flagged) == ("a", "b", True)
    assert opinion.probability == pytest.approx(0.04)
    assert opinion.margin == pytest.approx(-0.92)
    assert opinion.columns == {"label_probability": 0.04, "label_margin": -0.92, "label_predicted": "b"}
    assert opinion.detail == "looks like 'b'; probability of 'a' 0.04"
    assert noise.flagged == [2]
    assert noise.joint == [[9, 1], [0, 10]]
    assert noise.opinions[0].margin == pytest.approx(0.8)


@given(st.lists(st.floats(0.01, 0.99), min_size=20, max_size=60), st.floats(0.05, 0.95))
@settings(max_examples=60, deadline=None)
def test_no_label_loses_more_than_its_share(sure: list[float], most: float) -> None:
    rows = [Example(f"r{i}", f"文{i}。", "abb"[i % 3]) for i in range(len(sure))]
    said = {row.id: {"a": p, "b": 1 - p} for row, p in zip(rows, sure, strict=True)}
    noise = label_noise(rows, student=Oracle(said), folds=3, seed=0, most=most)
    for label, flagged in noise.flagged_by_label.items():
        count = sum(row.label == label for row in rows)
        assert flagged <= most * count
        assert flagged < count


def test_of_more_the_most_doubtful_are_flagged() -> None:
    rows = [Example(f"r{i}", f"文{i}。", "ab"[i % 2]) for i in range(40)]
    said = {row.id: {"a": 0.9, "b": 0.1} if row.label == "a" else {"a": 0.1, "b": 0.9} for row in rows}
    doubtful = {"r0": 0.05, "r4": 0.02, "r8": 0.04, "r12": 0.03}
    said |= {name: {"a": p, "b": 1 - p} for name, p in doubtful.items()}
    free = label_noise(rows, student=Oracle(said), seed=0)
    assert {rows[place].id for place in free.flagged} == set(doubtful)
    capped = label_noise(rows, student=Oracle(said), seed=0, most=0.1)
    assert {rows[place].id for place in capped.flagged} == {"r4", "r12"}


def test_too_few_rows_are_told_and_no_error() -> None:
    rows = reviews()
    rare = [*(row for row in rows if row.label == "good"), *(row for row in rows if row.label == "bad")][:41]
    noise = label_noise(rare, student=LinearStudent(), seed=0)
    assert noise.opinions == ()
    assert noise.flagged == []
    assert noise.flagged_by_label == {"bad": 0, "good": 0}
    assert noise.joint == [[0, 0], [0, 0]]
    assert noise.sentence.startswith("Label noise was not looked for: the 1 row of label 'bad' are too few for 5 folds")
    one = label_noise(rare[:40], student=LinearStudent(), seed=0)
    assert one.sentence == "Label noise was not looked for: 40 rows of 1 label leave nothing to confuse."
    none = label_noise([], student=LinearStudent(), seed=0)
    assert none.sentence == "Label noise was not looked for: 0 rows of 0 labels leave nothing to confuse."
    alike = [Example(f"r{i}", "同じ文。", "ab"[i % 2]) for i in range(30)]
    assert "30 rows in 1 group are too few" in label_noise(alike, student=LinearStudent(), seed=0).sentence


def test_out_of_fold_refuses_too_few_rows() -> None:
    with pytest.raises(DataError, match=r"curate\.noise: 4 rows in 4 groups are too few for 5 folds") as raised:
        out_of_fold([*reviews()[:2], *reviews()[-2:]], student=LinearStudent(), seed=0)
    assert "leave curate.noise out" in raised.value.remedy


def test_similarity_is_refused() -> None:
    rows = [Example(f"r{i}", f"文{i}。", str(i % 3), f"対{i}。", value=i % 3) for i in range(30)]
    for ask in (label_noise, out_of_fold):
        with pytest.raises(DataError, match="similarity task") as raised:
            ask(rows, student=LinearStudent(), seed=0)
        assert raised.value.where == "r0"


def test_without_cleanlab_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(MissingExtra, match=r"japagen\[noise\]"):
        label_noise(reviews(), student=LinearStudent(), seed=0)


@pytest.mark.parametrize("most", [0.0, 1.0, 1.5])
def test_a_share_must_be_one(most: float) -> None:
    with pytest.raises(ValueError, match="most is a share"):
        label_noise(reviews(), student=LinearStudent(), seed=0, most=most)


def test_progress_is_told_by_fold() -> None:
    seen: list[Progress] = []
    rows = [Example(f"r{i}", f"文{i}。", "ab"[i % 2]) for i in range(12)]
    out_of_fold(rows, student=Watcher(), folds=3, seed=0, on_progress=seen.append)
    assert [(p.item, p.done, p.total) for p in seen] == [("label noise", n, 3) for n in range(4)]


def test_an_empty_noise_has_empty_tables() -> None:
    noise = Noise(("a",), (Opinion("a", "a", 1.0, 1.0, False),), "")
    assert (noise.flagged, noise.joint) == ([], [[1]])
