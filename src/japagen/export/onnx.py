"""A fine-tuned encoder as an ONNX network: fp32, or with weights in int8.

The network is taken apart by torch.export, which proves that no batch size or length is built in; what comes of it is
then compared with the network itself on batches of several shapes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from japagen.errors import MissingExtra, ModelError
from japagen.student.encoder.classifier import EncoderClassifier
from japagen.student.exported.classifier import NETWORKS
from japagen.student.exported.onnx import OnnxNetwork

MOST_BYTES = 1_900_000_000
"""Of a network: a file of protocol buffers holds 2 GB, and weights in files beside it are not read."""
TOLERANCE = 1e-3
"""Largest difference between logits of the network and of its export, relative to the largest logit or 1."""
_TEXTS = (
    "短い文。",
    "少し長い文をここに一つ置きます。",
    "三つ目の文はもっと長く、句読点も、英字のABCも、数字の１２３も入っています。",
)


class _Positional(nn.Module):
    """The network with its inputs in order, as exporters want them."""

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.names = tuple(names)

    def forward(self, first: Tensor, second: Tensor, third: Tensor | None = None) -> Tensor:
        given = (first, second) if third is None else (first, second, third)
        logits: Tensor = self.network(**dict(zip(self.names, given, strict=True)))
        return logits


def write_onnx(classifier: EncoderClassifier, folder: Path) -> Path:
    """Write model.onnx in fp32 into an existing folder.

    Returns:
        The file.

    Raises:
        ModelError: the network is too large for one file, or cannot be taken apart.
        MissingExtra: onnxscript or onnxruntime is not installed.
    """
    for package in ("onnxscript", "onnxruntime"):
        _need(package)
    network = classifier.network.to("cpu").float().eval()
    arrays = [*network.parameters(), *network.buffers()]
    size = sum(array.numel() * array.element_size() for array in arrays)
    if size > MOST_BYTES:
        raise ModelError(
            f"the network has {size / 1e9:.1f} GB, more than the 2 GB that an ONNX file holds",
            where=classifier.model,
            remedy="export it with --to hf",
        )
    raw, file = folder / "raw.onnx", folder / NETWORKS["onnx"]
    try:
        with _quiet():
            _translate(network, _inputs(classifier, _TEXTS), raw)
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise ModelError(
            f"the network cannot be taken apart: {str(error.__cause__ or error).strip().splitlines()[0]}",
            where=classifier.model,
            remedy="export it with --to hf",
        ) from error
    _fold(raw, file)
    raw.unlink()
    _compare(classifier, folder)
    return file


def _translate(network: nn.Module, sample: dict[str, NDArray[np.int64]], file: Path) -> None:
    """Write the network as ONNX, its inputs of any number of rows and any length."""
    dynamic = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        _Positional(network, list(sample)).eval(),
        tuple(map(torch.from_numpy, sample.values())),
        input_names=list(sample),
        output_names=["logits"],
        dynamic_shapes=tuple(dynamic for _ in sample),
        dynamo=True,
        optimize=False,  # onnxruntime does that in `_fold`; onnxscript's optimiser stumbles over some networks
        verbose=False,
    )
    if program is None:
        raise TypeError("torch.onnx.export gave nothing")
    program.save(file, external_data=False)


def quantise(file: Path) -> None:
    """Turn an fp32 network into one whose matrix products run in int8, each channel with its own scale; activations are
    quantised as they come.
    """
    _need("onnx")
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(file)
    # Shapes that were inferred for fp32 would be taken for those of int8.
    del model.graph.value_info[:]
    onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})  # `_fold` has done it
    with _quiet():
        quantize_dynamic(model, file, weight_type=QuantType.QInt8, per_channel=True)


def _inputs(classifier: EncoderClassifier, texts: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """A padded batch, shape (texts, longest) each; of pairs every text with the one before it."""
    tokeniser = classifier.network.tokeniser
    second = [texts[i - 1] for i in range(len(texts))] if classifier.pair else None
    tokens = tokeniser.encode(texts, second, max_length=classifier.max_length)  # type: ignore[union-attr, operator]
    made: dict[str, NDArray[np.int64]] = tokeniser.collate(tokens, range(len(texts)))  # type: ignore[union-attr, operator]
    return made


def _fold(raw: Path, file: Path) -> None:
    """Write the network with all that is constant computed, in standard operators only."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(file)
    onnxruntime.InferenceSession(str(raw), sess_options=options, providers=["CPUExecutionProvider"])


def _compare(classifier: EncoderClassifier, folder: Path) -> None:
    exported = OnnxNetwork.load(folder)
    many = [[text[:n] for text in _TEXTS * 3] for n in range(4, 40, 3)]  # faults may show at some lengths alone
    for texts in (_TEXTS[:1], _TEXTS[1:], _TEXTS * 3, *many, ("長い文が続きます。" * classifier.max_length,)):
        inputs = _inputs(classifier, texts)
        with torch.inference_mode():
            wanted = classifier.network(**{name: torch.from_numpy(array) for name, array in inputs.items()}).numpy()
        found = exported({name: inputs[name] for name in exported.inputs})
        off = float(np.abs(found - wanted).max()) / max(1.0, float(np.abs(wanted).max()))
        if not off <= TOLERANCE:
            shape = "x".join(map(str, next(iter(inputs.values())).shape))
            raise ModelError(
                f"the export answers otherwise than the network: logits of {shape} tokens differ by {off:.2g}",
                where=classifier.model,
                remedy="use it as it is, with torch, and tell us which model it is",
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporters tell their developers: calls among themselves that are deprecated, and logs."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "root")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            for kind in (FutureWarning, DeprecationWarning, UserWarning):
                warnings.simplefilter("ignore", kind)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _need(package: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise MissingExtra(package, "onnx", needed_by="japagen export")
