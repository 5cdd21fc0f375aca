"""Flat pictures of things that stand on the ground."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Sprite:
    """A flat picture of a thing that stands on the ground.

    Attributes:
      rgba: uint8 [h, w, 4], trimmed to its alpha.
      relief: float32 [h, w], metres nearer (negative) or farther (positive) than
        the foot; 0 where the alpha is 0.
      height: Metres from the lowest to the highest row.
      reach: Metres from its middle to its nearest foot.
    """

    rgba: np.ndarray
    relief: np.ndarray
    height: float
    reach: float = 0.0

    def resize(self, height: float) -> Sprite:
        """Makes it `height` metres high."""
        factor = height / self.height
        return dataclasses.replace(
            self, relief=self.relief * factor, height=height, reach=self.reach * factor
        )
