"""The depth of a composite, from the background's depth and the object's place.

The object takes one depth, that of the ground under its foot. If it floats before a
wall, a tree or the sky, the ground under it is farther than the pixels that it hides;
then it stands a little before the near part of these.
"""

from __future__ import annotations

import numpy as np

from fgbg_tfds.contract import MASK_THRESHOLD
from fgbg_tfds.pasted_depth import choose_depth

FOOT_ROWS = 0.05  # of the object's height, from its lowest row
CLEARANCE = 0.9  # of the near part of the pixels that a floating object hides
RULE = (
    "The teacher looked at each background once. Pixels with mask >= 128 take one "
    "depth: the median of the background's along the object's foot (its lowest 5 % of "
    "rows), at most 0.9 of the 20th percentile of what the object hides, and at no "
    "pixel more than the background there. All others keep the background's depth."
)


def compute_object_depth(background_depth: np.ndarray, mask: np.ndarray) -> float:
    """Computes the depth of a pasted object, in metres.

    Args:
      background_depth: float32 [H, W], metres, all known.
      mask: uint8 [H, W, 1], alpha; at least one pixel has to be foreground.
    """
    seen = mask[..., 0] >= MASK_THRESHOLD
    rows = np.flatnonzero(seen.any(1))
    height = rows[-1] - rows[0] + 1
    foot = seen.copy()
    foot[: rows[-1] + 1 - max(1, round(FOOT_ROWS * height))] = False
    ground = np.median(background_depth[foot])
    return float(choose_depth(ground, background_depth[seen], CLEARANCE))


def compute_composite_depth(
    background_depth: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Computes the depth of a composite.

    Args:
      background_depth: float32 [H, W], metres, all known.
      mask: uint8 [H, W, 1], alpha.

    Returns:
      float32 [H, W], metres; nowhere farther than the background.
    """
    seen = mask[..., 0] >= MASK_THRESHOLD
    if not seen.any():
        return background_depth
    depth = compute_object_depth(background_depth, mask)
    return np.where(seen, np.minimum(depth, background_depth), background_depth)
