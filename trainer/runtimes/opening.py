"""Opening the file of a network in the runtime that it is for."""

from __future__ import annotations

import pathlib
from typing import Protocol

import numpy as np

from trainer.runtimes.litert_network import LitertNetwork
from trainer.runtimes.onnx_network import OnnxNetwork
from trainer.runtimes.suffixes import LITERT


class RuntimeNetwork(Protocol):
    """A network that was opened."""

    def __call__(
        self, background: np.ndarray, frame: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compares a frame with the empty scene.

        Args:
          background: uint8 [H, W, 3].
          frame: The same.

        Returns:
          float32 [h, w, 1] twice: the mask in 0 to 1 and the depth in metres, of the
          frame's size, or that which the network is made for.
        """
        ...


def open_network(path: pathlib.Path, threads: int | None = None) -> RuntimeNetwork:
    """Opens a network's file.

    Args:
      path: A file *.onnx or *.tflite.
      threads: Number of threads that it computes with; the runtime's choice if None.

    Raises:
      UserError: If the runtime is not installed, or the file is damaged, or is not one
        of a network that `python -m trainer.export` writes.
    """
    kind = LitertNetwork if path.suffix == LITERT else OnnxNetwork
    return kind(path, threads)
