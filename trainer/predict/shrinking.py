"""Looking at large frames as smaller pictures, which is quicker and rarely worse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import PIL.Image

ROWS = 256  # of the frames' shorter side; networks learn from pictures of about that


class ShrinkingPredictor:
    """A network before which large pictures are shrunk, and its answers enlarged."""

    def __init__(self, predictor: Callable, size: tuple[int, int], rows: int = ROWS):
        """Takes a network.

        Args:
          predictor: The network; see `Predictor`.
          size: Height and width of whole frames.
          rows: Pixels of their shorter side that the network sees, at most.
        """
        self._predictor = predictor
        self._scale = min(1.0, rows / min(size))

    def __call__(
        self,
        background: np.ndarray,
        frame: np.ndarray,
        spread: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compares frames, or windows of them; see `Predictor`."""
        if self._scale == 1:
            return self._predictor(background, frame, spread)
        height, width = frame.shape[:2]
        size = round(width * self._scale), round(height * self._scale)
        background, frame = (
            _resize(picture, size, PIL.Image.Resampling.BOX)
            for picture in (background, frame)
        )
        if spread is not None:
            spread = _resize(spread[..., 0], size, PIL.Image.Resampling.BOX)[..., None]
        mask, depth = (
            _resize(answer[..., 0], (width, height), PIL.Image.Resampling.BILINEAR)
            for answer in self._predictor(background, frame, spread)
        )
        return mask[..., None], depth[..., None]


def _resize(picture: np.ndarray, size: tuple[int, int], kind) -> np.ndarray:
    image = PIL.Image.fromarray(picture).resize(size, kind)
    return np.array(image)
