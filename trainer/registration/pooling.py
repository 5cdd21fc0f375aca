"""Means over parts of a picture, and what stands out from them."""

from __future__ import annotations

import tensorflow as tf

LEAST_CONTRAST = 0.02  # what is fainter, such as noise, is not made any stronger


def local_contrast(pictures, window: int):
    """Pictures less their local mean, in local standard deviations.

    Args:
      pictures: float32 [N, H, W, C], 0 to 1.
      window: Side of the square over which mean and deviation are taken, pixels.

    Returns:
      float32 [N, H, W, C], about -3 to 3; faint where the deviation is below
      `LEAST_CONTRAST`.
    """
    change = pictures - blurred(pictures, window)
    variance = blurred(change**2, window)
    return change * tf.math.rsqrt(variance + LEAST_CONTRAST**2)


def blurred(pictures, window: int):
    """Means over a square around each pixel; at the margin over what there is of it.

    Args:
      pictures: float32 [N, H, W, C].
      window: Side of the square, pixels.

    Returns:
      float32 [N, H, W, C].
    """
    rows = tf.nn.avg_pool2d(pictures, (window, 1), 1, "SAME")
    return tf.nn.avg_pool2d(rows, (1, window), 1, "SAME")


def shrink(pictures, size):
    """Means over the areas of larger pixels.

    Where a pixel is cut, by two products with matrices: no device but the CPU
    resizes by areas.

    Args:
      pictures: float32 [N, H, W, C].
      size: Height and width wanted, numbers or scalar tensors.

    Returns:
      float32 [N, *size, C].
    """
    height, width = sides(pictures)
    if all(isinstance(side, int) for side in (height, width, *size)):
        if (height, width) == size:
            return pictures
        if not height % size[0] and not width % size[1]:
            window = (height // size[0], width // size[1])
            return tf.nn.avg_pool2d(pictures, window, window, "VALID")
    rows, columns = _areas(height, size[0]), _areas(width, size[1])
    half = tf.einsum("yh,nhwc->nywc", rows, pictures)
    return tf.einsum("xw,nywc->nyxc", columns, half)


def _areas(fine, coarse):
    """What part of each coarse pixel the fine ones cover, float32 [coarse, fine]."""
    side = tf.cast(fine, tf.float32) / tf.cast(coarse, tf.float32)
    starts = tf.range(tf.cast(coarse, tf.float32))[:, None] * side
    places = tf.range(tf.cast(fine, tf.float32))[None, :]
    covered = tf.minimum(starts + side, places + 1) - tf.maximum(starts, places)
    return tf.maximum(covered, 0) / side


def sides(picture):
    """Height and width: numbers where they are known, else scalar tensors."""
    shape = tf.shape(picture)
    return tuple(picture.shape[axis] or shape[axis] for axis in (1, 2))
