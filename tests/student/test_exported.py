"""Exported classifiers run without torch, keep the rows' order, and believe no folder that was tampered with."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from japagen.errors import DataError, ModelError
from japagen.records import Example
from japagen.student import load_classifier, saved
from japagen.student.exported.classifier import ExportedClassifier
from japagen.student.exported.onnx import OnnxNetwork

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra 'onnx')")
onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra 'onnx')")

TEXTS = ["本が最高でした。", "また最悪", "椅子は高さが気に入りました。時計も靴も鞄も皿も。", "茶", "", "本"]
HOSTILE = ["", " ", "a\x00b", "😀" * 30, "\ud800", "あ" * 100_000, "ﷺ" * 300, "ﾊﾝｶｸ ＡＢＣ abc"]
LABELS = ("angry", "glad")
BIAS = [0.0, 0.0]


def examples(texts: Sequence[str] = TEXTS) -> list[Example]:
    return [Example(str(n), text, "") for n, text in enumerate(texts)]


def network(names: Sequence[str] = ("input_ids", "attention_mask"), *, elsewhere: str = "") -> bytes:
    """ONNX: the logits are the sum of a row's ids and its length."""
    from onnx import TensorProto, helper

    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "length"]) for name in names]
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [1, 2], [0.01, 0.1])
    bias = helper.make_tensor("bias", TensorProto.FLOAT, [1, 2], BIAS)
    if elsewhere:
        bias.ClearField("float_data")
        bias.data_location = TensorProto.EXTERNAL
        for key, value in (("location", elsewhere), ("offset", "0"), ("length", "8")):
            entry = bias.external_data.add()
            entry.key, entry.value = key, value
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    nodes = [
        node
        for name in names[:2]
        for node in (
            helper.make_node("Cast", [name], [f"{name}.f"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", [f"{name}.f", "axes"], [f"{name}.sum"], keepdims=1),
        )
    ]
    nodes += [helper.make_node("Concat", [f"{name}.sum" for name in names[:2]], ["sums"], axis=1)]
    nodes += [
        helper.make_node("Mul", ["sums", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["logits"]),
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", 2])
    graph = helper.make_graph(nodes, "sums", inputs, [logits], [axes, scale, bias])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An exported classifier with a tokeniser of Japanese words."""
    return write(tmp_path / "exported", network())


def write(folder: Path, content: bytes, **settings: object) -> Path:
    folder.mkdir()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "本", "最高", "最悪", "また", "茶", "が", "。", "##た"]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "BertJapaneseTokenizer",
        "word_tokenizer_type": "mecab",
        "subword_tokenizer_type": "wordpiece",
        "mecab_kwargs": {"mecab_dic": "unidic_lite"},
        "do_lower_case": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "model.onnx").write_bytes(content)
    about = {"pair": False, "values": None, "max_length": 16, "precision": "fp32", "model": "m", **settings}
    saved.seal(folder, "onnx", LABELS, about, weights="model.onnx")
    return folder


def test_scores_are_the_networks_in_the_rows_order(folder: Path) -> None:
    classifier = load_classifier(folder)
    assert isinstance(classifier, ExportedClassifier)
    found = classifier.predict(examples(["本", "茶"] * 3))
    ids = 2 + 5 + 3, 2 + 9 + 3  # [CLS] 本 [SEP], [CLS] 茶 [SEP]
    for number, prediction in enumerate(found):
        assert prediction.id == str(number)
        odds = np.exp(0.1 * 3 - 0.01 * ids[number % 2])
        assert prediction.scores["glad"] == pytest.approx(odds / (1 + odds), abs=1e-6)
        assert prediction.label == "glad"


def test_company_and_order_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = examples(TEXTS * 7)
    classifier = load_classifier(folder)
    alone = [classifier.predict([row])[0] for row in rows]
    monkeypatch.setattr("japagen.student.exported.classifier.POSITIONS", 20)
    together = classifier.predict(rows)
    assert [p.id for p in together] == [row.id for row in rows]
    assert [p.label for p in together] == [p.label for p in alone]
    assert classifier.predict(rows[::-1])[::-1] == together
    for one, other in zip(together, alone, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)
    assert classifier.predict([]) == []


def test_any_text_gets_a_label(folder: Path) -> None:
    for prediction in load_classifier(folder).predict(examples(HOSTILE)):
        assert prediction.label in LABELS
        assert sum(prediction.scores.values()) == pytest.approx(1)


def test_pairs_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="two texts"):
        load_classifier(folder).predict([Example("1", "本", "", "茶")])


def test_neither_torch_nor_transformers_is_needed(folder: Path, tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules["torch"] = sys.modules["transformers"] = None  # whoever imports them fails
from pathlib import Path
from japagen import Example, load_classifier
found = load_classifier(Path({str(folder)!r})).predict([Example("1", "本が最高でした。", "")])
sys.argv = ["japagen", "predict", {str(folder)!r}, "本が最高でした。", "--json"]
from japagen.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
assert not any(sys.modules.get(name) for name in ("torch", "transformers"))
print(found[0].label)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *_, told, label = done.stdout.splitlines()
    assert json.loads(told)["label"] == label


@pytest.mark.parametrize("name", ["model.onnx", "vocab.txt", "tokenizer_config.json"])
def test_changed_and_missing_files_are_refused(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content + b" ")
    with pytest.raises(ModelError, match="checksum differs"):
        load_classifier(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_classifier(folder)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="onnxruntime cannot read it"):
        load_classifier(write(tmp_path / "one", b"no network"))
    classifier = load_classifier(write(tmp_path / "two", network(("input_ids", "attention_mask", "more"))))
    with pytest.raises(ModelError, match="the network wants 'more'"):
        classifier.predict(examples())
    classifier = load_classifier(write(tmp_path / "three", network(), values=[0.0, 1.0]))
    with pytest.raises(ModelError, match="where \\(6, 1\\) is due"):
        classifier.predict(examples())
    with pytest.raises(ModelError, match="'max_length' is missing or no int that can be"):
        load_classifier(write(tmp_path / "four", network(), max_length=0))


@pytest.mark.parametrize("where", ["weights.bin", "../weights.bin", "/etc/hostname"])
def test_weights_outside_the_file_are_not_read(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "exported", network(elsewhere=where))
    content = np.array(BIAS, np.float32).tobytes()
    for place in (folder, tmp_path):
        (place / "weights.bin").write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.bin: is no file of this classifier"):
        load_classifier(folder)
    about = json.loads((folder / "classifier.json").read_text(encoding="utf-8"))
    about["files"]["weights.bin"] = hashlib.sha256(content).hexdigest()  # a forger knows how
    (folder / "classifier.json").write_text(json.dumps(about), encoding="utf-8")
    monkeypatch.chdir(folder)
    with pytest.raises(ModelError, match="onnxruntime cannot read it"):
        load_classifier(folder)


def test_weights_beside_the_file_are_not_read_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx import TensorProto, helper

    table = helper.make_tensor("table", TensorProto.FLOAT, [4096], np.zeros(4096, np.float32).tobytes(), raw=True)
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    entry = table.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4096]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "table"], ["y"])], "add", ends[:1], ends[1:], [table])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    (tmp_path / "weights.bin").write_bytes(np.ones(4096, np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="onnxruntime cannot read it"):
        OnnxNetwork.load(tmp_path)


def test_a_copy_is_the_same(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    classifier = load_classifier(folder)
    classifier.save(copy)
    assert load_classifier(copy).predict(examples()) == classifier.predict(examples())
    assert {f.name: f.read_bytes() for f in copy.iterdir()} == {f.name: f.read_bytes() for f in folder.iterdir()}


def test_openvino_refuses_what_is_not_its_own(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed (extra 'openvino')")
    (folder / "model.xml").write_bytes((folder / "model.onnx").read_bytes())
    (folder / "model.bin").write_bytes(b"")
    (folder / "classifier.json").unlink()
    about = {"pair": False, "values": None, "max_length": 16, "precision": "bf16"}
    saved.seal(folder, "openvino", LABELS, about, weights="model.xml")
    with pytest.raises(ModelError, match="is no XML"):
        load_classifier(folder)
    (folder / "model.xml").write_bytes(b'<?xml version="1.0"?><net></net>')
    saved.seal(folder, "openvino", LABELS, about, weights="model.xml")
    with pytest.raises(ModelError, match="OpenVINO cannot read it"):
        load_classifier(folder)
    saved.seal(folder, "openvino", LABELS, about | {"precision": "fp8"}, weights="model.xml")
    with pytest.raises(ModelError, match="'precision' is 'fp8'"):
        load_classifier(folder)
