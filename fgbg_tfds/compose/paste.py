"""Pasting of cut-outs on photos: composite, mask and box."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fgbg_tfds.compose.pictures import Picture
from fgbg_tfds.compose.recipe import Composite, Placement, Recipe
from fgbg_tfds.contract import MASK_THRESHOLD, MAX_ALPHA


@dataclasses.dataclass(frozen=True)
class Pasted:
    """A composite and its mask.

    Attributes:
      fgbg: uint8 [H, W, 3], the composite.
      mask: uint8 [H, W, 1], the alpha of the foreground.
    """

    fgbg: np.ndarray
    mask: np.ndarray


def compose(
    composite: Composite,
    recipe: Recipe,
    foregrounds: Sequence[Picture],
    backgrounds: Sequence[Picture],
) -> Pasted:
    """Composes one composite of a recipe.

    Args:
      composite: One of the recipe's.
      recipe: The recipe.
      foregrounds: The cut-outs, in the recipe's order.
      backgrounds: The scenes, in the recipe's order.
    """
    photos = backgrounds[composite.background].photos
    pasted, _ = recipe.choose_photos(composite, len(photos))
    return place_and_paste(
        photos[pasted],
        foregrounds[composite.foreground].pixels,
        recipe.find_placement(composite),
        composite.flipped,
    )


def place_and_paste(
    background: np.ndarray, cutout: np.ndarray, placement: Placement, flipped: bool
) -> Pasted:
    """Resizes a cut-out and pastes it fully inside a photo.

    Args:
      background: uint8 [H, W, 3], RGB.
      cutout: uint8 [h, w, 4], RGB with straight alpha, trimmed.
      placement: Place and size of the cut-out.
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
    return paste_at(background, resized, left, top)


def paste_at(background: np.ndarray, cutout: np.ndarray, left: int, top: int) -> Pasted:
    """Pastes a cut-out at a place where it lies fully inside a photo.

    Args:
      background: uint8 [H, W, 3], RGB.
      cutout: uint8 [h, w, 4], RGB with straight alpha.
      left: Column of its upper left corner.
      top: Row of its upper left corner.

    Returns:
      The composite and its mask.
    """
    place = np.s_[top : top + cutout.shape[0], left : left + cutout.shape[1]]
    alpha = cutout[..., 3:].astype(np.uint16)
    below = background[place].astype(np.uint16)
    mixed = cutout[..., :3] * alpha + below * (MAX_ALPHA - alpha)
    fgbg = background.copy()
    fgbg[place] = (mixed + MAX_ALPHA // 2) // MAX_ALPHA
    mask = np.zeros((*background.shape[:2], 1), np.uint8)
    mask[place] = cutout[..., 3:]
    return Pasted(fgbg, mask)


def find_box(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Finds the box of the foreground, mask >= 128.

    Args:
      mask: uint8 [H, W, 1].

    Returns:
      (ymin, xmin, ymax, xmax) as fractions of height and width; all 0 where there
      is no foreground.
    """
    height, width = mask.shape[:2]
    seen = mask[..., 0] >= MASK_THRESHOLD
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
    """Resizes the longest side to `scale` times the room's shorter side."""
    longest = scale * min(room) / max(cutout.shape[:2])
    height, width = (max(1, round(side * longest)) for side in cutout.shape[:2])
    # Pillow weighs colours by alpha here, so that edges get no dark fringe.
    image = Image.fromarray(cutout, "RGBA")
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
