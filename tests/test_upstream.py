"""Configurations of the paper's authors: read as they are, sent to the letter, imported without loss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from japagen.errors import ConfigError
from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.generate.plan import FirstPlan, Plan
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Example, Message
from japagen.task import Task
from japagen.upstream import as_yaml

CONFIGS = Path(__file__).parents[2] / "shared" / "upstream-configs"
NAMES = [
    "base", "covid-19", "covid-19*", "jcola", "jcola*", "jnli", "jnli*", "jsts", "jsts*", "marcja", "marcja*", "news",
    "news*",
]  # fmt: skip
here = pytest.mark.skipif(not CONFIGS.is_dir(), reason="the authors' configurations are not here (../shared)")


def by_protocol(config: dict, label: str, word: str | None, first: str | None) -> list[tuple[str, str]]:
    """The messages as the paper specifies them, made from the raw file alone."""

    def text(raw: str) -> str:
        name = "object" if "object" in config else "genre"
        return raw.replace(name, word) if word else raw

    messages = [("system", text(config["content"]))]
    if first is not None:
        messages += [("user", text(config["first instruction"])), ("assistant", first)]
    return [*messages, ("user", text(config["labels"][label]["instruction"]))]


def said(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in messages]


@here
@pytest.mark.parametrize("name", NAMES)
def test_messages_equal_the_protocol_to_the_letter(name: str, tmp_path: Path) -> None:
    config = json.loads((CONFIGS / f"{name}.json").read_text(encoding="utf-8"))
    words = config.get("object") or config.get("genre") or []
    changes = {"generate.per_label": max(20, 2 * len(words)), "llm.name": "scripted"}
    experiment = Experiment.load(task=str(CONFIGS / f"{name}.json"), changes=changes)
    task = experiment.load_task()
    plan = Plan(experiment, task, style="chat", first_sentence=lambda row: f"一文目（{row}）")
    seen: dict[str, set[str]] = {}
    for row in plan.ids():
        request = plan.request(row)
        assert request is not None
        number = str(task.label_names.index(str(request.label)))
        word = request.attributes.get("word")
        first = f"一文目（{row}）" if task.is_pair else None
        assert said(request.messages) == by_protocol(config, number, word, first)
        assert (request.sampling.stop, request.samples) == ((), 1)
        if word:
            seen.setdefault(number, set()).add(word)
        if task.is_pair:  # the first call knows no label, and has the same word as the second
            asked = FirstPlan(plan).request(FirstPlan(plan).place(row)[0])
            [system, *_] = by_protocol(config, number, word, None)
            assert said(asked.messages) == [system, ("user", config["first instruction"])]
            assert asked.label is None
    named = {
        n for n, spec in config["labels"].items() if "object" in spec["instruction"] or "genre" in spec["instruction"]
    }
    if words:
        everywhere = "object" in config["content"]
        assert set(seen) == (set(config["labels"]) if everywhere else named)
        assert all(found == set(words) for found in seen.values())
    else:
        assert seen == {}


@here
@pytest.mark.parametrize("name", NAMES)
def test_an_imported_task_sends_the_same(name: str, tmp_path: Path) -> None:
    file = CONFIGS / f"{name}.json"
    direct = Task.load(file)
    (tmp_path / "task.yaml").write_text(as_yaml(direct, source=file.name), encoding="utf-8")
    assert Task.load(tmp_path / "task.yaml").model_dump() == direct.model_dump()


@here
def test_kinds_and_labels_in_the_papers_order() -> None:
    kinds = {name: (t := Task.load(CONFIGS / f"{name}.json")).kind + f" {len(t.labels)}" for name in NAMES}
    assert kinds == {
        "base": "pair 3", "covid-19": "single 4", "covid-19*": "single 4", "jcola": "single 2", "jcola*": "single 2",
        "jnli": "pair 3", "jnli*": "pair 3", "jsts": "similarity 6", "jsts*": "similarity 6", "marcja": "single 2",
        "marcja*": "single 2", "news": "single 9", "news*": "single 9",
    }  # fmt: skip
    assert Task.load(CONFIGS / "jnli*.json").label_names == ("entailment", "contradiction", "neutral")
    assert Task.load(CONFIGS / "covid-19*.json").attributes["word"].not_for == ("unrelated",)
    assert [Task.load(CONFIGS / "jsts.json").value(label) for label in "012345"] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ConfigError, match="which is not used"):  # the word is part of their text
        Task.load(CONFIGS / "jnli*.json").mechanisms(False)


@here
def test_two_turns_replay_the_first(tmp_path: Path) -> None:
    changes = {"generate.per_label": 4, "llm.name": "scripted"}
    experiment = Experiment.load(task=str(CONFIGS / "jsts*.json"), changes=changes)
    with ReplyStore(tmp_path / "r") as store:
        rows = list(generate(experiment, experiment.load_task(), ScriptedLLM(), store))
    assert len(rows) == 24
    assert all(isinstance(row, Example) and row.text_pair and row.meta["word"] for row in rows)
    assert [row.value for row in rows] == [float(n) for n in range(6) for _ in range(4)]  # type: ignore[union-attr]


GOOD = {
    "task_name": "mine",
    "content": "系",
    "object": ["本"],
    "labels": {"0": {"instruction": '"object"を褒める文:'}, "1": {"instruction": "けなす文:"}},
}


def test_files_of_the_same_format_are_read(tmp_path: Path) -> None:
    file = tmp_path / "my task*.json"
    file.write_text(json.dumps(GOOD, ensure_ascii=False), encoding="utf-8")
    task = Task.load(file)
    assert (task.name, task.label_names) == ("my-task-kadg", ("0", "1"))
    assert task.labels["0"].instruction == '"{word}"を褒める文:'
    assert task.attributes["word"].not_for == ("1",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contents": "x"}, "unknown key 'contents'; did you mean 'content'"),
        ({"content": 3}, "'content' must be a text"),
        ({"object": []}, "give one list of words"),
        ({"genre": ["x"]}, "give one list of words"),
        ({"object": [1]}, "give one list of words"),
        ({"labels": {"0": {"instruction": "x"}}}, "at least two labels"),
        ({"labels": {"0": {"instruction": "x"}, "2": {"instruction": "y"}}}, "numbered 0 to 1"),
        ({"labels": {"0": {"instruction": "x"}, "1": {"instructions": "y"}}}, "label '1' must hold an 'instruction'"),
        ({"labels": {"0": {"instruction": "x"}, "1": {"instruction": "y"}}}, "used nowhere"),
        (
            {"labels": {"0": {"instruction": "object"}, "1": {"instruction": " "}}},
            "the instruction of label '1' is empty",
        ),
        ({"object": ["本", "本 "]}, "a value is listed twice"),
        ({"labels": {str(n): {"instruction": "x"} for n in range(1001)}}, "holds 1,001 labels; at most 1,000 are read"),
        ({"first instruction": 1}, "'first instruction' must be a text"),
    ],
)
def test_what_is_wrong_is_said(change: dict, said: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(GOOD | change, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Task.load(file)
    assert said in caught.value.what
    assert caught.value.where == str(file)


def test_keys_that_stand_twice_are_found_among_many(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    pairs = [f'"k{n}": 1' for n in range(60_000)]
    file.write_text("{" + ", ".join([*pairs, '"k0": 2']) + "}", encoding="utf-8")
    with pytest.raises(ConfigError, match="'k0' stands twice"):
        Task.load(file)


def test_the_sources_name_stays_in_its_comment(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(GOOD, ensure_ascii=False), encoding="utf-8")
    first, second, *_ = as_yaml(Task.load(file), source="a\nname: evil\n.json").splitlines()
    assert first.startswith("# From a\\nname: evil\\n.json, a configuration")
    assert second == "name: x"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"task_name": 1, "task_name": 2}', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN'],
)
def test_hostile_files_are_one_clear_error(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        Task.load(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        Task.load(tmp_path / "absent*.json")
