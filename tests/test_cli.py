"""The commands as a user types them: output, JSON, exit codes, errors in two lines."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from japagen.cli import app

COMMANDS = (
    "run",
    "generate",
    "curate",
    "train",
    "evaluate",
    "analyze",
    "report",
    "tasks",
    "new",
    "prompt",
    "predict",
    "show",
)


def japagen(*arguments: object, cwd: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from japagen.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, env=environment, timeout=120)


def refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("error ")
    for text in said:
        assert text in done.stderr


@pytest.fixture
def finished(workplace: Path) -> Path:
    assert japagen("run", "small.yaml", cwd=workplace).returncode == 0
    return workplace


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_is_complete(command: str, tmp_path: Path) -> None:
    done = japagen(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    described = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    assert described.help
    assert all(parameter.help for parameter in described.params), described.params


def test_help_lists_all_commands(tmp_path: Path) -> None:
    text = japagen("--help", cwd=tmp_path).stdout
    assert all(re.search(rf"\b{command}\b", text) for command in COMMANDS)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", japagen("--version", cwd=tmp_path).stdout)


def test_completion_is_offered(tmp_path: Path) -> None:
    assert "--install-completion" in japagen("--help", cwd=tmp_path).stdout


def test_run_show_predict(finished: Path) -> None:
    again = japagen("run", "small.yaml", "--json", cwd=finished)
    assert again.returncode == 0
    assert again.stderr == ""
    state = json.loads(again.stdout)
    assert state["stages"]["generate"]["accounting"]["requested"] == 60
    assert state["report"].endswith("report.html")
    shown = japagen("show", "runs/small", cwd=finished)
    assert "japagen/linear" in shown.stdout
    assert json.loads(japagen("show", "runs/small", "--json", cwd=finished).stdout) == state

    rows = [
        json.loads(line)
        for line in japagen("predict", "runs/small", "うれしい", "腹が立つ", cwd=finished).stdout.splitlines()
    ]
    assert [row["text"] for row in rows] == ["うれしい", "腹が立つ"]
    assert all(abs(sum(row["scores"].values()) - 1) < 1e-9 and row["label"] in row["scores"] for row in rows)
    by_pipe = japagen(
        "predict", "runs/small", "--input", "-", cwd=finished, stdin='{"text": "うれしい"}\n{"text": "腹が立つ"}\n'
    )
    assert [json.loads(line) for line in by_pipe.stdout.splitlines()] == rows
    (finished / "in.csv").write_text("id,声\n1,うれしい\n2,腹が立つ\n", encoding="utf-8")
    rows = [{"id": str(i), "声": row.pop("text"), **row} for i, row in enumerate(rows, 1)]
    by_file = japagen("predict", "runs/small", "-i", "in.csv", "--column", "声", "-o", "out.jsonl", cwd=finished)
    assert by_file.returncode == 0
    assert [json.loads(line) for line in (finished / "out.jsonl").read_text(encoding="utf-8").splitlines()] == rows


def test_stage_commands_stop_where_they_say(workplace: Path) -> None:
    assert japagen("curate", "small.yaml", cwd=workplace).returncode == 0
    run = workplace / "runs" / "small"
    assert (run / "2-curate" / "done.json").exists()
    assert not (run / "3-train").exists()
    assert japagen("evaluate", "small.yaml", cwd=workplace).returncode == 0
    assert not (run / "5-analyze").exists()


def test_tasks(tmp_path: Path) -> None:
    assert "reviews" in japagen("tasks", cwd=tmp_path).stdout
    assert any(row["name"] == "reviews" for row in json.loads(japagen("tasks", "--json", cwd=tmp_path).stdout))
    assert "家電" in japagen("tasks", "show", "reviews", cwd=tmp_path).stdout
    assert json.loads(japagen("tasks", "show", "reviews", "--json", cwd=tmp_path).stdout)["name"] == "reviews"
    refused(japagen("tasks", "show", "reveiws", cwd=tmp_path), "did you mean 'reviews'")


def test_new_writes_what_can_be_run(tmp_path: Path) -> None:
    assert japagen("new", "inquiries", cwd=tmp_path).returncode == 0
    shown = japagen("prompt", "inquiries.yaml", "--label", "urgent", "-n", "3", "--json", cwd=tmp_path)
    requests = json.loads(shown.stdout)
    assert len(requests) == 3
    assert requests[0]["messages"][0]["role"] == "system"
    assert len({request["messages"][-1]["content"] for request in requests}) == 3
    experiment = (tmp_path / "inquiries.yaml").read_text(encoding="utf-8")
    assert "name: embedded" in experiment
    experiment = (
        experiment.replace("name: embedded", "name: scripted")
        .replace("per_label: 300", "per_label: 30")
        .replace("[embedding, linear]", "[linear]")
    )
    (tmp_path / "inquiries.yaml").write_text(experiment, encoding="utf-8")
    done = japagen("run", "inquiries.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    refused(japagen("new", "inquiries", cwd=tmp_path), "stands already")
    refused(japagen("new", "../evil", cwd=tmp_path), "cannot be a name")


def test_starter_shows_every_key_with_its_default(tmp_path: Path) -> None:
    from japagen.experiment import Experiment
    from japagen.sections import HTTPSection
    from japagen.starter import write_starter

    _, file = write_starter("x", tmp_path)
    written = Experiment.load(file)
    assert written.model_dump() == Experiment(name="x", task="x-task.yaml").model_dump()
    text = file.read_text(encoding="utf-8")
    for name, field in Experiment.model_fields.items():
        assert re.search(rf"^(# )?{name}:", text, re.M) or name in ("folder", "analyze"), name
        for key in getattr(field.annotation, "model_fields", {}):
            assert re.search(rf"^  {key}:", text, re.M), f"{name}.{key}"
    for key in HTTPSection.model_fields:
        assert re.search(rf"^    {key}:", text, re.M), f"llm.http.{key}"


def test_prompt_shows_what_is_sent(workplace: Path) -> None:
    done = japagen("prompt", "small.yaml", "--style", "document", "-n", "2", cwd=workplace)
    assert "客の声を集めた。どれも喜んでいる。" in done.stdout
    assert done.stdout.count("どれも怒っている。") == 4  # as turns, and as the document
    refused(japagen("prompt", "small.yaml", "--label", "gald", cwd=workplace), "did you mean 'glad'")
    refused(japagen("prompt", "small.yaml", "--style", "poem", cwd=workplace), "known: chat, document")


def test_errors_are_two_lines_and_exit_2(finished: Path, tmp_path: Path) -> None:
    text = (finished / "small.yaml").read_text(encoding="utf-8")

    def with_text(new: str) -> subprocess.CompletedProcess[str]:
        (finished / "bad.yaml").write_text(new, encoding="utf-8")
        return japagen("run", "bad.yaml", cwd=finished)

    refused(japagen("run", "none.yaml", cwd=finished), "none.yaml", "there is no such file")
    refused(japagen("run", "smal.yaml", cwd=finished), "did you mean 'small.yaml'?")
    refused(japagen("run", "rnus/small.yaml", cwd=finished), "there is no folder rnus; did you mean 'runs'?")
    refused(
        with_text(text.replace("per_label", "per_lable")),
        "bad.yaml:5: generate.per_lable: unknown key; did you mean 'per_label'?",
    )
    refused(
        with_text(text.replace("task: mood.yaml", "task: review")),
        "no task is called 'review'; did you mean 'reviews'?",
    )
    refused(with_text(text.replace("[linear]", "[liner]")), "no student is called 'liner'", "did you mean 'linear'?")
    refused(with_text(text.replace("shots: 2", "shots: 4")), "label 'glad' has 3 shots")
    refused(with_text(text.replace("seed: 7", "seed: 8")), "seed was 7, is 8", "--redo generate")
    refused(with_text(text.replace("name: scripted", "name: gtp")), "no language model is called 'gtp'")
    refused(japagen("show", "runs/none", cwd=finished), "no run in this folder")
    refused(japagen("predict", "runs/small", cwd=finished), "--input")
    refused(japagen("predict", "runs/small", "-i", "none.csv", cwd=finished), "cannot be read")
    refused(japagen("predict", "runs/small", "small.yaml.csv", "", cwd=finished), "empty text")
    refused(japagen("predict", "runs/small", "gold-dev.jsonl", cwd=finished), "is a file", "--input gold-dev.jsonl")
    refused(japagen("predict", "small", "うれしい", cwd=finished), "did you mean runs/small?")
    refused(japagen("show", "small", cwd=finished), "did you mean runs/small?")
    refused(japagen("run", "small", cwd=finished), "no such file", "give small.yaml")
    refused(japagen("run", "mood.yaml", cwd=finished), "mood.yaml:")
    (finished / "sjis.csv").write_bytes("text\n猫\n".encode("cp932"))
    refused(japagen("predict", "runs/small", "-i", "sjis.csv", cwd=finished), "not UTF-8", "CP932")
    (finished / "bad.yaml").write_text(text.replace("name: scripted", "name: embeded"), encoding="utf-8")
    refused(japagen("prompt", "bad.yaml", cwd=finished), "did you mean 'embedded'?")
    (finished / "in.csv").write_text("txt\nあ\n", encoding="utf-8")
    refused(japagen("predict", "runs/small", "-i", "in.csv", cwd=finished), "no column 'text'; did you mean 'txt'?")
    refused(
        japagen("predict", "runs/small", "-i", "gold-dev.jsonl", "-o", "gold-dev.jsonl", cwd=finished), "input itself"
    )
    refused(japagen("show", "あ" * 300, cwd=finished), "is no folder")
    refused(with_text(text.replace("name: small", 'name: "a\\e[31m\\nb"')), "name: String should match")
    refused(with_text(text.replace("[linear]", '["a\\e[31m\\nb"]')), "no student is called 'a\\x1b[31m\\nb'")
    done = finished / "runs" / "small" / "2-curate" / "done.json"
    good = done.read_text(encoding="utf-8")
    for damage in ("{}", "[1]", "{", '{"inputs": 1}', "[" * 100_000):
        done.write_text(damage, encoding="utf-8")
        refused(japagen("show", "runs/small", cwd=finished), "done.json", "damaged")
        refused(japagen("run", "small.yaml", cwd=finished), "done.json", "damaged")
    for kept in ("1", '"many"', "[]"):
        done.write_text(re.sub(r'"kept": \d+', f'"kept": {kept}', good, count=1), encoding="utf-8")
        refused(japagen("show", "runs/small", cwd=finished), "done.json", "damaged", "--redo curate")
    done.write_text(good, encoding="utf-8")
    assert japagen("run", "small.yaml", cwd=finished).returncode == 0
    store = finished / "runs" / "small" / "1-generate" / "replies.sqlite"
    store.write_bytes(b"garbage" * 1000)
    refused(japagen("run", "small.yaml", "--redo", "generate", cwd=finished), "nothing was overwritten")
    assert store.read_bytes().startswith(b"garbage")


def test_ctrl_c_exits_130_and_goes_on(workplace: Path) -> None:
    program = (
        "import japagen.pipeline.bound as p; from japagen.llm.scripted import ScriptedLLM\n"
        "p.load_llm = lambda settings, folder: ScriptedLLM(delay=0.05)\n"
        "from japagen.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "run", "small.yaml"]
    with subprocess.Popen(
        command, cwd=workplace, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        store = workplace / "runs" / "small" / "1-generate" / "replies.sqlite"
        deadline = time.monotonic() + 60
        while not store.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert len(stderr.strip().splitlines()) == 2
    assert "same command" in stderr
    assert japagen("run", "small.yaml", cwd=workplace).returncode == 0
