"""Rows for a person to label: drawn blind, read strictly."""

import json
from pathlib import Path

import pytest

from japagen.curate.audit import audited, blind_id, draw_audit, read_audit
from japagen.curate.independence import Audited
from japagen.curate.judge import Verdict
from japagen.errors import DataError
from japagen.records import Example
from japagen.task import Task

ROWS = [
    Example(f"{label}/{i}", f"{label}の{i}番の声です。", label)
    for label, n in (("glad", 8), ("angry", 3))
    for i in range(n)
]


@pytest.fixture
def task(workplace: Path) -> Task:
    return Task.load(workplace / "mood.yaml")


def write(folder: Path, *rows: dict[str, object]) -> Path:
    file = folder / "audit.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def test_drawn_evenly_without_labels_and_the_same_each_time() -> None:
    drawn = draw_audit(ROWS, 8, seed=0)
    assert drawn == draw_audit(ROWS, 8, seed=0) != draw_audit(ROWS, 8, seed=1)
    assert sorted(row["text"].partition("の")[0] for row in drawn) == ["angry"] * 3 + ["glad"] * 5
    assert not any("glad" in row["id"] or "angry" in row["id"] for row in drawn)
    assert {row["label"] for row in drawn} == {""}
    labels = [row["text"].partition("の")[0] for row in drawn]
    assert labels not in (sorted(labels), sorted(labels, reverse=True), ["glad", "angry"] * 3 + ["glad"] * 2)
    assert len(draw_audit(ROWS, 100, seed=0)) == len(ROWS)
    assert draw_audit([], 5, seed=0) == []
    pair = {"id": blind_id("a"), "text": "一", "text_pair": "二", "label": ""}
    assert draw_audit([Example("a", "一", "x", "二")], 1, seed=0) == [pair]


def test_what_is_drawn_is_read_once_it_is_labelled(task: Task, tmp_path: Path) -> None:
    drawn = draw_audit(ROWS, 6, seed=0)
    assert read_audit(write(tmp_path, *drawn), task, ROWS) == {}
    labelled = [row | {"label": "angry"} for row in drawn[:4]]
    found = read_audit(write(tmp_path, *labelled, *drawn[4:]), task, ROWS)
    of_text = {row.text: row.id for row in ROWS}
    assert found == {of_text[row["text"]]: "angry" for row in drawn[:4]}
    own = [{"id": of_text[row["text"]], "label": "angry"} for row in drawn[:4]]
    assert read_audit(write(tmp_path, *own), task, ROWS) == found
    twice = write(tmp_path, own[0], labelled[0])
    with pytest.raises(DataError, match="labelled twice"):
        read_audit(twice, task, ROWS)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "glad/0"}, "has no 'label'"),
        ({"label": "glad"}, "has no 'id'"),
        ({"id": "glad/0", "label": "gald"}, "did you mean 'glad'"),
        ({"id": "glad/99", "label": "glad"}, "there is no row 'glad/99'"),
        ({"id": "glad/1", "label": "glad"}, "labelled twice"),
        ({"id": "glad/0", "label": "glad", "text": "別の声です。"}, "another text"),
        ({"id": "glad/0", "label": "glad", "text_pair": "二つ目"}, "another text"),
    ],
)
def test_refusals(task: Task, tmp_path: Path, row: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        read_audit(write(tmp_path, {"id": "glad/1", "label": "angry"}, row), task, ROWS)
    assert "row 2" in refused.value.where


def test_a_persons_label_beside_the_verdict(task: Task) -> None:
    verdicts = [Verdict("glad"), Verdict("angry"), Verdict(None), Verdict("glad")]
    labels = {"glad/0": "glad", "glad/1": "glad", "glad/2": "glad", "angry/0": "glad"}
    found = audited([*ROWS[:3], ROWS[8]], verdicts, labels, task)
    assert found == [Audited("glad", True, True), Audited("glad", True, False), Audited("angry", False, False)]
