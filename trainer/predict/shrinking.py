"""Looking at large frames as smaller pictures, which is quicker and rarely worse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainer.resizing import BOX, resize

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
        size = round(height * self._scale), round(width * self._scale)
        background, frame = (resize(each, size, BOX) for each in (background, frame))
        if spread is not None:
            spread = resize(spread, size, BOX)
        mask, depth = self._predictor(background, frame, spread)
        return resize(mask, (height, width)), resize(depth, (height, width))
