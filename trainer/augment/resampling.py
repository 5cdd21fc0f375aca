"""Affine resampling of pictures."""

from __future__ import annotations

import tensorflow as tf


def transform(
    pictures, across, down, method: str = "bilinear", fill: str = "constant"
) -> tf.Tensor:
    """Resamples pictures by an affine transform each.

    Args:
      pictures: float32 [n, h, w, C].
      across: Three weights, of column, row and 1, each [n] or a number; their sum is
        the column that each pixel is taken from.
      down: The same for rows.
      method: 'bilinear' or 'nearest'.
      fill: 'constant', for 0 outside of the pictures, or 'wrap'.

    Returns:
      float32 [n, h, w, C].
    """
    zero = tf.zeros(tf.shape(pictures)[:1])
    transforms = tf.stack([zero + weight for weight in (*across, *down, 0.0, 0.0)], -1)
    resampled = tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=transforms,
        output_shape=tf.shape(pictures)[1:3],
        interpolation=method.upper(),
        fill_mode=fill.upper(),
        fill_value=0.0,
    )
    return tf.ensure_shape(resampled, pictures.shape)
