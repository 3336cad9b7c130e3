"""Our loop takes the steps that Trainer of transformers takes: same weights after the same batches, without dropout.

That holds optimiser, schedule, clipping of the gradient and the groups with weight decay to what the field runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'encoder' is not installed: torch")
transformers = pytest.importorskip("transformers", reason="the extra 'encoder' is not installed: transformers")
pytest.importorskip("accelerate", reason="Trainer needs accelerate, which only this comparison has a use for")

from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments  # noqa: E402

from japagen.sections import EncoderSection  # noqa: E402
from japagen.student.encoder import batches  # noqa: E402
from japagen.student.encoder.inference import Feed  # noqa: E402
from japagen.student.encoder.loop import Rows, TrainingLoop  # noqa: E402
from japagen.student.encoder.network import HuggingFaceNetwork  # noqa: E402
from japagen.student.encoder.recipe import Recipe  # noqa: E402
from japagen.student.encoder.tokens import load_tokeniser  # noqa: E402

SIZE, EPOCHS, SEED = 4, 2, 11
TEXTS = [
    f"この{goods}{saying}"
    for goods in "本茶傘皿"
    for saying in ("は最高でした。", "がすぐ壊れて最悪だ。", "を買いません。")
]
STEPS = EPOCHS * len(TEXTS) // SIZE


def network(folder: Path, outputs: int) -> HuggingFaceNetwork:
    """The small model without dropout, always with the same head."""
    torch.manual_seed(SEED)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=outputs, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    return HuggingFaceNetwork(model, load_tokeniser(folder))


class InOrder(Trainer):  # type: ignore[misc]
    """Trainer on given batches."""

    order: list[int]

    def _get_train_sampler(self, *args: Any, **options: Any) -> Any:
        return self.order


@pytest.mark.filterwarnings("ignore")  # Trainer's own
@pytest.mark.parametrize("outputs", [3, 1], ids=["classes", "numbers"])
@pytest.mark.parametrize("rate", [1e-3, 3e-2], ids=["usual rate", "clipped at every step"])
def test_the_weights_are_those_of_trainer(tiny_bert: Path, tmp_path: Path, outputs: int, rate: float) -> None:
    scale = 1.0 if rate == 1e-3 else 50.0  # of the targets: gradients of numbers grow with them
    ours, theirs = network(tiny_bert, outputs), network(tiny_bert, outputs)
    feed = Feed(ours.tokeniser, ours.tokeniser.encode(TEXTS, None, max_length=32))
    codes = np.arange(len(TEXTS)) % 3
    targets = codes.astype(np.int64) if outputs > 1 else (scale * codes).astype(np.float32)

    section = EncoderSection(
        batch_size=SIZE, epochs=EPOCHS, batching="plain", warmup=0.5, weight_decay=0.1, temporal_ensemble=0
    )
    recipe = Recipe(section, EPOCHS, rate, rate, 32)
    rows = Rows(feed, targets, np.ones(len(TEXTS), np.float32), TEXTS)
    training = TrainingLoop(ours, rows, recipe, SEED, "fp32", ours.head)
    history = training.run()

    plan = [
        batch
        for epoch in range(EPOCHS)
        for batch in batches.epoch_batches(feed.lengths, SIZE, "plain", seed=SEED, epoch=epoch)
    ]
    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        per_device_train_batch_size=SIZE,
        max_steps=STEPS,
        learning_rate=rate,
        warmup_steps=STEPS // 2,
        weight_decay=0.1,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )

    def collate(numbers: list[int]) -> dict[str, Any]:
        inputs = feed.inputs(np.array(numbers), torch.device("cpu"))
        return {**inputs, "labels": torch.from_numpy(targets[numbers])}

    trainer = InOrder(theirs.model, arguments, train_dataset=list(range(len(TEXTS))), data_collator=collate)
    trainer.order = np.concatenate(plan).tolist()
    trainer.train()

    assert history.steps == trainer.state.global_step == STEPS
    start = dict(network(tiny_bert, outputs).named_parameters())
    found = dict(theirs.named_parameters())
    for name, weights in ours.named_parameters():
        torch.testing.assert_close(
            weights, found[name], rtol=0, atol=1e-5 * rate / 1e-3, msg=lambda m, n=name: f"{n}: {m}"
        )
    moved = max(float((weights - start[name]).abs().max()) for name, weights in ours.named_parameters())
    assert moved > rate / 2, "nothing was learnt, so nothing is shown"
