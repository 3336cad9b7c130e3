"""The tables of a run in the terminal: the task's own metric first, undefined scores, missing answers, money."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from japagen.errors import RunError
from japagen.progress import Progress
from japagen.rundir import Run
from japagen.terminal import logged_progress, print_run, run_state

VOID = {"value": None, "low": None, "high": None, "by_seed": []}


def score(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "by_seed": [value, value]}


def shown(metrics: list[str], systems: dict[str, float | None], width: int = 120, **usage: Any) -> str:
    console = Console(width=width, record=True, file=StringIO())
    rows = [
        {"name": name, "kind": "prompted", "train_rows": 0, "unparsed": 3 if name == "zero-shot" else 0}
        | {"scores": {m: VOID if value is None else score(value) for m in metrics}}
        for name, value in systems.items()
    ]
    stages = {"generate": {"seconds": 1.0, "usage": usage}, "curate": None}
    scores = {"metric": metrics[0], "n": 50, "systems": rows}
    print_run({"experiment": "x", "task": "y", "stages": stages, "scores": scores}, console)
    return console.export_text()


@pytest.mark.parametrize("metrics", [["spearman", "pearson"], ["mcc", "accuracy", "macro_f1"]])
def test_the_tasks_metric_is_the_headline(metrics: list[str]) -> None:
    said = shown(metrics, {"japagen/linear": 0.5, "majority": None})
    names = {"spearman": "Spearman", "pearson": "Pearson", "mcc": "MCC", "accuracy": "accuracy", "macro_f1": "macro-F1"}
    heading = next(line for line in said.splitlines() if "system" in line)
    assert [heading.index(names[m]) for m in metrics] == sorted(heading.index(names[m]) for m in metrics)
    assert f"{names[metrics[0]]} by seed" in heading
    line = next(line for line in said.splitlines() if "japagen/linear" in line)
    assert ".500 [.400, .600]" in line
    assert ".500 .500" in line
    constant = next(line for line in said.splitlines() if "majority" in line)
    assert constant.count("undefined") == len(metrics)


def test_a_narrow_terminal_shows_the_headline_alone() -> None:
    said = shown(["spearman", "pearson"], {"japagen/linear": 0.5}, width=70)
    assert "Spearman" in said
    assert "Pearson" not in said


def test_missing_answers_and_spending_are_told() -> None:
    said = shown(["accuracy"], {"zero-shot": 0.5}, requests=1200, prompt_tokens=1000, completion_tokens=500, usd=0.5)
    assert "zero-shot (3 unanswered)" in said
    assert "generate used 1,200 calls, 1,500 tokens, 0.5000 US dollars" in said
    assert "used" not in shown(["accuracy"], {"few-shot": 0.5}, requests=0, usd=None)


def test_logs_get_a_line_now_and_then() -> None:
    shown = StringIO()
    listen = logged_progress(Console(file=shown, width=100), every=0.0)
    listen(Progress("generate", "[glad]", 3, 10, kept=2, dropped=1))
    listen(Progress("train", "linear", 1, 5))
    assert shown.getvalue().splitlines() == ["generate [glad]: 3 of 10, dropped 1, failed 0", "train linear: 1 of 5"]
    quiet = StringIO()
    listen = logged_progress(Console(file=quiet, width=100))
    listen(Progress("train", "linear", 2, 5))
    assert quiet.getvalue() == ""


def test_scores_that_were_changed_are_damaged(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", experiment="x", task="y")
    file = run.begin("evaluate") / "scores.json"
    file.write_text(json.dumps({"metric": "mcc", "n": 5, "systems": []}))
    run.finish("evaluate", {}, seconds=1.0)
    assert run_state(run.path)["scores"]["n"] == 5
    file.write_text(json.dumps({"metric": "mcc", "n": "5", "systems": "none"}))
    with pytest.raises(RunError, match="damaged") as caught:
        run_state(run.path)
    assert (caught.value.where, "--redo evaluate" in caught.value.remedy) == (str(file), True)
    file.unlink()
    with pytest.raises(RunError, match="damaged"):
        run_state(run.path)
