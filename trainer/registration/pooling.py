"""Means over regions of a picture, and its contrast with them."""

from __future__ import annotations

import tensorflow as tf

from trainer.windows import compute_mean

MIN_CONTRAST = 0.02  # fainter contrast, such as noise, is not amplified


def compute_local_contrast(pictures, window: int):
    """Subtracts the local mean and divides by the local standard deviation.

    Args:
      pictures: float32 [N, H, W, C], 0 to 1.
      window: Side of the square of mean and deviation, pixels.

    Returns:
      float32 [N, H, W, C], about -3 to 3; faint where the deviation is below
      `MIN_CONTRAST`.
    """
    change = pictures - compute_mean(pictures, window)
    variance = compute_mean(change**2, window)
    return change * tf.math.rsqrt(variance + MIN_CONTRAST**2)


def shrink(pictures, size):
    """Averages over the areas of larger pixels.

    Where areas cut pixels, it multiplies by two matrices, since only CPUs can resize
    by areas.

    Args:
      pictures: float32 [N, H, W, C].
      size: Height and width of the result, numbers or scalar tensors.

    Returns:
      float32 [N, *size, C].
    """
    height, width = get_sides(pictures)
    if all(isinstance(side, int) for side in (height, width, *size)):
        if (height, width) == size:
            return pictures
        if not height % size[0] and not width % size[1]:
            window = (height // size[0], width // size[1])
            return tf.nn.avg_pool2d(pictures, window, window, "VALID")
    rows, columns = _cover_areas(height, size[0]), _cover_areas(width, size[1])
    half = tf.einsum("yh,nhwc->nywc", rows, pictures)
    return tf.einsum("xw,nywc->nyxc", columns, half)


def _cover_areas(fine, coarse):
    """Computes the fractions of coarse pixels that fine ones cover, [coarse, fine]."""
    side = tf.cast(fine, tf.float32) / tf.cast(coarse, tf.float32)
    starts = tf.range(tf.cast(coarse, tf.float32))[:, None] * side
    places = tf.range(tf.cast(fine, tf.float32))[None, :]
    covered = tf.minimum(starts + side, places + 1) - tf.maximum(starts, places)
    return tf.maximum(covered, 0) / side


def get_sides(picture):
    """Returns height and width: numbers where they are known, else scalar tensors."""
    shape = tf.shape(picture)
    return tuple(picture.shape[axis] or shape[axis] for axis in (1, 2))
