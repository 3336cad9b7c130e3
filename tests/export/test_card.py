"""The model card is for a person: honest of what was measured, valid for the hub, and safe whatever a label is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from japagen.experiment import Experiment
from japagen.export import export
from japagen.export.card import _extra, escaped, public_name
from japagen.export.pretrained import licence_of
from japagen.pipeline import run
from japagen.rundir import Run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a place where a run may be made once for all tests of this file."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def place(finished: Path, experiment: Experiment) -> Run:
    """A run of the linear student, without a network."""
    if (finished / "small" / "5-analyze" / "done.json").is_file():
        return Run.open(finished / "small")
    return run(experiment, runs=finished, until="analyze")


def card(path: Path, target: Path) -> tuple[dict[str, object], str]:
    text = (export(path, "model-card", output=target).folder / "README.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_the_card_of_a_run(place: Run, tmp_path: Path) -> None:
    front, body = card(place.path, tmp_path / "card")
    assert front["language"] == ["ja"]
    assert front["pipeline_tag"] == "text-classification"
    scores = json.loads((place.path / "4-evaluate" / "scores.json").read_bytes())
    measured = {system["name"]: system["scores"]["accuracy"] for system in scores["systems"]}
    [index] = front["model-index"]
    assert index["results"][0]["metrics"][0]["value"] == pytest.approx(
        measured["japagen/linear"]["by_seed"][0], abs=1e-4
    )
    for name in ("japagen/linear", "gold-1/linear", "zero-shot", "majority"):
        assert f"| {name} |" in body
        own = measured[name]
        assert f"| {own['value']:.3f} | {own['low']:.3f} to {own['high']:.3f} |" in body
    curated = json.loads((place.path / "2-curate" / "done.json").read_bytes())["accounting"]
    assert f"60 texts were asked for, {curated['kept']} were kept" in body
    for reason, count in curated["dropped"].items():
        assert f"- {count} dropped: {escaped(reason)}" in body
    for part in (
        "どれも喜んでいる。",
        "scripted",
        "seed 7",
        "KADG",
        "licence is not known here",
        "Texts of a language model",
    ):
        assert part in body
    assert "sk-" not in body
    assert str(place.path.parent) not in body
    assert "{{" not in body


def test_the_hub_understands_it(place: Run, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra 'hub')")
    export(place.path, "model-card", output=tmp_path / "card")
    read = hub.ModelCard((tmp_path / "card" / "README.md").read_text(encoding="utf-8")).data
    assert read.language == ["ja"]
    assert read.eval_results[0].metric_type == "accuracy"
    assert read.eval_results[0].dataset_type == "mood"


def test_a_classifier_without_its_run_says_what_it_does_not_know(place: Run, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(place.path / "3-train" / "linear" / "seed-0", tmp_path / "alone")
    front, body = card(tmp_path / "alone", tmp_path / "card")
    assert "model-index" not in front
    assert "cannot say what it learnt" in body
    assert "was not measured" in body
    assert "| glad |" in body


def test_the_default_place_is_in_the_run(place: Run) -> None:
    done = export(place.path, "model-card")
    assert done.folder == place.path / "export" / "model-card"
    assert done.size == (done.folder / "README.md").stat().st_size
    assert [entry.name for entry in (place.path / "export").iterdir()] == ["model-card"]


@pytest.mark.parametrize(
    ("format", "student", "extra"),
    [
        ("model-card", "encoder", "[encoder]"),
        ("hf", "encoder", "[encoder]"),
        ("onnx-int8", "encoder", "[onnx]"),
        ("model-card", "openvino", "[openvino]"),
        ("model-card", "linear", ""),
        ("model-card", "embedding", ""),
    ],
)
def test_what_is_to_be_installed(format: str, student: str, extra: str) -> None:
    assert _extra(format, student) == extra


def test_licences_of_encoders_that_are_known() -> None:
    for model, student in (("use-multilingual", "encoder"), ("0.2.1", "embedding")):
        assert licence_of(model, student).startswith("Apache-2.0 (the Universal Sentence Encoder multilingual v3")
    assert licence_of("tohoku-nlp/bert-base-japanese-v3", "encoder") == "Apache-2.0."
    assert licence_of("bert-base-japanese-v3", "encoder") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<script>", r"\<script\>"),
        ("[x](javascript:y)", r"\[x\](javascript:y)"),
        ("- eins\n# zwei", r"\- eins \# zwei"),
        ("---", r"\---"),
        ("1. list", r"1\. list"),
        ("喜び\x1b[0m", r"喜び�\[0m"),
        ("*_`~$&\\", r"\*\_\`\~\$\&\\"),
    ],
)
def test_texts_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text())
def test_an_escaped_text_is_one_line_without_bare_marks(text: str) -> None:
    shown = escaped(text)
    assert shown.isprintable()
    bare = shown.replace("\\\\", "")
    for mark in "`*_[]<>#|~$&":
        assert bare.count(mark) == bare.count("\\" + mark)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("tohoku-nlp/bert-base-japanese-v3", "tohoku-nlp/bert-base-japanese-v3"),
        ("use-multilingual", "use-multilingual"),
        ("openai:gpt-4o-mini", "openai:gpt-4o-mini"),
        ("openai:org/model", "openai:org/model"),
        ("gguf:/home/somebody/model.gguf", "gguf:model.gguf"),
        ("/home/somebody/encoder/", "encoder"),
        ("./mine/encoder", "encoder"),
        ("~/encoder", "encoder"),
        ("C:\\Users\\somebody\\encoder", "encoder"),
    ],
)
def test_names_lose_the_folders_of_the_machine(name: str, shown: str) -> None:
    assert public_name(name) == shown
