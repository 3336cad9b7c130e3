"""A network in ONNX, run by onnxruntime on the processor (extra ``onnx``)."""

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

_ELSEWHERE = "session.model_external_initializers_file_folder_path"


@dataclass(frozen=True, slots=True)
class OnnxNetwork:
    """A session of onnxruntime."""

    session: Any

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of its inputs."""
        return tuple(given.name for given in self.session.get_inputs())

    def __call__(self, inputs: Inputs) -> NDArray[np.float32]:
        """See `Network`."""
        return np.asarray(self.session.run(None, dict(inputs))[0], dtype=np.float32)

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> OnnxNetwork:
        """Read model.onnx, a single file: one whose weights lie in others is refused.

        Raises:
            ModelError: it is no network.
            MissingExtra: onnxruntime is not installed.
        """
        file = folder / NETWORKS["onnx"]
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtra("onnxruntime", "onnx", needed_by=str(file)) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is raised as well
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads use no processor
        options.add_session_config_entry(_ELSEWHERE, str(folder.resolve() / "no other files"))
        try:
            # From bytes, so that what was checked is what runs.
            session = onnxruntime.InferenceSession(
                file.read_bytes(), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's exceptions have no class in common
            raise saved.damaged(file, f"onnxruntime cannot read it: {str(error).splitlines()[0]}") from error
        return cls(session)


class OnnxClassifier(ExportedClassifier):
    """A classifier whose network is model.onnx."""

    __slots__ = ()

    @staticmethod
    def open(folder: Path, about: Mapping[str, Any], threads: int | None) -> OnnxNetwork:
        """The folder's network."""
        return OnnxNetwork.load(folder, threads=threads)
