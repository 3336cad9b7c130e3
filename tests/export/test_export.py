"""Exports answer as their originals do, whatever the network; what would not is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from japagen.classifiers import load_run_classifier
from japagen.errors import ConfigError, DataError, ModelError, RunError
from japagen.experiment import Experiment
from japagen.export import _accepted, export
from japagen.export.source import Source, Trial
from japagen.pipeline import run
from japagen.records import Example, Prediction
from japagen.rundir import Run
from japagen.student import load_classifier
from japagen.student.decision import Decided, Decision

for _package, _extra in (
    ("torch", "encoder"),
    ("onnxruntime", "onnx"),
    ("onnxscript", "onnx"),
    ("openvino", "openvino"),
):
    pytest.importorskip(_package, reason=f"{_package} is not installed (extra '{_extra}')")

FAMILIES = ("Bert", "DebertaV2", "Roberta", "ModernBert", "Electra")
Make = Callable[..., Any]
Rows = tuple[list[Example], Path]


def saved_encoder(make: Make, folder: Path, family: str = "Bert", **options: Any) -> Path:
    (folder / "parts").mkdir(parents=True)
    (folder / "saved").mkdir()
    make(family, folder / "parts", **options).save(folder / "saved")
    return folder / "saved"


def furthest(one: list[Prediction], other: list[Prediction]) -> float:
    assert [p.id for p in one] == [p.id for p in other]
    return max(abs(a.scores[label] - b.scores[label]) for a, b in zip(one, other, strict=True) for label in a.scores)


def labels(predictions: list[Prediction]) -> list[str]:
    return [p.label for p in predictions]


@pytest.mark.parametrize("family", FAMILIES)
def test_onnx_answers_as_the_network_does(family: str, encoder: Make, texts: Rows, tmp_path: Path) -> None:
    rows, file = texts
    original = saved_encoder(encoder, tmp_path / "made", family)
    done = export(original, "onnx", output=tmp_path / "out", check=file)
    assert (done.precision, done.compared, done.changed, done.what) == ("fp32", len(rows), 0, "rows of texts.jsonl")
    wanted, found = load_classifier(original).predict(rows), load_classifier(tmp_path / "out").predict(rows)
    assert labels(found) == labels(wanted)
    assert len({round(p.scores["glad"], 3) for p in wanted}) > 2
    assert furthest(wanted, found) < 1e-4


@pytest.mark.parametrize(("to", "apart"), [("onnx-int8", 0.1), ("openvino", 0.1), ("hf", 1e-4)])
def test_other_formats_answer_nearly_so(to: str, apart: float, encoder: Make, pairs: Rows, tmp_path: Path) -> None:
    rows, file = pairs
    original = saved_encoder(encoder, tmp_path / "made", pair=True)
    done = export(original, to, output=tmp_path / "out", check=file, max_changed=len(rows))
    wanted, found = load_classifier(original).predict(rows), load_classifier(tmp_path / "out").predict(rows)
    assert done.largest == pytest.approx(furthest(wanted, found), abs=1e-4)
    assert done.largest < apart
    assert done.size == sum(f.stat().st_size for f in (tmp_path / "out").iterdir() if f.name != "README.md")
    if to == "onnx-int8":
        fp32 = export(original, "onnx", output=tmp_path / "fp32", check=file)
        assert fp32.largest < done.largest
        assert done.size < fp32.size


@pytest.mark.parametrize("to", ["onnx", "openvino", "hf"])
def test_numbers_stay_numbers(to: str, encoder: Make, pairs: Rows, tmp_path: Path) -> None:
    rows, file = pairs
    original = saved_encoder(encoder, tmp_path / "made", labels=("0", "1", "2"), values=(0.0, 1.0, 2.0), pair=True)
    done = export(original, to, output=tmp_path / "out", check=file, max_changed=1)
    wanted, found = load_classifier(original).predict(rows), load_classifier(tmp_path / "out").predict(rows)
    assert [p.value for p in found] == pytest.approx([p.value for p in wanted], abs=0.02)
    apart = max(abs((a.value or 0.0) - (b.value or 0.0)) for a, b in zip(wanted, found, strict=True))
    assert (done.measure, done.largest) == ("value", pytest.approx(apart, abs=1e-4))
    assert "and no value by more than" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_the_multilingual_encoder_is_exported(tmp_path: Path, pairs: Rows) -> None:
    torch = pytest.importorskip("torch")
    from japagen.student.encoder.classifier import EncoderClassifier
    from japagen.student.encoder.use import UseNetwork

    rows, file = pairs
    torch.manual_seed(0)
    network = UseNetwork.new(outputs=2, pair=True)
    (tmp_path / "saved").mkdir()
    EncoderClassifier(network, ("no", "yes"), True, None, 64, "use-multilingual").save(tmp_path / "saved")
    export(tmp_path / "saved", "onnx", output=tmp_path / "out", check=file)
    wanted = load_classifier(tmp_path / "saved").predict(rows)
    assert furthest(wanted, load_classifier(tmp_path / "out").predict(rows)) < 1e-4
    with pytest.raises(ModelError, match="no architecture for 'use-multilingual'") as refused:
        export(tmp_path / "saved", "hf", output=tmp_path / "hf", check=file)
    assert refused.value.remedy.endswith("--to onnx")


def test_plain_transformers_reads_the_hf_folder(encoder: Make, texts: Rows, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    rows, file = texts
    original = saved_encoder(encoder, tmp_path / "made")
    out = tmp_path / "out"
    export(original, "hf", output=out, check=file)
    (out / "classifier.json").unlink()
    model, tokeniser = AutoModelForSequenceClassification.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert model.config.id2label == {0: "angry", 1: "glad", 2: "neither"}
    assert model.config.label2id == {"angry": 0, "glad": 1, "neither": 2}
    logits = model(**tokeniser(rows[0].text, return_tensors="pt")).logits[0]
    assert model.config.id2label[int(logits.argmax())] == load_classifier(original).predict(rows[:1])[0].label


def test_a_label_that_changes_is_refused_with_the_count(
    encoder: Make, texts: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, file = texts
    original = saved_encoder(encoder, tmp_path / "made")
    from japagen.student.exported.onnx import OnnxNetwork

    computed = OnnxNetwork.__call__
    monkeypatch.setattr("japagen.export.onnx._compare", lambda *_: None)
    monkeypatch.setattr(OnnxNetwork, "__call__", lambda self, inputs: np.roll(computed(self, inputs), 1, axis=1))
    with pytest.raises(ModelError, match=rf"labels {len(rows)} of {len(rows)} rows of texts.jsonl") as refused:
        export(original, "onnx", output=tmp_path / "out", check=file)
    assert f"--max-changed {len(rows)}" in refused.value.remedy
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("*.partial"))
    assert export(original, "onnx", output=tmp_path / "out", check=file, max_changed=len(rows)).changed == len(rows)


@pytest.mark.parametrize(
    ("precision", "remedy"), [("int8", "take --to onnx (fp32), or allow it with"), ("fp32", "allow it with")]
)
def test_the_refusal_names_what_was_compared(
    precision: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Source, "task", None)
    seeds = [tmp_path / "run" / "3-train" / "encoder" / f"seed-{n}" for n in range(3)]
    ensemble = Source(seeds[0], Run(tmp_path / "run"), None, tuple(seeds[1:]))
    alone = Source(seeds[0])
    before, after = [Prediction("a", "x", {"x": 0.9, "y": 0.1})], [Prediction("a", "y", {"x": 0.4, "y": 0.6})]
    texts = Trial([Example("a", "文", "")], "gold test rows")
    for source, where, original in (
        (ensemble, tmp_path / "run", "the ensemble of 3 seeds"),
        (alone, seeds[0], "its original"),
    ):
        with pytest.raises(ModelError, match=f"otherwise than {original}") as refused:
            _accepted(source, precision, before, after, texts, 0)
        assert refused.value.where == str(where)
        assert refused.value.remedy == f"{remedy} --max-changed 1"


def test_a_graph_that_computes_something_else_is_refused(
    encoder: Make, texts: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from japagen.student.exported.onnx import OnnxNetwork

    computed = OnnxNetwork.__call__
    monkeypatch.setattr(OnnxNetwork, "__call__", lambda self, inputs: computed(self, inputs) + np.float32(0.1))
    with pytest.raises(ModelError, match="answers otherwise than the network"):
        export(saved_encoder(encoder, tmp_path / "made"), "onnx", output=tmp_path / "out", check=texts[1])


def test_openvino_computes_in_fp32_where_bf16_changes_labels(
    encoder: Make, texts: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from japagen.student.exported.openvino import OpenvinoNetwork

    load = OpenvinoNetwork.load.__func__

    class Wrong(OpenvinoNetwork):
        __slots__ = ()

        def __call__(self, inputs: Any) -> Any:
            return -OpenvinoNetwork.__call__(self, inputs)

    monkeypatch.setattr(
        OpenvinoNetwork,
        "load",
        lambda folder, precision, *, threads=None: load(
            Wrong if precision == "bf16" else OpenvinoNetwork, folder, precision, threads=threads
        ),
    )
    done = export(saved_encoder(encoder, tmp_path / "made"), "openvino", output=tmp_path / "out", check=texts[1])
    assert (done.precision, done.changed) == ("fp32", 0)
    assert json.loads((tmp_path / "out" / "classifier.json").read_bytes())["precision"] == "fp32"


def test_a_decision_goes_with_it(encoder: Make, texts: Rows, tmp_path: Path) -> None:
    rows, file = texts
    original = saved_encoder(encoder, tmp_path / "made")
    bare = load_classifier(original)
    names = ("angry", "glad", "neither")
    decision = replace(Decision.none(names, "mcc"), temperature=2.0, offsets=(50.0, 0.0, 0.0))
    (tmp_path / "decided").mkdir()
    Decided(bare, decision).save(tmp_path / "decided")
    export(tmp_path / "decided", "onnx", output=tmp_path / "out", check=file)
    wanted, found = load_classifier(tmp_path / "decided").predict(rows), load_classifier(tmp_path / "out").predict(rows)
    assert labels(found) == ["angry"] * len(rows)
    assert furthest(wanted, found) < 1e-4
    assert furthest(bare.predict(rows), found) > 1e-3
    (tmp_path / "copy").mkdir()
    load_classifier(tmp_path / "out").save(tmp_path / "copy")
    assert load_classifier(tmp_path / "copy").predict(rows) == found
    assert "How scores become labels" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_no_path_of_the_machine_goes_with_it(encoder: Make, texts: Rows, tmp_path: Path) -> None:
    original = saved_encoder(encoder, tmp_path / "made", model=str(tmp_path / "my-encoder"))
    for to in ("onnx", "openvino", "hf"):
        export(original, to, output=tmp_path / to, check=texts[1], max_changed=5)
        for file in (tmp_path / to).iterdir():
            content = file.read_bytes()
            for path in (tmp_path.name, str(Path.home()), "site-packages"):
                assert path.encode() not in content, (file.name, path)
        assert json.loads((tmp_path / to / "classifier.json").read_bytes())["model"] == "my-encoder"


def test_refusals(encoder: Make, texts: Rows, tmp_path: Path, experiment: Experiment) -> None:
    original = saved_encoder(encoder, tmp_path / "made")
    with pytest.raises(ConfigError, match="onx") as refused:
        export(original, "onx")
    assert "did you mean 'onnx'?" in refused.value.remedy
    with pytest.raises(DataError, match="a classifier without its run has none") as unchecked:
        export(original, "onnx")
    assert "--check FILE" in unchecked.value.remedy
    with pytest.raises(DataError, match="is there and not empty"):
        export(original, "onnx", output=original, check=texts[1])
    with pytest.raises(RunError, match="no run in this folder, and no classifier"):
        export(tmp_path, "onnx")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(DataError, match="no rows"):
        export(original, "onnx", check=empty)
    (tmp_path / "out").mkdir()  # an empty one may be there
    assert export(original, "onnx", output=tmp_path / "out", check=texts[1]).changed == 0
    with pytest.raises(ModelError, match="is an export already"):
        export(tmp_path / "out", "openvino", check=texts[1])


def test_a_network_that_no_onnx_file_holds_is_refused(
    encoder: Make, texts: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("japagen.export.onnx.MOST_BYTES", 1000)
    with pytest.raises(ModelError, match="more than the 2 GB") as refused:
        export(saved_encoder(encoder, tmp_path / "made"), "onnx", output=tmp_path / "out", check=texts[1])
    assert "--to hf" in refused.value.remedy


def test_a_run_is_exported_with_its_gold_rows(experiment: Experiment, workplace: Path, tiny_bert: Path) -> None:
    model = experiment.train.encoder.model_copy(update={"model": str(tiny_bert), "epochs": 1, "max_length": 64})
    train = experiment.train.model_copy(update={"students": ("encoder",), "seeds": 2, "encoder": model})
    evaluate = experiment.evaluate.model_copy(update={"gold_shots": (), "prompting": ()})
    experiment = experiment.model_copy(update={"train": train, "evaluate": evaluate})
    place = run(experiment, runs=workplace / "runs")
    done = export(place.path, "onnx")
    assert (done.folder, done.what) == (place.path / "export" / "onnx", "gold test rows")
    assert done.compared == 8
    ensemble = json.loads((place.path / "experiment.json").read_bytes())
    ensemble["train"]["ensemble"] = True
    (place.path / "experiment.json").write_text(json.dumps(ensemble), encoding="utf-8")
    both = export(place.path, "onnx", output=workplace / "both")
    texts = [Example(str(n), text, "") for n, text in enumerate(("とても気に入りました。", "二度と買いません。"))]
    wanted = load_run_classifier(place.path).predict(texts)
    assert furthest(wanted, load_classifier(workplace / "both").predict(texts)) < 1e-4
    assert both.size > 1.8 * done.size
    second = export(place.path / "3-train" / "encoder" / "seed-1", "model-card")
    assert second.folder == place.path / "export" / "model-card-encoder-seed-1"
    rows = (workplace / "gold-test.jsonl").read_text(encoding="utf-8").replace("test：", "")
    (workplace / "gold-test.jsonl").write_text(rows, encoding="utf-8")
    with pytest.raises(ModelError, match=r"ensemble \(train.ensemble\), the mean of 2 models") as refused:
        export(place.path, "hf")
    assert str(place.path / "3-train" / "encoder" / "seed-0") in refused.value.remedy
    assert "the mean of 2 classifiers" in (workplace / "both" / "README.md").read_text(encoding="utf-8")
    changed = export(place.path / "3-train" / "encoder" / "seed-0", "hf")
    assert changed.folder.name == "hf-encoder-seed-0"  # the mean of both answers for the run
    assert changed.what.startswith("curated texts")
    card = (changed.folder / "README.md").read_text(encoding="utf-8")
    assert str(workplace) not in card
    assert str(tiny_bert) not in card
    assert tiny_bert.name in card
    assert "**one seed** of an ensemble of 2" in card
    assert "pip install 'japagen[encoder]'" in card
    seeds = [load_classifier(place.path / "3-train" / "encoder" / f"seed-{n}") for n in (0, 1)]
    names = tuple(seeds[0].labels)
    for number, seed in enumerate(seeds):  # offsets that would give every row the first label, did they count
        decision = replace(
            Decision.none(names, "accuracy"), temperature=1.5 + number, prior=(0.0, 2.0), offsets=(9.0, 0.0)
        )
        Decided(seed, decision).save(place.path / "3-train" / "encoder" / f"seed-{number}")
    export(place.path, "onnx", output=workplace / "decided")
    decided = load_run_classifier(place.path).predict(texts)
    found = load_classifier(workplace / "decided").predict(texts)
    assert labels(found) == labels(decided) == [names[1]] * len(texts)
    assert furthest(decided, found) < 1e-4
    assert furthest(decided, wanted) > 1e-2
    card = (workplace / "decided" / "README.md").read_text(encoding="utf-8")
    assert "a decision of its own" in card


@pytest.mark.parametrize("to", ["onnx", "onnx-int8", "openvino", "hf"])
def test_students_without_a_network_have_nothing_to_export(to: str, experiment: Experiment, workplace: Path) -> None:
    place = run(experiment, runs=workplace / "runs", until="train")
    with pytest.raises(ModelError, match="'linear' has no network") as refused:
        export(place.path, to)
    assert "ship its folder" in refused.value.remedy


def test_the_multilingual_encoder_answers_the_same_at_every_shape(tmp_path: Path) -> None:
    """A sum by index, as it was exported first, lost terms at some shapes with several threads."""
    from japagen.export.onnx import write_onnx
    from japagen.student.encoder.classifier import EncoderClassifier
    from japagen.student.encoder.use import UseNetwork
    from japagen.student.exported.onnx import OnnxNetwork

    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = UseNetwork.new(3, pair=False).eval()
    write_onnx(EncoderClassifier(network, ("a", "b", "c"), False, None, 64, "use-multilingual"), tmp_path)
    exported = OnnxNetwork.load(tmp_path, threads=2)
    drawn = np.random.default_rng(0)
    for rows in (1, 9, 20):
        for longest in range(3, 90, 3):
            ids = drawn.integers(10, 100_000, (rows, longest))
            mask = (np.arange(longest) < drawn.integers(2, longest + 1, (rows, 1))).astype(np.int64)
            inputs = {"input_ids": ids * mask, "attention_mask": mask}
            with torch.inference_mode():
                wanted = network(**{name: torch.from_numpy(array) for name, array in inputs.items()}).numpy()
            np.testing.assert_allclose(exported(inputs), wanted, rtol=0, atol=1e-4, err_msg=f"{rows}x{longest}")
