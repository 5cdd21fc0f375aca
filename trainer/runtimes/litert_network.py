"""Networks in LiteRT, which was called TensorFlow Lite."""

from __future__ import annotations

import pathlib

import numpy as np

from trainer.errors import UserError, summarise
from trainer.extras import import_extra
from trainer.resizing import resize


class LitertNetwork:
    """A network in a file *.tflite, on the processor; made for one size of pictures.

    The first input is the empty scene and the second one the frame; the first output
    is the mask, and the second one depth.
    """

    def __init__(self, path: pathlib.Path, threads: int | None = None):
        """Opens the file; see `open_network`."""
        runtime = import_extra(
            "ai_edge_litert.interpreter", "litert", f"--model={path}"
        )
        try:
            self._interpreter = runtime.Interpreter(str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(
                f"--model={path} cannot be loaded: {summarise(error)}"
            ) from error
        taken = self._interpreter.get_input_details()
        given = self._interpreter.get_output_details()
        if not (
            [each["dtype"] for each in taken] == 2 * [np.uint8]
            and [each["dtype"] for each in given] == 2 * [np.float32]
            and all(len(each["shape"]) == 4 for each in (*taken, *given))
            and [each["shape"][-1] for each in (*taken, *given)] == [3, 3, 1, 1]
        ):
            raise UserError(
                f"--model={path} does not take two pictures, or does not answer with "
                "mask and depth; give a file that python -m trainer.export wrote"
            )
        self._taken = [each["index"] for each in taken]
        self._given = [each["index"] for each in given]
        self._size = tuple(taken[0]["shape"][1:3].tolist())

    def __call__(
        self, background: np.ndarray, frame: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compares a frame with the empty scene; see `RuntimeNetwork`.

        Pictures of another size than the network's are resized bilinearly.
        """
        for index, picture in zip(self._taken, (background, frame), strict=True):
            self._interpreter.set_tensor(index, resize(picture, self._size)[None])
        self._interpreter.invoke()
        mask, depth = (self._interpreter.get_tensor(index)[0] for index in self._given)
        return mask, depth
