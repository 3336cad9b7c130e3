"""Columns that nobody named: those of the task's own gold data, of published sets, and common ones."""

import json
from pathlib import Path

import pytest

from japagen.errors import ConfigError, DataError
from japagen.evaluate.gold.columns import find_columns
from japagen.goldfiles import Gold
from japagen.task import Task


def written(folder: Path, name: str, *rows: dict[str, object]) -> Path:
    (folder / name).write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return folder / name


PAIR = {"sentence_pair_id": "0", "yjcaptions_id": "1-2-3", "sentence1": "犬", "sentence2": "猫", "label": "neutral"}


def test_published_sets_by_their_columns(tmp_path: Path) -> None:
    found = find_columns(Task.load("jnli"), written(tmp_path, "a.json", PAIR), {}, {})
    assert (found.text, found.text_pair, found.label, found.id) == (
        "sentence1",
        "sentence2",
        "label",
        "sentence_pair_id",
    )
    cola = written(
        tmp_path, "b.json", {"uid": 1, "label": 0, "sentence": "文"}, {"uid": 2, "label": 1, "sentence": "文"}
    )
    found = find_columns(Task.load("jcola"), cola, {}, {})
    assert (found.text, found.id, found.labels) == ("sentence", "uid", {"0": "unacceptable", "1": "acceptable"})
    marc = written(tmp_path, "c.json", {"review_id": "x", "sentence": "よい", "label": "positive"})
    assert find_columns(Task.load("marc-ja"), marc, {}, {}).text == "sentence"


def test_common_names_and_what_is_given(tmp_path: Path) -> None:
    task = Task.load("jsts")
    file = written(tmp_path, "a.jsonl", {"premise": "犬", "hypothesis": "猫", "score": 2.5})
    found = find_columns(task, file, {}, {})
    assert (found.text, found.text_pair, found.label, found.id) == ("premise", "hypothesis", "score", None)
    other = written(tmp_path, "b.jsonl", {"一": "犬", "二": "猫", "label": 2.5, "id": "a", "text": "x"})
    found = find_columns(task, other, {"text": "一", "text_pair": "二"}, {})
    assert (found.text, found.text_pair, found.label, found.id) == ("一", "二", "label", "id")


def test_the_tasks_own_gold_comes_first_and_the_same_file_before_others(tmp_path: Path) -> None:
    row = {"本文": "犬", "見出し": "犬の話", "label": "positive", "text": "x"}
    dev, test = written(tmp_path, "dev.jsonl", row), written(tmp_path, "test.jsonl", row)
    gold = {
        "dev": {"file": "dev.jsonl", "text": "本文", "max_chars": 5},
        "test": {"file": "test.jsonl", "text": "見出し"},
    }
    task = Task.load("reviews").model_copy(update={"gold": Gold.model_validate(gold), "folder": tmp_path})
    found = find_columns(task, dev, {}, {})
    assert (found.text, found.max_chars) == ("本文", 5)
    assert find_columns(task, test, {}, {}).text == "見出し"
    assert find_columns(task, test, {"text": "text"}, {}).text == "text"


def test_livedoor_is_read_as_the_published_set_unless_a_part_is_named(tmp_path: Path) -> None:
    task = Task.load("news")
    found = find_columns(task, tmp_path, {}, {})
    assert (found.text, found.max_chars) == ("body", 200)
    found = find_columns(task, tmp_path, {"text": "title"}, {})
    assert (found.text, found.max_chars) == ("title", None)


def test_what_cannot_be_found_is_asked_for(tmp_path: Path) -> None:
    jnli, marc = Task.load("jnli"), Task.load("marc-ja")
    file = written(tmp_path, "a.jsonl", {"左": "犬", "右": "猫", "label": "neutral"})
    with pytest.raises(
        DataError, match="which columns hold the two texts and the label is unclear; it has: 左, 右, label"
    ) as seen:
        find_columns(jnli, file, {"text": "左"}, {})
    assert seen.value.remedy == "name them: --text COLUMN --text-pair COLUMN --label COLUMN"
    with pytest.raises(DataError, match=r"there is no column '右側'"):
        find_columns(jnli, file, {"text": "左", "text_pair": "右側"}, {})
    with pytest.raises(DataError, match="holds no rows"):
        find_columns(jnli, written(tmp_path, "b.jsonl"), {}, {})
    rows = [{"text": "よい", "label": label} for label in (1, 1, 1.0, 0)]
    with pytest.raises(
        DataError, match=r"task 'marc-ja' does not know; it has \(rows\): '1' 2, '1.0' 1, '0' 1"
    ) as asked:
        find_columns(marc, written(tmp_path, "c.jsonl", *rows), {}, {"1": "positive"})
    assert asked.value.remedy == "say what they mean: --map '0=LABEL', LABEL being one of positive, negative"
    with pytest.raises(ConfigError, match="--map: 'positiv' is no label of task 'marc-ja'") as hint:
        find_columns(marc, tmp_path / "c.jsonl", {}, {"1": "positiv"})
    assert hint.value.remedy == "did you mean 'positive'?"
    assert find_columns(marc, tmp_path / "c.jsonl", {}, {"1": "positive", "0": "negative"}).labels["0"] == "negative"
