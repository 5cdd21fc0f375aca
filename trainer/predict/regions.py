"""Regions of a mask: connected, grown, and how far inside a pixel lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.ndimage


def label_regions(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Numbers the connected regions of a mask.

    Args:
      mask: bool [H, W].

    Returns:
      int [H, W], 0 outside, 1 to N in the regions; and N.
    """
    found: Any = scipy.ndimage.label(mask)
    return found[0], found[1]


def grow(mask: np.ndarray, pixels: int = 1) -> np.ndarray:
    """Grows a mask, bool [H, W], by pixels."""
    return np.asarray(scipy.ndimage.binary_dilation(mask, iterations=pixels))


def measure_distance(mask: np.ndarray) -> np.ndarray:
    """Measures the distance from a mask's border: positive inside, negative outside.

    Args:
      mask: bool [H, W], neither empty nor full.

    Returns:
      float64 [H, W], pixels.
    """
    inside, outside = (
        np.asarray(scipy.ndimage.distance_transform_edt(m)) for m in (mask, ~mask)
    )
    return inside - outside
