"""Encoding of arrays to the bytes of the data set, by its contract."""

from __future__ import annotations

import functools
import io
import math
import struct
import zlib

import numpy as np
from PIL import Image

from fgbg_tfds.contract import DEPTH_UNITS, MAX_DEPTH

JPEG_QUALITY = 90
NEAREST = 0.5
FARTHEST = MAX_DEPTH
RELATIVE_ERROR = 0.01  # of known depth, by rounding
DEPTH_STEPS = math.ceil(math.log(FARTHEST / NEAREST) / (2 * math.log1p(RELATIVE_ERROR)))


def encode_photo(image: np.ndarray) -> bytes:
    """Encodes uint8 [H, W, 3] as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def encode_mask(mask: np.ndarray) -> bytes:
    """Encodes uint8 [H, W, 1] as PNG, lossless."""
    return _encode_png(mask[..., 0])


def encode_depth(metres: np.ndarray) -> bytes:
    """Encodes depth as 16-bit PNG in 1/256 metre.

    Known depth is clipped to `NEAREST`..`FARTHEST` and rounded on a log grid of
    256 steps, at most `RELATIVE_ERROR` off: less than any teacher's error, and
    the file is half as large.

    Args:
      metres: float32 [H, W]; 0 is unknown.

    Returns:
      The PNG's bytes.
    """
    return _encode_png16(quantise_depth(metres))


def quantise_depth(metres: np.ndarray) -> np.ndarray:
    """Quantises depth as it is stored: uint16 [..., H, W], 1/256 metre, 0 = unknown."""
    metres = np.asarray(metres, np.float32)
    steps = np.log(np.clip(metres, NEAREST, FARTHEST) / np.float32(NEAREST))
    steps *= np.float32(DEPTH_STEPS / math.log(FARTHEST / NEAREST))
    return np.where(
        metres > 0, _compute_grid()[np.rint(steps).astype(np.int32)], np.uint16(0)
    )


@functools.cache
def _compute_grid() -> np.ndarray:
    """Computes the values of known depth, uint16 [DEPTH_STEPS + 1]."""
    steps = np.arange(DEPTH_STEPS + 1) / DEPTH_STEPS
    metres = NEAREST * (FARTHEST / NEAREST) ** steps
    return np.round(metres * DEPTH_UNITS).astype(np.uint16)


def _encode_png(grey: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _encode_png16(grey: np.ndarray) -> bytes:
    """Encodes uint16 [H, W] without filters.

    Pillow always tries all filters, which takes most of its time. On depth of few
    values, none of them is better than no filter.
    """
    height, width = grey.shape
    rows = np.zeros((height, 1 + 2 * width), np.uint8)  # each begins with filter 0
    rows[:, 1:] = grey.astype(">u2").view(np.uint8)
    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(rows.tobytes(), 4)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
