"""A fine-tuned encoder in OpenVINO's own format; made of its ONNX network, weights in 16 bits."""

from __future__ import annotations

from pathlib import Path

from japagen.errors import MissingExtra
from japagen.export.onnx import write_onnx
from japagen.student.encoder.classifier import EncoderClassifier
from japagen.student.exported.classifier import NETWORKS


def write_openvino(classifier: EncoderClassifier, folder: Path) -> None:
    """Write model.xml and model.bin into an existing folder.

    Raises:
        ModelError: the network cannot be taken apart.
        MissingExtra: openvino, onnxscript or onnxruntime is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise MissingExtra("openvino", "openvino", needed_by="japagen export") from error
    file = write_onnx(classifier, folder)
    # Not `openvino.convert_model`, which reports its use to others.
    model = openvino.Core().read_model(str(file))
    openvino.save_model(model, str(folder / NETWORKS["openvino"]), compress_to_fp16=True)
    del model  # it holds the file
    file.unlink()
