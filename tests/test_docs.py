"""What the docs promise is run: the README's Python, the shipped examples and tasks, the files that are named."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from japagen import pipeline
from japagen.curate.duplicates import same_texts
from japagen.evaluate.gold import load_gold
from japagen.experiment import Experiment
from japagen.generate.knowledge import Knowing
from japagen.llm.scripted import ScriptedLLM
from japagen.prompts import Wanted, first_prompt, writing_prompt
from japagen.task import Task, built_in_tasks

ROOT = Path(__file__).parents[1]


def test_the_ten_lines_of_the_readme(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    (tmp_path / "examples").mkdir()
    text = (ROOT / "examples" / "reviews.yaml").read_text(encoding="utf-8")
    (tmp_path / "examples" / "reviews.yaml").write_text(
        text.replace("per_label: 300", "per_label: 20"), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline.bound, "load_llm", lambda settings, folder: ScriptedLLM())
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    report, answer = printed.getvalue().splitlines()
    assert Path(report).is_file()
    label, scores = re.fullmatch(r"(positive|negative) (\{.*\})", answer).groups()  # type: ignore[union-attr]
    scores = json.loads(scores.replace("'", '"'))
    assert set(scores) == {"positive", "negative"}
    assert max(scores, key=scores.__getitem__) == label


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda f: f.name)
def test_every_example_can_be_read(file: Path) -> None:
    experiment = Experiment.load(file)
    pipeline.check(experiment, experiment.load_task())


@pytest.mark.parametrize("name", built_in_tasks())
def test_built_in_tasks_keep_their_own_rules(name: str) -> None:
    task = Task.load(name)
    dev, test = (load_gold(task, split) for split in ((task.gold.dev, task.gold.test) if task.gold else (None, None)))
    shots = [shot.text + (shot.text_pair or "") for label in task.labels.values() for shot in label.shots]
    texts = [example.text for example in (*dev, *test)]
    assert len(set(shots)) == len(shots)
    assert not set(shots) & set(texts)
    assert not same_texts([*dev, *test])  # canonically different, within and between the splits
    assert all(
        len(text) <= task.max_chars
        for label in task.labels.values()
        for s in label.shots
        for text in (s.text, s.text_pair or "")
    )
    for label, spec in task.labels.items():
        first = "一文目。" if task.is_pair else None
        for kadg in (False, True):
            used = task.mechanisms(kadg)
            knowing = Knowing(task, used, seed=0)
            for i in range(20):
                wanted = Wanted(knowing.draw(label, i), used, spec.shots[:2])
                for style in ("chat", "document"):
                    messages = writing_prompt(task, label, style=style, wanted=wanted, first=first)  # type: ignore[arg-type]
                    if first:
                        messages += first_prompt(task, style=style, wanted=wanted)  # type: ignore[arg-type]
                    assert not re.search(r"[{}]", "".join(m.content for m in messages))


def test_the_demo_task_is_what_it_says() -> None:
    task = Task.load("reviews")
    assert task.gold is not None
    for split, each in ((task.gold.dev, 50), (task.gold.test, 100)):
        rows = load_gold(task, split)
        for label in task.label_names:
            texts = [row.text for row in rows if row.label == label]
            traits = [t for row in rows if row.label == label for t in row.meta["traits"]]
            assert len(texts) == each
            assert min(map(len, texts)) <= 10
            assert max(map(len, texts)) >= 120
            for trait in ("ironic", "mixed", "numbers", "emoji", "half-width", "short", "long"):
                assert trait in traits, (label, trait)
    assert all(len(label.shots) >= 12 for label in task.labels.values())


def test_files_named_in_the_readme_exist() -> None:
    for readme in ("README.md", "README.ja.md"):
        for name in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / readme).read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{readme} names {name}"


def test_benchmark_results_are_json() -> None:
    for file in (ROOT / "benchmarks" / "results").glob("*.json"):
        assert json.loads(file.read_text(encoding="utf-8"))["machine"]


BENCHMARKS = sorted(file for folder in ("benchmarks", "benchmarks/quality") for file in (ROOT / folder).glob("*.py"))


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda f: f.name)
def test_benchmarks_can_be_started(file: Path) -> None:
    command = [sys.executable, str(file), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
