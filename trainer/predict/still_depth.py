"""Depth that stands still where nothing moves.

A network's depth flickers from frame to frame, in its scale and in its details. Where
nothing is new, the depth is that of the empty scene, which is looked at once; what is
new is brought to the same scale by the places around it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

CALM = 0.25  # of the mask: below, nothing is new
LEAST_CALM = 0.02  # of the picture, that a scale can be found in
MAX_SCALE = 2.0


class StillDepth:
    """Steadies the depth of frames by that of the empty scene."""

    def __init__(self, estimate_depth: Callable[[], np.ndarray]):
        """Takes an estimator.

        Args:
          estimate_depth: Estimates the empty scene's depth, float [H, W, 1]; asked when
            it is needed first.
        """
        self._estimate_depth = estimate_depth
        self._scene: np.ndarray | None = None

    @property
    def scene(self) -> np.ndarray:
        """Depth of the empty scene, float [H, W, 1]."""
        if self._scene is None:
            self._scene = np.maximum(self._estimate_depth(), 1e-3)
        return self._scene

    def forget(self) -> None:
        """Forgets the scene's depth, since the scene has changed."""
        self._scene = None

    def __call__(self, mask: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Steadies the depth of a frame.

        Args:
          mask: float [H, W, 1], 0 to 1.
          depth: float [H, W, 1].

        Returns:
          float32 [H, W, 1], in the unit of the scene's depth.
        """
        depth = np.maximum(depth, 1e-3)
        calm = mask < CALM
        scale = 1.0
        if calm.mean() >= LEAST_CALM:
            ratio = float(np.median(self.scene[calm] / depth[calm]))
            scale = float(np.clip(ratio, 1 / MAX_SCALE, MAX_SCALE))
        logs = mask * np.log(scale * depth) + (1 - mask) * np.log(self.scene)
        return np.exp(logs).astype(np.float32)
