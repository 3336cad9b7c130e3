"""A network in OpenVINO's own format, run on the processor (extra ``openvino``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import MissingExtra
from japagen.student import saved
from japagen.student.exported.classifier import NETWORKS, ExportedClassifier, Inputs

WEIGHTS = "model.bin"
PRECISIONS = {"bf16": "bf16", "fp32": "f32"}
"""Ours to theirs. A machine without bf16 computes in fp32 anyway."""


@dataclass(frozen=True, slots=True)
class OpenvinoNetwork:
    """A compiled model of OpenVINO."""

    model: Any

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of its inputs."""
        return tuple(given.get_any_name() for given in self.model.inputs)

    def __call__(self, inputs: Inputs) -> NDArray[np.float32]:
        """See `Network`."""
        return np.array(self.model(dict(inputs))[0], dtype=np.float32)

    @classmethod
    def load(cls, folder: Path, precision: str, *, threads: int | None = None) -> OpenvinoNetwork:
        """Read model.xml and model.bin.

        Args:
            folder: that holds both.
            precision: "bf16" or "fp32", of the arithmetic.
            threads: of the processor; None: all.

        Raises:
            ModelError: it is no network, or the precision has another name.
            MissingExtra: openvino is not installed.
        """
        file = folder / NETWORKS["openvino"]
        try:
            import openvino
        except ImportError as error:
            raise MissingExtra("openvino", "openvino", needed_by=str(file)) from error
        if precision not in PRECISIONS:
            raise saved.damaged(folder / saved.ABOUT, f"'precision' is '{precision}', neither of {set(PRECISIONS)}")
        options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            network, weights = file.read_bytes(), (folder / WEIGHTS).read_bytes()
            if not network.startswith(b"<?xml"):  # OpenVINO would read formats that name files of their own
                raise saved.damaged(file, "is no XML")
            runtime = openvino.Core()
            model = runtime.compile_model(runtime.read_model(model=network, weights=weights), "CPU", options)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            what = next(
                (line for line in str(error).splitlines() if line and not line.startswith("Exception from")), ""
            )
            raise saved.damaged(file, f"OpenVINO cannot read it: {what}") from error
        return cls(model)


class OpenvinoClassifier(ExportedClassifier):
    """A classifier whose network is model.xml, with its weights in model.bin."""

    __slots__ = ()

    @staticmethod
    def open(folder: Path, about: Mapping[str, Any], threads: int | None) -> OpenvinoNetwork:
        """The folder's network."""
        return OpenvinoNetwork.load(folder, about["precision"], threads=threads)
