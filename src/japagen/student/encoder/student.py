"""The student of the paper: a pretrained Japanese encoder, fine-tuned end to end on labelled texts.

Classes by cross entropy; for similarity, whose rows carry numbers, a single output by mean squared error (as in the
scripts of JGLUE). The weights of the last epoch count, or those of the best one on dev where `patience` is set.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import torch
from torch import nn

from japagen import metrics
from japagen.errors import DataError
from japagen.progress import Progress
from japagen.records import Example
from japagen.student import Training, rows
from japagen.student.encoder.checkpoint import Checkpoints
from japagen.student.encoder.classifier import EncoderClassifier, feed_of
from japagen.student.encoder.dropout import use_cheap_dropout
from japagen.student.encoder.hub import Fetched
from japagen.student.encoder.inference import Feed, device, has_bf16, infer
from japagen.student.encoder.loop import Rows, TrainingLoop
from japagen.student.encoder.network import HuggingFaceNetwork, new_network
from japagen.student.encoder.processes import ALONE, Processes
from japagen.student.encoder.recipe import recipe_of
from japagen.student.weights import weights_of
from japagen.tables import file_digest

_LARGEST = 1e6
"""Numbers beyond it are no similarity, and their squares no loss."""


@dataclass(frozen=True, slots=True)
class EncoderStudent:
    """Fine-tunes the encoder that the settings name.

    Attributes:
        setting: recipe, metric, folder of checkpoints, and whom to tell.
        processes: those that share each batch (see `launch`).
    """

    setting: Training
    processes: Processes = ALONE

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> EncoderClassifier:
        """Train on `train`; `dev` is measured after every epoch and may end the training early.

        Raises:
            DataError: `train` is empty, holds one label only, or mixes single texts with pairs.
            ModelError: the encoder cannot be had, or the loss is no number.
            MissingExtra: a package is absent.
        """
        section = self.setting.encoder
        if section.devices > 1 and self.processes is ALONE:
            from japagen.student.encoder.launch import fit_together

            return fit_together(self.setting, train, dev, seed=seed)
        labels, pair = rows.labels_of(train), rows.is_pair(train)
        values = _values(train, labels)
        recipe = recipe_of(section, pair=pair, rows=len(train))
        with _threads(section.threads):
            network, fetched = new_network(
                section.model,
                section.revision,
                labels=labels,
                outputs=1 if values else len(labels),
                pair=pair,
                seed=seed,
            )
            where = device()
            network.to(where)
            if where.type == "cpu":
                use_cheap_dropout(network)
            if section.packing and isinstance(network, HuggingFaceNetwork):
                network.pack()
            precision = section.precision or ("bf16" if has_bf16(where) else "fp32")
            longest = min(recipe.max_length, getattr(network, "positions", recipe.max_length))
            feed = feed_of(network, train, pair=pair, max_length=longest)
            dev_feed = feed_of(network, dev, pair=pair, max_length=longest)
            head: tuple[str, ...] = network.head  # type: ignore[assignment]
            revision = fetched.revision if fetched else None
            training = TrainingLoop(
                network,
                Rows(feed, _targets(train, labels, values), _weights(train), [example.id for example in train]),
                recipe,
                seed,
                precision,
                head,
                dev_score=self._dev_score(network, dev_feed, dev, labels, values, precision) if dev else None,
                checkpoints=self._checkpoints(train, dev, seed, fetched, precision),
                processes=self.processes,
                on_step=self._told(seed),
                say=self.setting.say,
            )
            with _attention(network, where, precision):
                history = training.run()
        network.eval()
        facts = {
            "precision": precision,
            "device": where.type,
            "seed": seed,
            "learning_rate": recipe.learning_rate,
            "head_learning_rate": recipe.head_learning_rate,
            "passes": recipe.epochs,
            **history.facts(),
        }
        return EncoderClassifier(network, labels, pair, values, longest, section.model, revision, facts)

    def _told(self, seed: int) -> Any:
        def on_step(done: int, steps: int) -> None:
            self.setting.on_progress(Progress("train", self.setting.name or f"encoder, seed {seed}", done, steps))

        return on_step

    def _dev_score(
        self,
        network: nn.Module,
        feed: Feed,
        dev: Sequence[Example],
        labels: tuple[str, ...],
        values: tuple[float, ...] | None,
        precision: str,
    ) -> Any:
        metric = self.setting.metric

        def score() -> float:
            outputs = infer(network, feed, precision=precision)
            try:
                if values:
                    correlation = metrics.CORRELATIONS.get(metric, metrics.spearman)
                    return correlation(outputs[:, 0], [e.value or 0.0 for e in dev])
                everything = sorted({*labels, *(e.label for e in dev)})
                said = [labels[i] for i in outputs.argmax(axis=1)]
                counts = metrics.confusion([e.label for e in dev], said, everything)
                return float(metrics.METRICS.get(metric, metrics.accuracy)(counts))
            except metrics.Undefined:  # a network that gives one number to everything knows nothing yet
                return -1.0

        return score

    def _checkpoints(
        self, train: Sequence[Example], dev: Sequence[Example], seed: int, fetched: Fetched | None, precision: str
    ) -> Checkpoints | None:
        folder = self.setting.folder
        if folder is None:
            return None
        shaping = self.setting.encoder.model_dump(mode="json", exclude={"checkpoint_seconds"})
        versions = {name: metadata.version(name) for name in ("japagen", "torch", "transformers")}
        digest = hashlib.sha256()
        files = sorted(file for file in fetched.folder.iterdir() if file.is_file()) if fetched else []
        beginning = {file.name: file_digest(file) for file in files}
        facts = [shaping, versions, seed, beginning, precision, self.setting.metric, device().type]
        digest.update(json.dumps(facts, sort_keys=True).encode())
        for example in (*train, None, *dev):
            row = example and (example.text, example.text_pair, example.label, example.value, example.weight)
            digest.update(json.dumps(row).encode())
        return Checkpoints(folder, digest.hexdigest())


def _values(train: Sequence[Example], labels: Sequence[str]) -> tuple[float, ...] | None:
    """The number that each label stands for: the mean of its rows'. None where rows carry no numbers.

    Raises:
        DataError: some rows carry a number and some do not.
    """
    given = [example.value is not None for example in train]
    if not any(given):
        return None
    if not all(given):
        raise DataError(
            "the row has no number, others have one",
            where=train[given.index(False)].id,
            remedy="give every row of a task of similarity its value",
        )
    for example in train:
        if not (example.value is not None and abs(example.value) < _LARGEST):
            raise DataError(
                f"the number is {example.value}", where=example.id, remedy="give a number that is not so large"
            )
    return tuple(float(np.mean([e.value for e in train if e.label == label])) for label in labels)


def _targets(train: Sequence[Example], labels: Sequence[str], values: tuple[float, ...] | None) -> Any:
    if values:
        return np.array([example.value for example in train], dtype=np.float32)
    return rows.codes_of(train, labels).astype(np.int64)


def _weights(train: Sequence[Example]) -> Any:
    given = weights_of(train)
    return np.ones(len(train), np.float32) if given is None else given.astype(np.float32)


def _attention(network: nn.Module, where: torch.device, precision: str) -> contextlib.AbstractContextManager[None]:
    slow = (
        where.type == "cpu" and precision == "bf16" and isinstance(network, HuggingFaceNetwork) and not network.packed
    )
    return network.separate_attention() if slow else contextlib.nullcontext()  # type: ignore[operator]


@contextlib.contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
