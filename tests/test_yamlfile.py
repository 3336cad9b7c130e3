"""Errors of YAML files name file, line, key and the nearest valid name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from japagen import yamlfile
from japagen.cache import cache_folder
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
        (
            "name: a\ntask: reviews\ntrain: {students: [linear, linear]}\n",
            3,
            "train.students: a student is named twice",
        ),
        ("name: &x a\ntask: *x\n", 2, "references (*name) are not read"),
        ("- a\n- b\n", 1, "expected keys and values"),
        ("name: a\ntask: reviews\nyes: 1\n", 3, "the key yes is a number or the like in YAML"),
        ("name: a\ntask: reviews\nevaluate: {gold_shots: [-1]}\n", 3, "evaluate.gold_shots.0: Input should be greater"),
        ("name: a\ntask: reviews\nevaluate: {gold_shots: [5, 5]}\n", 3, "evaluate.gold_shots: names one thing twice"),
        ("name: a\ntask: reviews\nseed: 99999999999999999999\n", 3, "seed: Input should be less than"),
        ("name: a\ntask: reviews\nfolder: /etc\n", 3, "folder: unknown key"),
        ("name: a\ntask: reviews\nbudget: {usd: .inf}\n", 3, "budget.usd: Input should be a finite number"),
        ("name: a\ntask: reviews\nbudget: {usd: 1.0e+400}\n", 3, "budget.usd: Input should be a finite number"),
        ("name: a\ntask: reviews\nllm:\n  http: {requests_per_minute: .inf}\n", 4, "should be a finite number"),
        ("name: a\ntask: reviews\nllm:\n  http: {tokens_per_minute: .nan}\n", 4, "should be"),
        ("name: a\ntask: reviews\nllm: {extra_body: {1: 2}}\n", 3, "the key 1 is a number or the like"),
        ("name: a\ntask: reviews\ngenerate: {kadg: 3}\n", 3, "generate.kadg: must be true, false, random-word, or a"),
        ("name: a\ntask: reviews\ngenerate: {kadg: {word: 1}}\n", 3, "must be true, false, random-word, or a list"),
        ("name: a\ntask: reviews\ngenerate: {kadg: null}\n", 3, "must be true, false, random-word, or a list"),
        ('name: a\ntask: reviews\ngold: {test: {file: "a\\0b.csv"}}\n', 3, "gold.test.file: cannot be the name of a"),
        (f"name: a\ntask: reviews\ngold: {{test: {{file: {'x' * 300}.csv}}}}\n", 3, "cannot be the name of a file"),
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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[本, 茶, 菓子]", "[本: 3, 茶: 1]", "with weights write values: {配送: 3, 返品: 1}"),
        ("[本, 茶, 菓子]", "[[本]]", "with weights write values: {配送: 3, 返品: 1}"),
        ("[本, 茶, 菓子]", "[本, 3]", "the value 3 is no text: values must be texts; put it in quotes"),
        ("[本, 茶, 菓子]", "[本, null]", "the value None is no text"),
        ("[本, 茶, 菓子]", "[本, 2024-01-01]", "values must be texts; put it in quotes"),
        ("[本, 茶, 菓子]", '[本, " "]', "or remove it"),
        ("[本, 茶, 菓子]", '[本, 茶, "茶 "]', "a value is listed twice"),
        ("[本, 茶, 菓子]", '{本: 1, 茶: 1, "茶 ": 2}', "a value is listed twice"),
        ("[本, 茶, 菓子]", "{本: .inf}", "should be"),
        (
            "{words: [本, 茶, 菓子]}",
            "{attributes: {word: {values: {file: w.yaml}}}}",
            "'file' stands in place of 'values'",
        ),
        ("{words: [本, 茶, 菓子]}", '{attributes: {word: {file: "a\\0b"}}}', "file: cannot be the name of a file"),
        (
            "{words: [本, 茶, 菓子]}",
            "{attributes: {Word: {values: [本, 茶, 菓子]}}}",
            "a name has small letters, digits",
        ),
        (
            "{words: [本, 茶, 菓子]}",
            "{attributes: {word: {values: [本, 茶, 菓子], not_for: [glad, angry]}}}",
            "not_for: names every label",
        ),
        ("{words: [本, 茶, 菓子]}", "{words: [本, 茶, 菓子]}\nfolder: /etc", "folder: unknown key"),
    ],
)
def test_values_that_are_no_texts_are_named(workplace: Path, old: str, new: str, said: str) -> None:
    good = (workplace / "mood.yaml").read_text(encoding="utf-8")
    assert old in good
    file = write(workplace, good.replace(old, new), "bad.yaml")
    with pytest.raises(ConfigError) as caught:
        Task.load(file)
    assert said in str(caught.value)
    assert caught.value.where.startswith(f"{file}:")


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("values:\n  本: 1\n  茶: 0\n", "values.茶: Input should be greater than 0", 3),
        ("values: []\n", "values: ", 1),
        ("values:\n  file: w.yaml\n", "'file' stands in place of 'values'", 1),
        ("values: [本]\nvalue: 3\n", "value: unknown key; did you mean 'values'?", 2),
        ("words: [本]\n", "words: unknown key", 1),
        ("- 本\n", "expected keys and values", 1),
        ("", "the file is empty", None),
    ],
)
def test_a_word_file_is_read_strictly(workplace: Path, text: str, said: str, line: int | None) -> None:
    task = (workplace / "mood.yaml").read_text(encoding="utf-8")
    task = task.replace("{words: [本, 茶, 菓子]}", "{attributes: {word: {file: w.yaml}}}")
    words = write(workplace, text, "w.yaml")
    with pytest.raises(ConfigError) as caught:
        Task.load(write(workplace, task, "with-file.yaml"))
    assert said in caught.value.what
    assert caught.value.where == (f"{words}:{line}" if line else str(words))
    assert caught.value.remedy.endswith("see: japagen words --help")


def test_a_long_word_file_is_read_with_libyaml(workplace: Path) -> None:
    task = (workplace / "mood.yaml").read_text(encoding="utf-8")
    task = task.replace("{words: [本, 茶, 菓子]}", "{attributes: {word: {file: w.yaml}}}")
    task = task.replace("{word: 本, ", "{").replace("{word: 茶, ", "{")
    write(workplace, "values:\n" + "".join(f"  語{i}: {i % 7 + 1}\n" for i in range(20_000)), "w.yaml")
    assert issubclass(yamlfile._Loader, yaml.CSafeLoader)
    assert len(Task.load(write(workplace, task, "with-file.yaml")).attributes["word"].values) == 20_000


SIMILAR = """\
name: s
kind: similarity
metric: spearman
title: 文
description: 文。
system: 書く。
instruction: 書く。
first: {instruction: 書く。}
labels:
  LOW: {meaning: あ, verbalisation: ああ}
  HIGH: {meaning: い, verbalisation: いい}
