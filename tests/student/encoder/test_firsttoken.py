"""The last layer for the first token alone: the same logits and gradients, for every attention, and the same names."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra 'encoder')")

from japagen.student.encoder.firsttoken import compute_first_token_only  # noqa: E402

SMALL = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "num_labels": 3,
    "pad_token_id": 0,
}


def made(kind: str, attention: str = "eager", **changes):
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(kind, **{**SMALL, **changes})
    return transformers.AutoModelForSequenceClassification.from_config(config, attn_implementation=attention)


def inputs():
    torch.manual_seed(2)
    ids = torch.randint(5, 50, (4, 9))
    mask = torch.ones_like(ids)
    for row, length in enumerate((9, 4, 1, 7)):
        mask[row, length:] = 0
    return {"input_ids": ids * mask, "attention_mask": mask}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "camembert", "electra"])
@pytest.mark.parametrize("training", [False, True])
def test_logits_and_gradients_are_those_of_the_whole_layer(kind, attention, training):
    whole = made(kind, attention).train(training)
    part = copy.deepcopy(whole)
    assert compute_first_token_only(part)
    for given in (inputs(), {"input_ids": inputs()["input_ids"][:1]}):
        expected, found = whole(**given).logits, part(**given).logits
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    expected.square().sum().backward()
    found.square().sum().backward()
    for (name, one), (other_name, other) in zip(whole.named_parameters(), part.named_parameters(), strict=True):
        assert name == other_name
        if one.grad is not None:
            torch.testing.assert_close(other.grad, one.grad, rtol=0, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_only_the_first_token_is_computed_and_a_copy_is_on_its_own():
    model = made("bert")
    compute_first_token_only(model)
    assert model.bert(**inputs()).last_hidden_state.shape == (4, 1, 32)
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.bert.encoder.layer[-1].output.dense.weight.zero_()
    assert not torch.allclose(other(**inputs()).logits, model(**inputs()).logits)


def test_dropout_works_in_training():
    model = made("bert", attention_probs_dropout_prob=0.5).train()
    compute_first_token_only(model)
    given = inputs()
    assert not torch.equal(model(**given).logits, model(**given).logits)


@pytest.mark.parametrize(
    ("kind", "changes"), [("deberta-v2", {}), ("modernbert", {"cls_token_id": 1, "sep_token_id": 2})]
)
def test_others_stay_as_they_are(kind, changes):
    given = {k: v for k, v in SMALL.items() if "dropout" not in k} | changes
    config = transformers.AutoConfig.for_model(kind, **given)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    before = [type(module) for module in model.modules()]
    assert not compute_first_token_only(model)
    assert [type(module) for module in model.modules()] == before
