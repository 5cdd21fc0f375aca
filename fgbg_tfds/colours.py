"""Depth as colour: the same colours for the same metres in all pictures."""

from __future__ import annotations

import functools

import numpy as np

from fgbg_tfds.contract import MAX_DEPTH

NEAREST = 1.0
FARTHEST = MAX_DEPTH
_COLOUR_MAP = "magma"  # readable in grey and by the colour-blind


@functools.cache
def _make_palette() -> np.ndarray:
    """Computes the palette, uint8 [256, 3], from nearest to farthest."""
    import matplotlib  # Slow to import, and seldom needed.

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
    fraction = np.log(clipped / NEAREST) / np.log(FARTHEST / NEAREST)
    colours = _make_palette()[np.round(fraction * 255).astype(np.uint8)]
    return np.where(np.asarray(metres)[..., None] > 0, colours, np.uint8(128))
