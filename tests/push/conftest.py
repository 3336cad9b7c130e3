"""A finished run, a fake hub, and an environment that knows that hub and no other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from japagen import run
from japagen.experiment import Experiment
from japagen.push.fakehub import FakeHub

EXPERIMENT = """\
name: small
task: mood.yaml
seed: 7
llm: {name: scripted}
generate: {per_label: 30, shots: 2}
curate: {min_chars: 26}
train: {students: [linear], seeds: 2}
evaluate: {gold_shots: [], prompting: [], resamples: 200}
"""


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of runs that were made once: pairs, and numbers."""
    made = {}
    for task in ("jnli", "jsts"):
        changes = {"llm.name": "scripted", "generate.per_label": 8, "train.students": ["linear"], "train.seeds": 1}
        experiment = Experiment.load(task=task, changes=changes)
        made[task] = run(experiment, runs=tmp_path_factory.mktemp("runs"), until="train").path
    return made


@pytest.fixture
def pairs(_finished: dict[str, Path]) -> dict[str, Path]:
    """Runs on pairs of texts, by task; not to be changed."""
    return _finished


@pytest.fixture(scope="session")
def _small() -> dict[str, Path]:
    return {}


@pytest.fixture
def small(workplace: Path, tmp_path_factory: pytest.TempPathFactory, _small: dict[str, Path]) -> Path:
    """The folder of a finished run on single texts, some of which were dropped; a copy, free to be changed."""
    if not _small:
        (workplace / "small.yaml").write_text(EXPERIMENT, encoding="utf-8")
        made = run(workplace / "small.yaml", runs=tmp_path_factory.mktemp("runs")).path
        _small["run"] = made
    return Path(shutil.copytree(_small["run"], workplace / "copy"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A hub of this test, known to the environment with a token that may write."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with FakeHub(tmp_path / "hub") as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_TOKEN", made.token)
        yield made
