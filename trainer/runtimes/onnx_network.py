"""Networks in ONNX Runtime."""

from __future__ import annotations

import pathlib

import numpy as np

from trainer.errors import UserError, summarise
from trainer.extras import import_extra

INPUTS, OUTPUTS = ["bg", "fgbg"], ["mask", "depth"]


class OnnxNetwork:
    """A network in a file *.onnx, on the processor; for pictures of any size."""

    def __init__(self, path: pathlib.Path, threads: int | None = None):
        """Opens the file; see `open_network`."""
        runtime = import_extra("onnxruntime", "onnx", f"--model={path}")
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors alone
        options.intra_op_num_threads = threads or 0
        try:
            self._session = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each failure has a class of its own
            raise UserError(
                f"--model={path} cannot be loaded: {summarise(error)}"
            ) from error
        taken = {
            each.name: (each.type, each.shape[-1])
            for each in self._session.get_inputs()
        }
        given = {each.name for each in self._session.get_outputs()}
        if taken != dict.fromkeys(INPUTS, ("tensor(uint8)", 3)) or given != {*OUTPUTS}:
            raise UserError(
                f"--model={path} does not take bg and fgbg, or does not answer with "
                "mask and depth; give a file that python -m trainer.export wrote"
            )

    def __call__(
        self, background: np.ndarray, frame: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compares a frame with the empty scene; see `RuntimeNetwork`."""
        pair = dict(zip(INPUTS, (background[None], frame[None]), strict=True))
        mask, depth = self._session.run(OUTPUTS, pair)
        return mask[0], depth[0]
