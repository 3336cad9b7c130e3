"""Which parameters decay, asserted by name, and the learning rate step by step."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")

from japagen.student.encoder.network import new_network  # noqa: E402
from japagen.student.encoder.optimizer import adamw, parameter_groups, rate  # noqa: E402


def test_groups_of_bert_by_name(tiny_bert):
    network, _ = new_network(str(tiny_bert), None, labels=["a", "b"], outputs=2, pair=False, seed=0)
    assert network.head == ("model.classifier.bias", "model.classifier.weight")
    groups = parameter_groups(
        network, head=network.head, learning_rate=5e-5, head_learning_rate=1e-3, weight_decay=0.01
    )
    named = {(g["part"], g["weight_decay"]): g for g in groups}
    layer = "model.bert.encoder.layer.{}."
    matrices = [
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
        "intermediate.dense",
        "output.dense",
    ]
    norms = ["attention.output.LayerNorm", "output.LayerNorm"]
    tables = ["word_embeddings", "position_embeddings", "token_type_embeddings"]
    assert set(named) == {("encoder", 0.01), ("encoder", 0.0), ("head", 0.01), ("head", 0.0)}
    assert set(named["encoder", 0.01]["names"]) == {
        *(f"model.bert.embeddings.{name}.weight" for name in tables),
        *(layer.format(i) + name + ".weight" for i in range(2) for name in matrices),
        "model.bert.pooler.dense.weight",
    }
    assert set(named["encoder", 0.0]["names"]) == {
        "model.bert.embeddings.LayerNorm.weight",
        "model.bert.embeddings.LayerNorm.bias",
        *(layer.format(i) + name + ".bias" for i in range(2) for name in matrices),
        *(layer.format(i) + name + end for i in range(2) for name in norms for end in (".weight", ".bias")),
        "model.bert.pooler.dense.bias",
    }
    assert named["head", 0.01]["names"] == ["model.classifier.weight"]
    assert named["head", 0.0]["names"] == ["model.classifier.bias"]
    assert {g["lr"] for g in groups if g["part"] == "encoder"} == {5e-5}
    assert {g["lr"] for g in groups if g["part"] == "head"} == {1e-3}
    assert sum(len(g["params"]) for g in groups) == len(list(network.parameters()))
    assert len(adamw(groups).param_groups) == 4


def test_a_shared_parameter_stands_once():
    network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    network[1].weight = network[0].weight
    groups = parameter_groups(network, head=(), learning_rate=1, head_learning_rate=1, weight_decay=0.1)
    assert sorted(name for g in groups for name in g["names"]) == ["0.bias", "0.weight", "1.bias"]


@pytest.mark.parametrize(("steps", "warmup"), [(10, 0.0), (10, 0.1), (100, 0.1), (7, 0.5), (1, 0.0)])
def test_rates_are_those_of_the_librarys_schedule(steps, warmup):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = transformers.get_linear_schedule_with_warmup(optimiser, round(warmup * steps), steps)
    for step in range(steps):
        assert rate(step, steps, warmup) == pytest.approx(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()


def test_rates_by_hand():
    assert [rate(step, 10, 0.2) for step in (0, 1, 2, 6, 9)] == [0.0, 0.5, 1.0, 0.5, 0.125]
