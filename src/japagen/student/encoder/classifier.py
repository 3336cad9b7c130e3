"""A fine-tuned encoder as a classifier, and its folder: a Hugging Face model with a classifier.json beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from japagen.errors import ModelError
from japagen.records import Example, Prediction
from japagen.student import rows, saved
from japagen.student.encoder.inference import Feed, device, infer
from japagen.student.encoder.limits import MOST_CHARACTERS
from japagen.student.encoder.network import saved_network


@dataclass(frozen=True)
class EncoderClassifier:
    """A trained encoder student.

    Attributes:
        network: with its `tokeniser`; gives logits of shape (rows, labels), or (rows, 1) for numbers.
        labels: in the order of the outputs.
        pair: whether it reads pairs.
        values: the number that each label stands for, where the network gives a number.
        max_length: tokens that are read of a row.
        model, revision: the pretrained model it began as.
        facts: how the training went.
    """

    network: nn.Module
    labels: tuple[str, ...]
    pair: bool
    values: tuple[float, ...] | None
    max_length: int
    model: str
    revision: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example; company changes the last bits of a score at most.

        Raises:
            DataError: a single text for a classifier of pairs, or a pair for one of single texts.
        """
        feed = feed_of(self.network, examples, pair=self.pair, max_length=self.max_length)
        if not examples:
            return []
        self.network.to(device())
        return rows.of_logits(examples, self.labels, self.values, infer(self.network, feed))

    def save(self, folder: Path) -> None:
        """Write what transformers reads, and classifier.json."""
        self.network.save(folder)  # type: ignore[operator]
        settings = {
            "pair": self.pair,
            "values": list(self.values) if self.values else None,
            "max_length": self.max_length,
            "model": self.model,
            "revision": self.revision,
            "training": self.facts,
        }
        saved.seal(folder, "encoder", self.labels, settings, weights="model.safetensors")

    @classmethod
    def load(cls, folder: Path) -> EncoderClassifier:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing, damaged or not the one that was written.
            MissingExtra: torch or transformers is absent.
        """
        about = saved.unseal(folder, {"pair": bool, "max_length": int, "model": str}, weights="model.safetensors")
        labels, values = tuple(about["labels"]), saved.values_of(about, folder)
        network = saved_network(folder)
        if network.outputs != (1 if values else len(labels)):
            raise saved.damaged(folder / saved.ABOUT, "names labels for a network of another shape")
        return cls(
            network,
            labels,
            about["pair"],
            values,
            about["max_length"],
            about["model"],
            about.get("revision"),
            about.get("training") or {},
        )


def feed_of(network: nn.Module, examples: Sequence[Example], *, pair: bool, max_length: int) -> Feed:
    """The examples as a network reads them.

    Raises:
        DataError: a single text among pairs, or a pair among single texts.
        ModelError: tokeniser and network do not belong together.
    """
    first, second = rows.texts_of(examples, pair=pair, limit=MOST_CHARACTERS, nfkc=False)
    tokeniser: Any = network.tokeniser
    tokens = tokeniser.encode(first, second if pair else None, max_length=max_length)
    known = getattr(network, "vocabulary", None)
    if known is not None and len(tokens.ids) and int(tokens.ids.max()) >= known:
        raise ModelError(
            f"the tokeniser gives the id {int(tokens.ids.max())}, the model knows {known} of them",
            where="student 'encoder'",
            remedy="give a folder whose tokeniser and weights belong together",
        )
    return Feed(tokeniser, tokens)
