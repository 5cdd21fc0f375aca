"""The depth of a pasted object, for composites and for drawn scenes alike."""

from __future__ import annotations

import numpy as np

HIDDEN_PERCENTILE = 20


def choose_depth(ground: float, hidden: np.ndarray, clearance: float) -> float:
    """Chooses one depth for a pasted object.

    It stands on the ground under its foot. If the pixels that it hides are nearer than
    that, it floats before a wall, a tree or the sky, and stands a little before them.

    Args:
      ground: Depth of the ground at its foot, metres.
      hidden: float [...], depth of the pixels that it hides, metres.
      clearance: Its depth as a fraction of the near part of what it hides.

    Returns:
      Metres.
    """
    return min(ground, clearance * np.percentile(hidden, HIDDEN_PERCENTILE))
