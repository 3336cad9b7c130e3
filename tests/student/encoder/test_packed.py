"""Without padding a model says what it says with padding, and learns the same; models that do not allow it are refused."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra 'encoder' is not installed: torch")
transformers = pytest.importorskip("transformers", reason="the extra 'encoder' is not installed: transformers")

from japagen.student.encoder import packed  # noqa: E402

SHAPE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48, "vocab_size": 60}
LENGTHS = [7, 1, 23, 12, 23]
KINDS = {
    "bert": ("BertConfig", {}),
    "electra": ("ElectraConfig", {"embedding_size": 16}),
    "roberta": ("RobertaConfig", {"pad_token_id": 1}),
    "xlm-roberta": ("XLMRobertaConfig", {"pad_token_id": 1}),
    # One layer in three sees everything; the others three tokens to each side, less than there are.
    "modernbert": (
        "ModernBertConfig",
        {"classifier_pooling": "cls", "local_attention": 6, "global_attn_every_n_layers": 3, "pad_token_id": 0},
    ),
}


def model_of(kind: str, **options: Any) -> Any:
    name, own = KINDS[kind]
    if kind == "modernbert":
        own = {**own, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    config = getattr(transformers, name)(**SHAPE, **own, **options, num_labels=3)
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    for parameter in model.parameters():  # far from the start, where all rows look alike
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def inputs_of(model: Any) -> dict[str, Any]:
    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).long()
    ids = torch.randint(5, SHAPE["vocab_size"], mask.shape, generator=torch.Generator().manual_seed(1))
    made = {"input_ids": torch.where(mask.bool(), ids, model.config.pad_token_id), "attention_mask": mask}
    if getattr(model.config, "type_vocab_size", 0) > 1:
        made["token_type_ids"] = (torch.arange(max(LENGTHS)) > 5).long() * mask
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_gradients_are_those_with_padding(kind: str) -> None:
    padded, dense = model_of(kind), model_of(kind)
    inputs = inputs_of(padded)
    packed.allow(dense)

    wanted, found = padded(**inputs).logits, packed.logits(dense, **inputs)

    assert wanted.shape == found.shape == (len(LENGTHS), 3)
    assert wanted.std(0).min() > 0.05, "all rows look alike, so nothing is shown"
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    target = torch.tensor([0, 1, 2, 0, 1])
    for logits in (wanted, found):
        torch.nn.functional.cross_entropy(logits, target).backward()
    others = dict(dense.named_parameters())
    for name, parameter in padded.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(others[name].grad, parameter.grad, rtol=1e-4, atol=1e-5)


def test_models_that_do_not_allow_it_are_refused() -> None:
    config = transformers.DebertaV2Config(**SHAPE)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    assert "deberta-v2" in str(packed.obstacle(model, dropout=False))
    with pytest.raises(ValueError, match="deberta-v2"):
        packed.allow(model)


def test_a_head_that_reads_all_tokens_is_refused() -> None:
    model = model_of("modernbert")
    model.config.classifier_pooling = "mean"
    assert "mean" in str(packed.obstacle(model, dropout=False))


def test_attention_with_dropout_is_refused_for_training_only() -> None:
    model = model_of("bert")
    assert packed.obstacle(model, dropout=False) is None
    assert "dropout" in str(packed.obstacle(model, dropout=True))
    assert packed.obstacle(model_of("bert", attention_probs_dropout_prob=0.0), dropout=True) is None
    assert packed.obstacle(model_of("modernbert"), dropout=True) is None
    packed.allow(model)
    with pytest.raises(ValueError, match="dropout"):
        packed.logits(model.train(), **inputs_of(model))
