"""The linear student: its features by hand, its choice of C, and its vocabulary on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from japagen.errors import DataError, ModelError
from japagen.records import Example
from japagen.student import load_classifier, logistic
from japagen.student.linear import LinearClassifier, LinearStudent, Ngrams
from japagen.student.rows import clean

ROWS = [
    Example(f"{label}{i}", text * (i + 1), label) for i in range(6) for label, text in (("a", "良い"), ("b", "悪い"))
]


def test_clean() -> None:
    assert clean("ｱｲｳ①　\ud800", 10) == "アイウ1 \ufffd"
    assert clean("\ud83d\ude00", 10) == "😀"
    assert clean("abc", 2) == "ab"
    assert len(clean("ﷺ" * 10, 10)) == 10


def test_single_features_by_hand() -> None:
    ngrams = Ngrams.learn(["ああ", "い"], [], pair=False)
    # Terms あ, ああ and い, each in one of two texts: idf = ln(3 / 2) + 1, the same for all.
    assert ngrams.vocabulary == ("あ", "ああ", "い")
    np.testing.assert_allclose(ngrams.idf, np.log(1.5) + 1)
    row = np.array([1 + np.log(2), 1, 0])
    np.testing.assert_allclose(ngrams.features(["ああ"], []).toarray()[0], row / np.linalg.norm(row))


def test_pair_features_by_hand() -> None:
    ngrams = Ngrams(("あ", "い", "う"), np.ones(3), pair=True)
    row = ngrams.features(["あい"], ["いう"]).toarray()[0]
    left, right, shared, only_left, only_right = row[:15].reshape(5, 3)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(left, [half, half, 0])
    np.testing.assert_allclose(right, [0, half, half])
    np.testing.assert_allclose(shared, [0, half, 0])
    np.testing.assert_allclose(only_left, [half, 0, 0])
    np.testing.assert_allclose(only_right, [0, 0, half])
    np.testing.assert_allclose(row[15:], [0.5, 0.5, 0.5, 0])


def test_pairs_are_not_symmetric() -> None:
    ngrams = Ngrams.learn(["あい"], ["うえお"], pair=True)
    there, back = ngrams.features(["あい"], ["うえお"]), ngrams.features(["うえお"], ["あい"])
    assert abs(there - back).max() > 0


def test_rare_ngrams_are_left_out_of_a_large_set() -> None:
    texts = [f"{chr(0x4E00 + i)}です" for i in range(300)]
    assert Ngrams.learn(texts[:50], [], pair=False).columns > 50
    assert set(Ngrams.learn(texts, [], pair=False).vocabulary) == {"で", "す", "です"}


def test_width_and_kanji_forms_are_one() -> None:
    classifier = LinearStudent().fit(ROWS, (), seed=0)
    wide, narrow = classifier.predict([Example("", "ﾃﾞﾝﾜ１", ""), Example("", "デンワ1", "")])
    assert wide == narrow


def _separable() -> tuple[np.ndarray, np.ndarray]:
    x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    return x, np.array([0, 0, 1, 1])


def test_best_c_is_accurate_then_sure_then_small() -> None:
    x, y = _separable()
    # All are right on this dev set; the larger C is surer of it.
    assert logistic.fit_best(x, y, x, y, grid=[1.0, 0.01, 10.0], seed=0).c == 10.0
    # A dev row of the other side: as many right, being less sure costs less.
    wrong = np.array([[-2.0], [2.0], [2.0]]), np.array([1, 1, 0])
    assert logistic.fit_best(x, y, *wrong, grid=[1.0, 0.01, 10.0], seed=0).c == 0.01
    # A label that train does not know is wrong and equally unlikely for all: the smallest.
    unknown = np.array([[-1.0]]), np.array([-1])
    assert logistic.fit_best(x, y, *unknown, grid=[1.0, 0.01, 10.0], seed=0).c == 0.01


def test_without_dev() -> None:
    x, y = _separable()
    none = np.zeros((0, 1)), np.zeros(0, np.intp)
    assert logistic.fit_best(x, y, *none, grid=[5.0], seed=0).c == 1.0
    many, labels = np.repeat(x, 3, axis=0), np.repeat(y, 3)
    assert logistic.fit_best(many, labels, *none, grid=[5.0], seed=0).c == 5.0


def test_seed_draws_the_folds() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 8)), np.arange(40) % 2
    none = np.zeros((0, 8)), np.zeros(0, np.intp)
    chosen = [logistic.fit_best(x, y, *none, grid=[0.01, 0.1, 1, 10], seed=seed).c for seed in range(12)]
    assert len(set(chosen)) > 1


def test_two_rows_of_weights_give_the_sigmoid() -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = _separable()
    ours = logistic.fit_best(x, y, x, y, grid=[1.0], seed=0)
    theirs = LogisticRegression(C=1.0).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(logistic.softmax(x @ ours.coef.T + ours.intercept), theirs, rtol=1e-3)


def test_softmax_of_large_numbers() -> None:
    np.testing.assert_array_equal(logistic.softmax(np.array([[1e308, 1e308], [0.0, -1e308]])), [[0.5, 0.5], [1, 0]])


def test_refuses_texts_without_characters() -> None:
    with pytest.raises(DataError, match="the training texts are empty"):
        LinearStudent().fit([Example("1", "", "a"), Example("2", "", "b")], (), seed=0)


def test_damaged_vocabulary(tmp_path: Path) -> None:
    LinearStudent().fit(ROWS, (), seed=0).save(tmp_path)
    file = tmp_path / "vocabulary.json"
    words = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(words[::-1], ensure_ascii=False), encoding="utf-8")
    with pytest.raises(ModelError, match=r"vocabulary\.json: the checksum differs"):
        load_classifier(tmp_path)


def test_weights_are_arrays_with_names(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    classifier = LinearStudent().fit(ROWS, (), seed=0)
    classifier.save(tmp_path)
    arrays = load_file(tmp_path / "weights.safetensors")
    assert {name: a.shape for name, a in arrays.items()} == {
        "idf": (classifier.ngrams.columns,),
        "coef": (2, classifier.ngrams.columns),
        "intercept": (2,),
    }
    assert isinstance(load_classifier(tmp_path), LinearClassifier)
