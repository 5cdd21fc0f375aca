"""Pastes a cut-out on a photo: composite, mask and box."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from fgbg_tfds.compose.recipe import Placement


@dataclasses.dataclass(frozen=True)
class Pasted:
    """A composite and what is new in it.

    Attributes:
      fgbg: uint8 [H, W, 3], the composite.
      mask: uint8 [H, W, 1], the alpha of the foreground.
    """

    fgbg: np.ndarray
    mask: np.ndarray


def paste(
    background: np.ndarray, cutout: np.ndarray, placement: Placement, flipped: bool
) -> Pasted:
    """Pastes a cut-out fully inside a photo.

    Args:
      background: uint8 [H, W, 3], RGB.
      cutout: uint8 [h, w, 4], RGB with straight alpha, trimmed.
      placement: Where and how large.
      flipped: Whether the cut-out is mirrored left to right.

    Returns:
      The composite and its mask. Where the mask is 0 the composite is the
      background, exactly.
    """
    height, width = background.shape[:2]
    resized = _resize(cutout, placement.scale, (height, width))
    if flipped:
        resized = resized[:, ::-1]
    top = round(placement.top * (height - resized.shape[0]))
    left = round(placement.left * (width - resized.shape[1]))
    place = np.s_[top : top + resized.shape[0], left : left + resized.shape[1]]

    alpha = resized[..., 3:].astype(np.uint16)
    below = background[place].astype(np.uint16)
    mixed = resized[..., :3] * alpha + below * (255 - alpha)
    fgbg = background.copy()
    fgbg[place] = (mixed + 127) // 255
    mask = np.zeros((height, width, 1), np.uint8)
    mask[place] = resized[..., 3:]
    return Pasted(fgbg, mask)


def bounding_box(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Returns the box of mask >= 128.

    Args:
      mask: uint8 [H, W, 1].

    Returns:
      (ymin, xmin, ymax, xmax) as parts of height and width, in 0..1; all 0
      where nothing reaches 128.
    """
    height, width = mask.shape[:2]
    seen = mask[..., 0] >= 128
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if not rows.size:
        return (0.0, 0.0, 0.0, 0.0)
    return (
        rows[0] / height,
        columns[0] / width,
        (rows[-1] + 1) / height,
        (columns[-1] + 1) / width,
    )


def _resize(cutout: np.ndarray, scale: float, room: tuple[int, int]) -> np.ndarray:
    """Brings the longest side to `scale` of the room's shorter side."""
    longest = scale * min(room) / max(cutout.shape[:2])
    size = tuple(max(1, round(side * longest)) for side in cutout.shape[1::-1])
    # Pillow weighs colours by alpha here, so no dark fringe comes in.
    resized = Image.fromarray(cutout, "RGBA").resize(size, Image.Resampling.LANCZOS)
    return np.asarray(resized)
