"""Depth as colour, the same colours for the same metres everywhere."""

from __future__ import annotations

import functools

import numpy as np

NEAREST = 1.0
FARTHEST = 80.0
_COLOUR_MAP = "magma"  # readable in grey and by the colour-blind


@functools.cache
def _palette() -> np.ndarray:
    """Returns uint8 [256, 3], from nearest to farthest."""
    import matplotlib  # Only whoever draws pays for it.

    colours = matplotlib.colormaps[_COLOUR_MAP](range(255, -1, -1))
    return np.round(colours[:, :3] * 255).astype(np.uint8)


def colour_depth(metres: np.ndarray) -> np.ndarray:
    """Colours depth on a log scale from `NEAREST` to `FARTHEST`.

    Args:
      metres: float [..., H, W]; 0 is unknown and comes out grey.

    Returns:
      uint8 [..., H, W, 3], RGB; near is bright, far is dark.
    """
    clipped = np.clip(metres, NEAREST, FARTHEST)
    part = np.log(clipped / NEAREST) / np.log(FARTHEST / NEAREST)
    colours = _palette()[np.round(part * 255).astype(np.uint8)]
    return np.where(np.asarray(metres)[..., None] > 0, colours, np.uint8(128))
