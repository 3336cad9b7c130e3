"""What a report is drawn from: mistakes with both texts, and what of KADG was used."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from japagen import reportdata
from japagen.experiment import Experiment
from japagen.records import Example
from japagen.tables import write_json, write_jsonl
from japagen.task import Task

TEST = [
    Example("a", "犬がいる。", "0", "猫がいる。", 0.4),
    Example("b", "海は青い。", "4", "海が青い。", 4.0),
    Example("c", "雨が降る。", "4", "雨だ。", 3.6),
]


def mistakes(folder: Path, rows: list[dict[str, Any]], test: list[Example]) -> list[dict[str, Any]]:
    write_jsonl(folder / "predictions.jsonl", ({"system": "japagen/linear", "seed": 0, **row} for row in rows))
    run: Any = SimpleNamespace(folder=lambda stage: folder)
    return reportdata._mistakes(run, "japagen/linear", test)


def test_mistakes_in_numbers_are_the_largest_first(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "gold": "0", "label": "2", "value": 1.5, "scores": {}},
        {"id": "b", "gold": "4", "label": "4", "value": 3.8, "scores": {}},
        {"id": "c", "gold": "4", "label": "0", "value": 0.1, "scores": {}},
        {"id": "c", "gold": "4", "label": "0", "value": 0.1, "scores": {}, "seed": 1},
        {"id": "b", "gold": "4", "label": "0", "value": 0.1, "scores": {}, "system": "majority"},
    ]
    found = mistakes(tmp_path, rows, TEST)
    assert [row["id"] for row in found] == ["c", "a"]
    texts = {"id": "c", "text": "雨が降る。", "text_pair": "雨だ。"}
    assert found[0] == texts | {"gold": "4", "predicted": "0", "gold_value": 3.6, "value": 0.1}


def test_a_row_without_an_answer_is_a_mistake_without_a_score(tmp_path: Path) -> None:
    test = [Example("a", "犬がいる。", "x"), Example("b", "海は青い。", "x")]
    rows = [
        {"id": "a", "gold": "x", "label": "", "value": None, "scores": {}},
        {"id": "b", "gold": "x", "label": "y", "value": None, "scores": {"x": 0.2, "y": 0.8}},
    ]
    found = mistakes(tmp_path, rows, test)
    assert [(row["id"], row["predicted"], row["score"]) for row in found] == [("b", "y", 0.8), ("a", "", None)]


def test_how_writing_stopped_is_told_with_the_analysis(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(folder=lambda stage: tmp_path)
    write_json(tmp_path / "analysis.json", {"unit": "text"})
    assert reportdata._analysis(run) == {"unit": "text"}
    write_json(tmp_path / "stopping.json", {"asked": 400})
    assert reportdata._analysis(run) == {"unit": "text", "stopping": {"asked": 400}}


@pytest.mark.parametrize(
    ("kadg", "said"),
    [
        (False, []),
        ("word", ["word (2 values)"]),
        (["random-word", "register"], ["random word (2 values)", "register (2 values)"]),
        (True, ["word (2 values)", "register (2 values)", "rule"]),
    ],
)
def test_what_of_kadg_is_used(kadg: object, said: list[str]) -> None:
    label = {"meaning": "意味", "instruction": "書いて。"}
    knowledge = {
        "words": ["本", "茶"],
        "attributes": {"register": {"values": ["常体", "敬体"], "instruction": "{register}で。"}},
        "rule": "短く。",
    }
    task = Task.model_validate(
        {
            "name": "t", "title": "t", "description": "t", "system": "t", "knowledge": knowledge,
            "labels": {"x": {**label, "verbalisation": "一"}, "y": {**label, "verbalisation": "二"}},
        }
    )  # fmt: skip
    experiment = Experiment.model_validate({"name": "x", "task": "y", "generate": {"kadg": kadg}})
    assert reportdata._kadg(experiment, task) == said
