"""Conversion of the network's answers to the files that are written."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
import PIL.Image

from trainer import figures
from trainer.contract import DEPTH_UNITS, MAX_ALPHA
from trainer.predict.frames import Frame

KINDS = {
    "mask": "8-bit PNG, 255 is certainly new",
    "depth": "16-bit PNG, metres = value / 256",
    "depth_view": "depth as colour: bright is 1 m, dark is 80 m",
    "overlay": "the frame with new pixels in red",
}
SUFFIXES = {"mask": ".png", "depth": ".png", "depth_view": ".jpg", "overlay": ".jpg"}
FILMED = ("depth_view", "overlay")  # kinds that become videos if the frames are one


def convert_answers(
    frame: Frame, mask: np.ndarray, depth: np.ndarray, kinds: Iterable[str]
) -> dict[str, np.ndarray]:
    """Converts the answers for a frame to pictures.

    Args:
      frame: The frame, H x W.
      mask: float32 [H, W, 1], 0 to 1.
      depth: float32 [H, W, 1], metres.
      kinds: Some of `KINDS`.

    Returns:
      By kind: 'mask' uint8 [H, W], 'depth' uint16 [H, W] in 1/256 m, 'depth_view' and
      'overlay' uint8 [H, W, 3].
    """
    convert = {
        "mask": lambda: _round(np.clip(mask[..., 0], 0, 1) * MAX_ALPHA, np.uint8, 0),
        # 0 would mean that depth is unknown.
        "depth": lambda: _round(depth[..., 0] * DEPTH_UNITS, np.uint16, 1),
        "depth_view": lambda: figures.colour_depth(depth),
        "overlay": lambda: figures.draw_overlay(frame.pixels, mask),
    }
    return {kind: convert[kind]() for kind in kinds}


def encode_picture(picture: np.ndarray, suffix: str) -> bytes:
    """Encodes a picture as PNG or JPEG.

    Args:
      picture: uint8 or uint16 [H, W], or uint8 [H, W, 3].
      suffix: '.png' or '.jpg'.
    """
    memory = io.BytesIO()
    if suffix == ".png":
        PIL.Image.fromarray(picture).save(memory, "PNG", compress_level=1)
    else:
        PIL.Image.fromarray(picture).save(memory, "JPEG", quality=92)
    return memory.getvalue()


def _round(values: np.ndarray, dtype, minimum: int) -> np.ndarray:
    return np.clip(np.rint(values), minimum, np.iinfo(dtype).max).astype(dtype)
