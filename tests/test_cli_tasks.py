"""Commands on tasks without an experiment, values in place of a file's, imports, the cache, and what a run would cost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from japagen.cli.app import change as _change
from japagen.errors import ConfigError

QUICK = ("--set", "llm.name=scripted", "--set", "generate.per_label=12", "--set", "train.seeds=2")
QUICK = (*QUICK, "--set", "train.students=[linear]", "--set", "evaluate.resamples=200")
CONFIG = {
    "task_name": "mine",
    "content": "客になりきって書いてください。",
    "genre": ["本", "茶"],
    "labels": {"0": {"instruction": '"genre"を褒める文:'}, "1": {"instruction": '"genre"をけなす文:'}},
}


def japagen(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from japagen.cli import main; main()", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    for name in ("mine.json", "mine*.json"):
        (tmp_path / name).write_text(json.dumps(CONFIG, ensure_ascii=False), encoding="utf-8")
    return tmp_path


def test_a_star_that_the_shell_has_spread_runs_both(configs: Path) -> None:
    done = japagen("run", "--task", "mine*.json", "mine.json", *QUICK, cwd=configs)
    assert done.returncode == 0, done.stderr
    for name in ("mine-kadg", "mine"):
        rows = (configs / "runs" / name / "1-generate" / "examples.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(rows) == 24
        assert {json.loads(row)["word"] for row in rows} == {"本", "茶"}
    refused(japagen("run", "mine.json", cwd=configs), "--task 'mine.json'")
    refused(japagen("run", cwd=configs), "nothing to run")


@pytest.mark.parametrize("task", ["jnli", "jsts", "jcola", "marc-ja", "news", "covid-19"])
def test_every_task_of_the_paper_runs_to_the_report(task: str, tmp_path: Path) -> None:
    done = japagen("run", "--task", task, *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    place = tmp_path / "runs" / task
    row = json.loads((place / "1-generate" / "examples.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert ("text_pair" in row) == (task in ("jnli", "jsts"))
    assert ("value" in row) == (task == "jsts")
    assert (place / "6-report" / "report.html").stat().st_size > 10_000


def test_values_in_place_of_the_files(workplace: Path) -> None:
    done = japagen("prompt", "small.yaml", "--set", "generate.kadg=false", "--json", cwd=workplace)
    assert all(request["attributes"] == {} for request in json.loads(done.stdout))
    done = japagen(
        "prompt", "small.yaml", "--set", "name=other", "--set", "generate={shots: 0}", "--json", cwd=workplace
    )
    assert all(len(request["messages"]) == 2 for request in json.loads(done.stdout))
    where = "--set generate.per_lable: unknown key; did you mean 'per_label'?"
    refused(japagen("run", "small.yaml", "--set", "generate.per_lable=3", cwd=workplace), where)
    refused(japagen("run", "small.yaml", "--set", "generate.per_label=many", cwd=workplace), "--set generate.per_label")
    refused(japagen("run", "small.yaml", "--set", "generate", cwd=workplace), "KEY=VALUE")
    refused(japagen("run", "small.yaml", "--set", "generate=[", cwd=workplace), "KEY=VALUE")
    refused(japagen("run", "small.yaml", "--task", "jnlii", cwd=workplace), "did you mean 'jnli'?")


@pytest.mark.parametrize(
    "value",
    [
        "[" * 20_000,
        '!!int ""',
        "!!bool maybe",
        "!!timestamp x",
        "&a {a: *a}",
        "!!binary x",
        "1" * 5000,
        "{a: 1, a: 2}",
        "{1: 2}",
        "!!python/name:os.system ''",
    ],
)
def test_hostile_values_cannot_be_read(value: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        _change(f"llm.extra_body={value}")
    assert caught.value.where == "--set"
    assert len(str(caught.value)) < 400
    assert _change("llm.extra_body={a: [1, null, 茶]}") == ("llm.extra_body", {"a": [1, None, "茶"]})
    assert _change("llm.style=") == ("llm.style", None)


def test_import_task(configs: Path) -> None:
    done = japagen("import-task", "mine.json", "mine*.json", "--folder", "imported", cwd=configs)
    assert done.returncode == 0, done.stderr
    direct, imported = (
        japagen("prompt", "--task", task, "-n", "5", "--json", cwd=configs).stdout
        for task in ("mine*.json", "imported/mine-kadg.yaml")
    )
    assert json.loads(direct) == json.loads(imported) != []
    refused(japagen("import-task", "mine.json", "--folder", "imported", cwd=configs), "stands already")
    (configs / "bad.json").write_text("{}")
    refused(japagen("import-task", "bad.json", cwd=configs), "bad.json", "'task_name' must be a text")


def test_a_dry_run_sends_and_writes_nothing(workplace: Path) -> None:
    arguments = ("--set", "llm.name=openai:gpt-4o-mini", "--dry-run")
    done = japagen("run", "small.yaml", *arguments, cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert " 30 " in done.stdout  # for each label
    assert "USD" in done.stdout
    assert not (workplace / "runs").exists()
    numbers = json.loads(japagen("run", "small.yaml", *arguments, "--json", cwd=workplace).stdout)
    assert numbers
    unknown = ("--set", "llm.name=openai:my-model", "--set", "budget.usd=5")
    refused(japagen("run", "small.yaml", *unknown, "--dry-run", cwd=workplace), "the price of 'my-model' is not known")
    refused(japagen("run", "small.yaml", *unknown, cwd=workplace), "the price of 'my-model' is not known")


def test_cache_shows_and_clears(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAPAGEN_CACHE", str(workplace / "cache"))
    shared = ("--set", "llm.shared_cache=true")
    assert japagen("generate", "small.yaml", *shared, cwd=workplace).returncode == 0
    assert japagen("generate", "small.yaml", "--set", "name=other", *shared, cwd=workplace).returncode == 0
    found = {
        row["kind"]: row["entries"] for row in json.loads(japagen("cache", "--json", cwd=workplace).stdout)["contents"]
    }
    assert found["replies"] == 60  # the second run has its replies from the first
    assert "replies" in japagen("cache", cwd=workplace).stdout
    refused(japagen("cache", "--clear", "reply", cwd=workplace), "did you mean 'replies'?")
    cleared = json.loads(japagen("cache", "--clear", "replies", "--json", cwd=workplace).stdout)
    assert cleared["removed_bytes"] > 10_000
    assert cleared["contents"][0]["entries"] == 0
    assert len(list((workplace / "runs" / "other" / "1-generate").glob("replies.sqlite"))) == 1


def test_predict_on_pairs_and_numbers(tmp_path: Path) -> None:
    assert japagen("run", "--task", "jsts", *QUICK, cwd=tmp_path).returncode == 0
    rows = [{"id": 1, "a": "犬が走る。", "b": "犬が駆ける。"}, {"id": 2, "a": "犬が走る。", "b": "船が進む。"}]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "in.jsonl").write_text(text, encoding="utf-8")
    done = japagen("predict", "runs/jsts", "-i", "in.jsonl", "--column", "a", "--pair-column", "b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in found] == [1, 2]
    for row in found:
        expected = sum(float(label) * score for label, score in row["scores"].items())
        assert row["value"] == pytest.approx(expected)
        assert row["label"] in "012345"
    refused(japagen("predict", "runs/jsts", "-i", "in.jsonl", "--column", "a", cwd=tmp_path), "is for pairs")


def test_gold_named_in_the_experiment(tmp_path: Path) -> None:
    rows = [{"s": "弟が本を読んだ。", "ok": 1}, {"s": "弟が本が読んだ。", "ok": 0}] * 5
    (tmp_path / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    gold = "gold={test: {file: gold.jsonl, text: s, label: ok, labels: {'0': unacceptable, '1': acceptable}}}"
    done = japagen("run", "--task", "jcola", *QUICK, "--set", gold, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)["scores"]
    assert (scores["n"], scores["metric"]) == (10, "mcc")
    wrong = gold.replace("'1': acceptable", "'1': aceptable")
    refused(
        japagen("run", "--task", "jcola", *QUICK, "--set", wrong, cwd=tmp_path),
        "aceptable",
        "did you mean 'acceptable'?",
    )
