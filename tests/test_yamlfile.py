"""Errors of YAML files name file, line, key and the nearest valid name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from japagen.errors import ConfigError
from japagen.experiment import Experiment
from japagen.task import Task
from japagen.templates import fill


def write(tmp_path: Path, text: str, name: str = "e.yaml") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "name: a\ntask: reviews\ngenerate:\n  per_lable: 3\n",
            4,
            "generate.per_lable: unknown key; did you mean 'per_label'?",
        ),
        ("name: a\ntask: reviews\ngenarate: {}\n", 3, "genarate: unknown key; did you mean 'generate'?"),
        ("name: a\n\ntask: reviews\nllm:\n  top_p: 3\n", 5, "llm.top_p: Input should be less than or equal to 1"),
        ("task: reviews\n", 1, "name: this key is needed"),
        ("name: a\ntask: reviews\nseed: 1\nseed: 2\n", 4, "'seed' stands here for the second time"),
        ("name: a\ntask: [\n", 3, "not valid YAML"),
        ("name: ../../etc\ntask: reviews\n", 1, "name: String should match pattern"),
        ("name: a\ntask: reviews\ntrain: {students: [linear, linear]}\n", 3, "train: a student is named twice"),
        ("name: &x a\ntask: *x\n", 2, "references (*name) are not read"),
        ("- a\n- b\n", 1, "expected keys and values"),
        ("name: a\ntask: reviews\nyes: 1\n", 3, "the key yes is a number or the like in YAML"),
        ("name: a\ntask: reviews\nevaluate: {gold_shots: [-1]}\n", 3, "evaluate.gold_shots.0: Input should be greater"),
        ("name: a\ntask: reviews\nevaluate: {gold_shots: [5, 5]}\n", 3, "gold_shots names one thing twice"),
        ("name: a\ntask: reviews\nseed: 99999999999999999999\n", 3, "seed: Input should be less than"),
        ("name: a\ntask: !!python/object/apply:os.system ['true']\n", 2, "not valid YAML"),
    ],
)
def test_error_names_line_and_remedy(tmp_path: Path, text: str, line: int, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        Experiment.load(file)
    message = str(caught.value)
    assert f"{file}:{line}: " in message
    assert said in message
    assert message.count("\n") == 1  # two lines: what and remedy


def test_absent_empty_and_binary_files(tmp_path: Path) -> None:
    for file in (tmp_path / "none.yaml", tmp_path, write(tmp_path, "", "empty.yaml")):
        with pytest.raises(ConfigError, match=str(file)):
            Experiment.load(file)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"name: \xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        Experiment.load(binary)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_config_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError):
        Experiment.load(file)


@pytest.mark.parametrize(
    "text",
    [
        "seed: !!timestamp abc\n",
        "seed: !!bool abc\n",
        'name: "\\UFFFFFFFF"\n',
        "seed: 0x" + "f" * 5000 + "\n",
        "analyze: " + "[" * 20_000,
        "analyze: " + "{a: " * 500,
    ],
)
def test_hostile_yaml_is_one_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        Experiment.load(write(tmp_path, "name: a\ntask: reviews\n" + text))


def test_task_refuses_what_cannot_work(workplace: Path) -> None:
    good = (workplace / "mood.yaml").read_text(encoding="utf-8")
    assert Task.load(workplace / "mood.yaml").label_names == ("glad", "angry")
    for old, new, said in [
        ("verbalisation: 怒り", "verbalisation: 喜び", "has the same verbalisation"),
        ("{word: 茶, text: 香りに救われた。}", "{word: 紅茶, text: 香りに救われた。}", "not among knowledge.words"),
        ("「{word}」に怒って", "「{wrod}」に怒って", "unknown placeholder {wrod}"),
        ("  angry:", "  glad:", "'glad' stands here for the second time"),
    ]:
        with pytest.raises(ConfigError, match=said):
            Task.load(write(workplace, good.replace(old, new), "bad.yaml"))


def test_unknown_task_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'reviews'"):
        Task.load("review")


def test_experiment_needs_shots_and_words(workplace: Path) -> None:
    text = (workplace / "small.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="label 'glad' has 3 shots, but generate.shots asks for 9"):
        Experiment.load(write(workplace, text.replace("shots: 2", "shots: 9"))).load_task()
    task = (workplace / "mood.yaml").read_text(encoding="utf-8").replace("knowledge: {words: [本, 茶, 菓子]}\n", "")
    task = task.replace("{word: 本, ", "{").replace("{word: 茶, ", "{")
    write(workplace, task, "mood.yaml")
    with pytest.raises(ConfigError, match="has no knowledge.words"):
        Experiment.load(workplace / "small.yaml").load_task()


@given(st.text(max_size=20), st.text(max_size=20))
def test_fill_leaves_braces_of_values_alone(before: str, value: str) -> None:
    before = before.replace("{", "").replace("}", "")
    assert fill(before + "{word}", word=value) == before + value
