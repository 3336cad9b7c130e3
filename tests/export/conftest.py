"""Classifiers to export: networks of several families, made on the spot with random weights.

Taking a network apart costs seconds, so that each is done once for all tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from japagen.records import Example
from japagen.tables import write_jsonl

TEXTS = (
    "本がすぐ壊れて最悪でした。",
    "また買いたいです。",
    "椅子は高さが気に入りました。時計も靴も鞄も皿も、本当に大満足です。" * 3,
    "茶",
    "😀",
)


_translated: dict[tuple[object, ...], bytes] = {}


@pytest.fixture(autouse=True)
def _translate_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same network with the same inputs is taken apart once."""
    if find_spec("torch") is None:
        return
    from japagen.export import onnx

    translate = onnx._translate

    def remembered(network: Any, sample: Any, file: Path) -> None:
        weights = (value.numpy().tobytes() for value in network.state_dict().values())
        decisions = str([vars(network).get(name) for name in ("priors", "temperatures")])  # of an ensemble
        key = (type(getattr(network, "model", network)), *sample, decisions, *map(hash, weights))
        if key not in _translated:
            translate(network, sample, file)
            _translated[key] = file.read_bytes()
        file.write_bytes(_translated[key])

    monkeypatch.setattr(onnx, "_translate", remembered)


@pytest.fixture
def texts(tmp_path: Path) -> tuple[list[Example], Path]:
    """Single texts, and a file of them."""
    file = tmp_path / "texts.jsonl"
    write_jsonl(file, [{"text": text} for text in TEXTS])
    return [Example(str(n), text, "") for n, text in enumerate(TEXTS, 1)], file


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[list[Example], Path]:
    """Pairs of texts, and a file of them."""
    file = tmp_path / "pairs.jsonl"
    write_jsonl(file, [{"text": text, "text_pair": TEXTS[n - 1]} for n, text in enumerate(TEXTS)])
    return [Example(str(n), text, "", TEXTS[n - 2]) for n, text in enumerate(TEXTS, 1)], file


@pytest.fixture(scope="session")
def encoder() -> Callable[..., Any]:
    """A classifier of that family, with scores that lie apart."""
    torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra 'encoder')")
    from japagen.student.encoder.classifier import EncoderClassifier
    from japagen.student.encoder.network import HuggingFaceNetwork
    from japagen.student.encoder.tokens import load_tokeniser

    def make(
        family: str,
        folder: Path,
        *,
        labels: Sequence[str] = ("angry", "glad", "neither"),
        pair: bool = False,
        values: tuple[float, ...] | None = None,
        model: str = "organisation/model",
    ) -> EncoderClassifier:
        characters = sorted(set("".join(TEXTS)))
        made = _tokeniser(transformers, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters])
        shape: dict[str, Any] = {
            "vocab_size": len(characters) + 5,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 80,
            "pad_token_id": 0,
            "initializer_range": 0.25,
            "num_labels": 1 if values else len(labels),
        }
        of_family: dict[str, dict[str, Any]] = {
            "DebertaV2": {
                "relative_attention": True,
                "position_buckets": 8,
                "pos_att_type": ["p2c", "c2p"],
                "norm_rel_ebd": "layer_norm",
                "share_att_key": True,
            },
            "ModernBert": {
                "local_attention": 8,
                "global_attn_every_n_layers": 2,
                "bos_token_id": 2,
                "eos_token_id": 3,
                "cls_token_id": 2,
                "sep_token_id": 3,
            },
            "Electra": {"embedding_size": 16},
            "Bert": {"num_hidden_layers": 1},
            "Roberta": {"num_hidden_layers": 1},
        }
        torch.manual_seed(0)
        config = getattr(transformers, f"{family}Config")(**shape | of_family.get(family, {}))
        network = getattr(transformers, f"{family}ForSequenceClassification")(config).eval()
        network.save_pretrained(folder)
        made.save_pretrained(folder)
        wrapped = HuggingFaceNetwork(network, load_tokeniser(folder))
        return EncoderClassifier(wrapped, tuple(labels), pair, values, 64, model)

    return make


def _tokeniser(transformers: Any, vocabulary: Sequence[str]) -> Any:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    words = {word: number for number, word in enumerate(vocabulary)}
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, model_input_names=["input_ids", "attention_mask"], **named
    )
