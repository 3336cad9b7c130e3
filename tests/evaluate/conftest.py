"""Two small tasks about pairs with gold data: `nli` has labels, `sts` has numbers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from japagen.experiment import Experiment
from japagen.llm.scripted import ScriptedLLM
from japagen.records import Reply, Request
from japagen.task import Task

NLI = {"entailment": "含意", "neutral": "中立"}
STS = {"0": "無関係", "2": "一部同じ", "4": "同じ"}
FIRSTS = [
    "犬が庭を走る。",
    "猫が窓で眠る。",
    "子どもが絵を描く。",
    "電車が橋を渡る。",
    "鳥が木に止まる。",
    "人が傘を差す。",
]
SECONDS = {"same": "{}", "part": "{}そして雨が降る。", "other": "机の上に本が三冊ある。"}


def task_file(folder: Path, name: str, kind: str, metric: str, labels: dict[str, str]) -> Path:
    """A task about pairs, with gold rows whose second text shows the label plainly."""
    how = dict(zip(labels, ["same", "other"] if kind == "pair" else ["other", "part", "same"], strict=True))
    rows = [
        {"a": first, "b": SECONDS[how[label]].format(first) + f"{i}", "label": label, "yjcaptions_id": f"{i}-1-2"}
        for i, first in enumerate(FIRSTS)
        for label in labels
    ]
    if kind == "similarity":
        rows = [row | {"label": float(str(row["label"])) + 0.1 * (i % 2) * (i % 3 < 2)} for i, row in enumerate(rows)]
    for split, opening in (("dev", ""), ("test", "今朝も、")):
        own = [row | {"a": f"{opening}{row['a']}", "b": f"{opening}{row['b']}"} for row in rows]
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in own)
        (folder / f"{name}-{split}.jsonl").write_text(lines, encoding="utf-8")
    gold = {"text": "a", "text_pair": "b"}
    told = {
        "name": name,
        "kind": kind,
        "title": "二つの文",
        "description": "二つの文の関係を見分ける。",
        "metric": metric,
        "system": "文を書いてください。",
        "first": {"instruction": "文を一つ書いてください。"},
        "instruction": "二つ目の文を書いてください。",
        "labels": {
            label: {
                "meaning": f"{verbal}である。",
                "verbalisation": verbal,
                "shots": [{"text": f"例{label}の一", "text_pair": f"例{label}の二"}],
            }
            for label, verbal in labels.items()
        },
        "prompting": {
            "system": "一語で。",
            "heading": "表。",
            "question": "一：{text} 二：{text_pair} 関係：",
            "content_free": "無",
        },
        "gold": {split: {"file": f"{name}-{split}.jsonl", **gold} for split in ("dev", "test")},
    }
    (folder / f"{name}.yaml").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return folder / f"{name}.yaml"


@pytest.fixture
def nli(tmp_path: Path) -> Task:
    return Task.load(task_file(tmp_path, "nli", "pair", "accuracy", NLI))


@pytest.fixture
def sts(tmp_path: Path) -> Task:
    return Task.load(task_file(tmp_path, "sts", "similarity", "spearman", STS))


@pytest.fixture
def settings() -> Callable[..., Experiment]:
    """An experiment on a task, with other values in its section `evaluate`."""

    def make(task: Task, **evaluate: object) -> Experiment:
        given = {"gold_shots": [2], "prompting": ["zero-shot"], "resamples": 200, **evaluate}
        sections = {"train": {"students": ["linear"], "seeds": 2}, "evaluate": given}
        return Experiment.model_validate(
            {"name": "small", "task": task.name, "seed": 3, "generate": {"kadg": False}, **sections}
        )

    return make


class Server(ScriptedLLM):
    """A model that writes its answer and knows no likelihoods.

    Args:
        answer: makes the answer.
        failing: requests whose id contains it fail.
        refusing: likewise, and are refused.
    """

    def __init__(self, answer: Callable[[Request], str], *, failing: str = "never", refusing: str = "never") -> None:
        super().__init__(name="server")
        self.asked: list[Request] = []
        self._said, self._failing, self._refusing = answer, failing, refusing

    def _answer(self, request: Request) -> Reply:
        self.asked.append(request)
        if self._failing in request.id:
            return Reply(request.id, failed="server error")
        finish = "content_filter" if self._refusing in request.id else "stop"
        return Reply(request.id, text=self._said(request), finish=finish)


@pytest.fixture
def server() -> type[Server]:
    return Server
