"""Random numbers for a batch, drawn for each picture from a seed alone."""

from __future__ import annotations

import tensorflow as tf


def draw(seed, number, low: float = -1.0, high: float = 1.0, channels: int = 1):
    """Draws uniform numbers that broadcast over pictures.

    Args:
      seed: int32 [2].
      number: n, the number of pictures.
      low: Lower bound.
      high: Upper bound.
      channels: Numbers for each picture.

    Returns:
      float32 [n, 1, 1, channels].
    """
    return tf.random.stateless_uniform([number, 1, 1, channels], seed, low, high)


def draw_field(seed, number, cells: tuple[int, int], size, channels: int = 1):
    """Draws smooth random surfaces: normal noise on a coarse grid, enlarged.

    Args:
      seed: int32 [2].
      number: n, the number of pictures.
      cells: Rows and columns of the coarse grid.
      size: Height h and width w.
      channels: Surfaces for each picture.

    Returns:
      float32 [n, h, w, channels], of about unit variance at the grid's points.
    """
    coarse = tf.random.stateless_normal([number, *cells, channels], seed)
    return tf.image.resize(coarse, size, "bicubic")


def split_seed(seed, number: int) -> list:
    """Splits a seed into a number of independent ones."""
    return tf.unstack(tf.random.split(seed, number))


def as_column(strength) -> tf.Tensor:
    """Reshapes strengths, float32 [n] or [], to [n, 1, 1, 1]."""
    return tf.reshape(tf.cast(strength, tf.float32), [-1, 1, 1, 1])
