"""Crops, mirror images and colours of the scenes that the embedded teacher learns."""

from __future__ import annotations

import numpy as np


def augment(images, logs, boxes, gains, side: int):
    """Crops, mirrors and recolours a batch.

    Args:
      images: uint8 [N, S, S, 3].
      logs: float16 [N, S, S].
      boxes: float32 [N, 4], crops as top, left, bottom, right in 0 .. 1; left and
        right change places to mirror.
      gains: float32 [N, 5], gains of the three channels, offset, saturation.
      side: Side of the network's input.

    Returns:
      float32 [N, side, side, 3] and float32 [N, side / 2, side / 2].
    """
    import tensorflow as tf

    order = tf.range(tf.shape(images)[0])
    pictures = tf.image.crop_and_resize(
        tf.cast(images, tf.float32), boxes, order, (side, side)
    )
    half = side // 2
    truth = tf.image.crop_and_resize(
        tf.cast(logs, tf.float32)[..., None], boxes, order, (half, half), "nearest"
    )[..., 0]
    grey = tf.reduce_mean(pictures, -1, keepdims=True)
    pictures = grey + (pictures - grey) * gains[:, None, None, 4:]
    pictures = pictures * gains[:, None, None, :3] + gains[:, None, None, 3:4]
    return tf.clip_by_value(pictures, 0.0, 255.0), truth


def draw_augmentation(rng: np.random.Generator, count: int):
    """Draws the changes of a batch.

    Args:
      rng: Source of random numbers.
      count: N, the number of its pictures.

    Returns:
      `boxes`, float32 [N, 4], and `gains`, float32 [N, 5], as `augment` takes them, and
      `rows`, float32 [N], 1 where the network is given the place of rows, else 0.
    """
    extent = rng.uniform(0.7, 1.0, (count, 2))
    extent[rng.random(count) < 0.3] = 1.0
    corner = rng.random((count, 2)) * (1 - extent)
    boxes = np.concatenate([corner, corner + extent], 1)
    mirrored = rng.random(count) < 0.5
    boxes[mirrored] = boxes[mirrored][:, [0, 3, 2, 1]]
    gains = np.exp(rng.normal(0, 0.06, (count, 5)))
    gains[:, :3] *= np.exp(rng.normal(0, 0.12, (count, 1)))
    gains[:, 3] = rng.normal(0, 8, count)
    gains[:, 4] = rng.uniform(0.5, 1.2, count)
    rows = (rng.random(count) >= 0.3).astype(np.float32)
    return boxes.astype(np.float32), gains.astype(np.float32), rows


def change_nothing(count: int):
    """Makes the `boxes` and `gains` of `draw_augmentation` that change nothing."""
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (count, 1))
    return boxes, np.tile(np.array([1, 1, 1, 0, 1], np.float32), (count, 1))


def crop(maps, boxes, side: int):
    """Crops and mirrors maps, bilinearly.

    Args:
      maps: float32 [N, S, S, C].
      boxes: float32 [N, 4], as `augment` takes them.
      side: Side of the result.

    Returns:
      float32 [N, side, side, C].
    """
    import tensorflow as tf

    return tf.image.crop_and_resize(
        maps, boxes, tf.range(tf.shape(maps)[0]), (side,) * 2
    )
