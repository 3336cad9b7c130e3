"""A fine-tuned encoder for plain transformers: the names of its labels, and what transformers answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from japagen.errors import ModelError
from japagen.records import Example, Prediction
from japagen.student import rows
from japagen.student.encoder.classifier import EncoderClassifier
from japagen.student.encoder.limits import MOST_CHARACTERS
from japagen.student.encoder.network import HuggingFaceNetwork

BATCH = 32


def name_labels(classifier: EncoderClassifier) -> None:
    """Write the labels' names into the configuration of the model, so that transformers gives them.

    Raises:
        ModelError: the network is none of transformers'.
    """
    if not isinstance(classifier.network, HuggingFaceNetwork):
        raise not_of_transformers(classifier.model, classifier.model)
    config: Any = classifier.network.model.config
    if classifier.values is None:
        config.id2label = dict(enumerate(classifier.labels))
        config.label2id = {label: number for number, label in enumerate(classifier.labels)}
        config.problem_type = "single_label_classification"
    else:
        config.problem_type = "regression"


def not_of_transformers(model: str, where: object) -> ModelError:
    """The refusal of a network that transformers cannot build."""
    return ModelError(f"transformers has no architecture for '{model}'", where=where, remedy="export it with --to onnx")


def predict_plainly(folder: Path, classifier: EncoderClassifier, examples: Sequence[Example]) -> list[Prediction]:
    """What AutoModelForSequenceClassification and AutoTokenizer make of the folder, in batches of 32 as they come."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokeniser: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
    ).eval()
    first, second = rows.texts_of(examples, pair=classifier.pair, limit=MOST_CHARACTERS, nfkc=False)
    found = []
    for start in range(0, len(examples), BATCH):
        texts = (first[start : start + BATCH], *([second[start : start + BATCH]] if second else []))
        inputs = tokeniser(*texts, padding=True, truncation=True, max_length=classifier.max_length, return_tensors="pt")
        with torch.inference_mode():
            found.append(model(**inputs).logits.float().numpy())
    labels = classifier.labels
    if classifier.values is None:
        labels = tuple(model.config.id2label[number] for number in range(len(labels)))
    return rows.of_logits(examples, labels, classifier.values, np.concatenate(found))
