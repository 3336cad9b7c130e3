"""`japagen compare` on runs that the pipeline made: two tasks, two arms, every format, every refusal in two lines."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from japagen.compare import compare
from japagen.experiment import Experiment
from japagen.pipeline import run


@pytest.fixture
def runs(workplace: Path) -> list[Path]:
    """Two tasks, each zero-shot without KADG and few-shot with it."""
    text = (workplace / "mood.yaml").read_text(encoding="utf-8")
    (workplace / "other.yaml").write_text(text.replace("name: mood", "name: other", 1), encoding="utf-8")
    made = []
    for task in ("mood", "other"):
        for arm, shots, kadg in (("zero", 0, False), ("few", 2, ["word"])):
            changes = {"name": f"{task}-{arm}", "generate.shots": shots, "generate.kadg": kadg}
            experiment = Experiment.load(
                workplace / "small.yaml", task=str(workplace / f"{task}.yaml"), changes=changes
            )
            made.append(run(experiment, runs=workplace / "runs").path)
    return made


def japagen(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from japagen.cli import main; main()", "compare", *map(str, arguments)]
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_real_runs(runs: list[Path], workplace: Path) -> None:
    found = compare(runs)
    assert [(column.task, column.metric, column.n) for column in found.columns] == [
        ("mood", "accuracy", 8),
        ("other", "accuracy", 8),
    ]
    names = [(row.method.name, row.method.student) for row in found.rows]
    assert names[:2] == [("zero-shot JAPAGEN", "linear"), ("few-shot JAPAGEN (2) + KADG (word)", "linear")]
    assert ("zero-shot PROMPTING", "") in names
    assert ("training on gold, K = 3", "linear") in names
    assert all(cell is not None for row in found.rows for cell in row.cells)
    saved = [json.loads((folder / "4-evaluate" / "scores.json").read_text(encoding="utf-8")) for folder in runs]
    for column, zero in ((0, saved[0]), (1, saved[2])):
        [score] = [s["scores"]["accuracy"] for s in zero["systems"] if s["name"] == "japagen/linear"]
        cell = found.rows[0].cells[column]
        assert cell is not None
        assert (cell.value, cell.low, cell.high, cell.seeds) == (score["value"], score["low"], score["high"], 2)
    assert [gain.method.name for gain in found.gains] == [name for _ in range(2) for name, _ in names[:2]]
    generation = [cost for cost in found.costs if cost.asked]
    assert [cost.asked for cost in generation] == [60] * 4
    assert found.tests == sum(cell is not None and cell.p is not None for row in found.rows for cell in row.cells)

    piped = japagen(*runs, cwd=workplace)
    assert (piped.returncode, piped.stderr) == (0, "")
    assert piped.stdout.startswith("## Scores\n\n| method | mood (accuracy, n = 8) | other (accuracy, n = 8) |\n")
    for name, start in (
        ("t.md", "## Scores"),
        ("t.tex", "% Made by"),
        ("t.csv", "task,"),
        ("t.html", "<!doctype html>"),
    ):
        done = japagen(*runs, "--output", name, cwd=workplace)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"written: {name}\n"
        assert (workplace / name).read_text(encoding="utf-8").lstrip().startswith(start)
    assert (workplace / "t.md").read_text(encoding="utf-8") == piped.stdout
    rows = list(csv.DictReader(io.StringIO((workplace / "t.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 2 * len(found.rows)
    assert {row["best"] for row in rows} == {"true", "false"}


def refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("error ")
    for text in said:
        assert text in done.stderr


def test_refusals_in_two_lines(runs: list[Path], workplace: Path) -> None:
    one = runs[0]
    refused(japagen(one, "--output", "t.pdf", cwd=workplace), "no format ends in '.pdf'", "--format")
    refused(japagen(one, "--output", "nowhere/t.md", cwd=workplace), "nowhere/t.md", "--output")
    refused(japagen(one, "--student", "linar", cwd=workplace), "no run has a student 'linar'", "'linear'")
    refused(japagen(one, one, cwd=workplace), "the same run is given twice")
    refused(japagen("nothing", cwd=workplace), "there is no run in this folder")
    (runs[1] / "4-evaluate" / "done.json").unlink()
    refused(japagen(*runs, cwd=workplace), "is not finished", "japagen run mood-few.yaml")
    text = (workplace / "gold-test.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (workplace / "gold-test.jsonl").write_text("".join(text[1:]), encoding="utf-8")
    fewer = Experiment.load(workplace / "small.yaml", changes={"name": "fewer"})
    changed = run(fewer, runs=workplace / "runs").path
    refused(
        japagen(one, changed, cwd=workplace), "'mood-zero' and 'fewer'", "8 test rows in the one and 7 in the other"
    )
    assert japagen(cwd=workplace).returncode == 2
