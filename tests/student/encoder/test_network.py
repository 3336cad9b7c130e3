"""Loading encoders: every architecture that is promised, folders of plain transformers, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra 'encoder')")

from japagen.errors import ConfigError, ModelError  # noqa: E402
from japagen.student import Training, load_classifier, load_student  # noqa: E402
from japagen.student.encoder.network import new_network  # noqa: E402

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def architecture(name: str, words: int):
    """A masked language model of two layers."""
    t = transformers
    match name:
        case "bert":
            config = t.BertConfig(vocab_size=words, **SMALL)
        case "roberta":
            config = t.RobertaConfig(vocab_size=words, pad_token_id=0, **SMALL)
        case "xlm-roberta":
            config = t.XLMRobertaConfig(vocab_size=words, pad_token_id=0, **SMALL)
        case "electra":
            config = t.ElectraConfig(vocab_size=words, embedding_size=32, **SMALL)
        case "deberta-v2":
            config = t.DebertaV2Config(
                vocab_size=words, relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=16, **SMALL
            )
        case "modernbert":
            config = t.ModernBertConfig(vocab_size=words, pad_token_id=0, cls_token_id=2, sep_token_id=3, **SMALL)
    torch.manual_seed(0)
    return t.AutoModelForMaskedLM.from_config(config)


ARCHITECTURES = ["bert", "roberta", "xlm-roberta", "electra", "deberta-v2", "modernbert"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_learns_and_is_read_back_by_transformers(name, tiny_bert, tmp_path, settings, singles):
    folder, out = tmp_path / name, tmp_path / "out"
    shutil.copytree(tiny_bert, folder)
    words = len((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    architecture(name, words).save_pretrained(folder)
    classifier = load_student("encoder", Training(settings(model=str(folder), epochs=12))).fit(singles, (), seed=0)
    said = classifier.predict(singles)
    assert sum(p.label == e.label for p, e in zip(said, singles, strict=True)) >= 40
    out.mkdir()
    classifier.save(out)
    again = load_classifier(out).predict(singles)
    assert [p.scores for p in again] == [pytest.approx(p.scores, abs=1e-6) for p in said]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(out)
    tokeniser = transformers.BertJapaneseTokenizer.from_pretrained(out)
    given = tokeniser([row.text for row in singles], padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        scores = model(**given).logits.softmax(-1)
    assert model.config.id2label == dict(enumerate(classifier.labels))
    for prediction, row in zip(said, scores, strict=True):
        assert list(prediction.scores.values()) == pytest.approx(row.tolist(), abs=1e-5)


def test_a_head_that_another_task_trained_is_replaced(tiny_bert, tmp_path, settings, singles):
    folder = tmp_path / "tuned"
    shutil.copytree(tiny_bert, folder)
    config = transformers.AutoConfig.from_pretrained(tiny_bert, num_labels=7)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    network, fetched = new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)
    assert network.outputs == 2
    assert fetched.revision is None


def test_pretrained_weights_are_taken_over(tiny_bert):
    base = transformers.BertModel.from_pretrained(tiny_bert, add_pooling_layer=False).state_dict()
    ours, _ = new_network(str(tiny_bert), None, labels=["a", "b"], outputs=2, pair=False, seed=0)
    state = ours.state_dict()
    for name, value in base.items():
        assert torch.equal(state[f"model.bert.{name}"], value), name


def test_the_seed_makes_the_head(tiny_bert):
    def head(seed):
        network, _ = new_network(str(tiny_bert), None, labels=["a", "b"], outputs=2, pair=False, seed=seed)
        return network.state_dict()["model.classifier.weight"]

    assert torch.equal(head(1), head(1))
    assert not torch.equal(head(1), head(2))


def test_half_a_model_is_refused(tiny_bert, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "half"
    shutil.copytree(tiny_bert, folder)
    arrays = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in arrays.items() if "layer.1" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError,
        match=r"lack 16 of the encoder's arrays, or have them in another shape, e\.g\. bert\.encoder\.layer\.1",
    ):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


def test_pickled_weights_are_refused(tiny_bert, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_bert, folder)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


def test_code_in_a_folder_is_not_run(tiny_bert, tmp_path):
    folder = tmp_path / "code"
    shutil.copytree(tiny_bert, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "evil.C", "AutoModelForSequenceClassification": "evil.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    ran = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')")
    with pytest.raises(ModelError, match="cannot be loaded as an encoder"):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)
    assert not ran.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"model_type": "gpt9"}', b"\xff\xfe", b'{"model_type": 3}'])
def test_a_damaged_configuration_is_one_clear_error(tiny_bert, tmp_path, content):
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_bert, folder)
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ModelError):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x10\x00\x00\x00\x00\x00\x00\x00{}"])
def test_damaged_weights_are_one_clear_error(tiny_bert, tmp_path, content):
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_bert, folder)
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be loaded as an encoder"):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


@pytest.mark.parametrize(
    "name",
    [
        "./absent",
        "/absent/model",
        "~/absent",
        "a/b/c",
        "a/",
        " ",
        "a\0b",
        "~nosuchuser/x",
        "C:\\bert",
        "x" * 5000,
        "USE-multilingual",
    ],
)
def test_a_folder_that_is_not_there(name):
    with pytest.raises(ConfigError, match=r"(?s)there is no folder .*use-multilingual"):
        new_network(name, None, labels=["a", "b"], outputs=2, pair=False, seed=0)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"there is no config\.json"):
        new_network(str(tmp_path), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


def test_loading_prints_nothing_and_leaves_the_library_as_it_was(tiny_bert, capfd):
    from transformers.utils import logging

    before = logging.get_verbosity()
    new_network(str(tiny_bert), None, labels=["a", "b"], outputs=2, pair=False, seed=0)
    assert logging.get_verbosity() == before
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


@pytest.mark.parametrize(("name", "most"), [("bert", 128), ("roberta", 511)])
def test_no_more_tokens_than_the_model_has_positions(name, most, tiny_bert, tmp_path, settings, singles):
    folder = tmp_path / name
    shutil.copytree(tiny_bert, folder)
    if name != "bert":
        words = len((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
        architecture(name, words).save_pretrained(folder)
    rows = [*singles[:7], replace(singles[7], text="本がすぐ壊れて最悪でした。" * 200)]
    classifier = load_student("encoder", Training(settings(model=str(folder), epochs=1))).fit(rows, (), seed=0)
    assert classifier.max_length == most
    assert classifier.predict(rows)


def test_a_tokeniser_of_another_model_is_refused(tiny_bert, tmp_path, settings, singles):
    folder = tmp_path / "mixed"
    shutil.copytree(tiny_bert, folder)
    architecture("bert", 20).save_pretrained(folder)
    with pytest.raises(ModelError, match=r"the tokeniser gives the id \d+, the model knows 20 of them"):
        load_student("encoder", Training(settings(model=str(folder)))).fit(singles, (), seed=0)


def test_packing_trains_as_padding_does(tiny_bert, tmp_path, settings, singles):
    folder = tmp_path / "modernbert"
    shutil.copytree(tiny_bert, folder)
    words = len((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    model = architecture("modernbert", words)
    model.config.classifier_pooling = "cls"
    model.save_pretrained(folder)
    padded, packed = (
        load_student("encoder", Training(settings(model=str(folder), epochs=2, packing=packing))).fit(
            singles, (), seed=0
        )
        for packing in (False, True)
    )
    for one, other in zip(padded.predict(singles), packed.predict(singles), strict=True):
        assert list(one.scores.values()) == pytest.approx(list(other.scores.values()), abs=1e-3)


def test_packing_is_refused_with_its_reason(settings, singles):
    with pytest.raises(ConfigError, match=r"(?s)train\.encoder\.packing.*its attention has dropout"):
        load_student("encoder", Training(settings(packing=True))).fit(singles, (), seed=0)


def test_arrays_of_another_shape_are_refused(tiny_bert, tmp_path):
    folder = tmp_path / "misfit"
    shutil.copytree(tiny_bert, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 64}))
    with pytest.raises(ModelError, match=r"in another shape, e\.g\. bert\.embeddings\.position_embeddings"):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


@pytest.mark.parametrize(
    "change",
    [
        {"num_attention_heads": 0},
        {"hidden_size": "x"},
        {"pad_token_id": 10**6},
        {"hidden_act": "nonsense"},
        {"is_decoder": True},
    ],
    ids=str,
)
def test_a_hostile_configuration_is_one_clear_error(tiny_bert, tmp_path, change):
    folder = tmp_path / "hostile"
    shutil.copytree(tiny_bert, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelError):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


def test_a_decoder_is_refused(tiny_bert, tmp_path):
    folder = tmp_path / "decoder"
    shutil.copytree(tiny_bert, folder)
    config = transformers.GPT2Config(vocab_size=200, n_embd=32, n_layer=1, n_head=2)
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    with pytest.raises(ModelError, match="is no encoder, but 'gpt2'"):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


def test_an_index_that_names_files_elsewhere_is_refused(tiny_bert, tmp_path):
    folder = tmp_path / "index"
    shutil.copytree(tiny_bert, folder)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../x.safetensors"}}))
    with pytest.raises(ModelError, match="names files outside its folder"):
        new_network(str(folder), None, labels=["a", "b"], outputs=2, pair=False, seed=0)


def test_a_folder_has_no_revision_and_a_file_is_no_folder(tiny_bert):
    with pytest.raises(ConfigError, match="a folder has no revision"):
        new_network(str(tiny_bert), "main", labels=["a", "b"], outputs=2, pair=False, seed=0)
    with pytest.raises(ConfigError, match="is a file, not a folder"):
        new_network(str(tiny_bert / "config.json"), None, labels=["a", "b"], outputs=2, pair=False, seed=0)
