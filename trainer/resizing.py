"""Resizing pictures and maps as Pillow does, without TensorFlow."""

from __future__ import annotations

import numpy as np
import PIL.Image

BILINEAR, BOX = PIL.Image.Resampling.BILINEAR, PIL.Image.Resampling.BOX


def resize(picture: np.ndarray, size: tuple[int, int], kind=BILINEAR) -> np.ndarray:
    """Resizes a picture or a map.

    Args:
      picture: uint8 or float32, [H, W], [H, W, 1] or, if uint8, [H, W, 3].
      size: Height h and width w of the result.
      kind: `BILINEAR`, with antialiasing where it shrinks, or `BOX`.

    Returns:
      The same type, with h and w in place of H and W; itself if it has that size.
    """
    if picture.shape[:2] == tuple(size):
        return picture
    single = picture.ndim == 3 and picture.shape[-1] == 1
    image = PIL.Image.fromarray(picture[..., 0] if single else picture)
    resized = np.array(image.resize((size[1], size[0]), kind))
    return resized[..., None] if single else resized