"""


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("nan", "1", "labels.nan: needs a 'value'"),
        ("0", "inf", "labels.inf: needs a 'value'"),
        ("0", "1_0", "labels.1_0: needs a 'value'"),
        ("0", "1e3", "labels.1e3: needs a 'value'"),
        ("1", "1.0", "all stand for the same number"),
    ],
)
def test_numbers_of_similarity_are_plain_and_differ(tmp_path: Path, low: str, high: str, said: str) -> None:
    text = SIMILAR.replace("LOW", '"0"').replace("HIGH", '"2.5"')
    task = Task.load(write(tmp_path, text))
    assert [task.value(name) for name in task.labels] == [0, 2.5]
    with pytest.raises(ConfigError, match=said):
        Task.load(write(tmp_path, SIMILAR.replace("LOW", f'"{low}"').replace("HIGH", f'"{high}"')))


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_a_labels_value_is_finite(tmp_path: Path, value: str) -> None:
    text = SIMILAR.replace("LOW: {", f'"0": {{value: {value}, ').replace("HIGH", '"1"')
    with pytest.raises(ConfigError, match="should be a finite number"):
        Task.load(write(tmp_path, text))


def test_a_change_is_blamed_for_its_own_key(tmp_path: Path) -> None:
    file = write(tmp_path, "name: a\ntask: reviews\n")
    with pytest.raises(ConfigError) as caught:
        Experiment.load(file, changes={"train.students": ["linear", "linear"], "train.seeds": 1})
    assert caught.value.where == "--set train.students"
    with pytest.raises(ConfigError, match="must be texts; put them in quotes"):
        Experiment.load(file, changes={"llm.extra_body": {1: 2}})
    with pytest.raises(ConfigError, match="unknown key"):
        Experiment.load(file, changes={"folder": "/etc"})


@pytest.mark.parametrize("path", ["a\0b.yaml", "x" * 300 + ".yaml", "x/" * 3000 + "e.yaml"])
def test_names_that_no_file_can_have(tmp_path: Path, path: str) -> None:
    file = write(tmp_path, "name: a\ntask: reviews\n")
    with pytest.raises(ConfigError):
        Experiment.load(tmp_path / path)
    with pytest.raises(ConfigError):
        Experiment.load(task=path)
    with pytest.raises(ConfigError):
        Experiment.load(file, changes={"task": path}).load_task()
    with pytest.raises(ConfigError):
        Task.load(path)


def test_a_folder_of_nobody_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAPAGEN_CACHE", "~nosuchuser/x")
    with pytest.raises(ConfigError, match="'~nosuchuser' is no user's folder") as caught:
        cache_folder()
    assert caught.value.where == "JAPAGEN_CACHE"


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
