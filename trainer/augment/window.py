"""Random windows of finished pairs: crops, zooms and flips."""

from __future__ import annotations

import math

import tensorflow as tf

from trainer.augment.draws import draw, split_seed
from trainer.augment.pasting import Scene

NATIVE = 0.5  # probability of a window to be cut and not resized


def cut_windows(
    scene: Scene, size: tuple[int, int], seed, zoom: float, flip: bool
) -> Scene:
    """Cuts a window out of every pair.

    With probability 0.5 a window has the wanted size, pixel for pixel. Otherwise it is
    resized to it, from the whole picture down to a region `zoom` times smaller than
    the window. Depth is divided by the enlargement.

    Args:
      scene: Pairs [n, H, W, c], uint8 or float32.
      size: Height h and width w wanted, at most H and W.
      seed: int32 [2].
      zoom: Maximum enlargement, from 1.
      flip: Whether pairs are mirrored with probability 0.5.

    Returns:
      Pairs float32 [n, h, w, c].
    """
    number, whole = tf.shape(scene.mask)[0], tuple(scene.mask.shape[1:3])
    keys = split_seed(seed, 4)
    minimum = max(side / full for side, full in zip(size, whole, strict=True))
    enlarged = tf.exp(
        draw(keys[0], number, math.log(minimum), math.log(max(zoom, minimum) + 1e-6))
    )[:, 0, 0]
    native = draw(keys[1], number, 0.0, 1.0)[:, 0, 0] < NATIVE
    enlarged = tf.where(native, 1.0, enlarged)  # [n, 1]
    last = tf.constant(whole, tf.float32) - 1.0
    extent = tf.minimum((tf.constant(size, tf.float32) - 1.0) / enlarged, last)
    corner = draw(keys[2], number, 0.0, 1.0, channels=2)[:, 0, 0] * (last - extent)
    corner = tf.where(native, tf.round(corner), corner)
    top, left = tf.unstack(corner / last, axis=1)
    bottom, right = tf.unstack((corner + extent) / last, axis=1)
    mirrored = (draw(keys[3], number)[:, 0, 0, 0] < 0) & flip
    left, right = (
        tf.where(mirrored, right, left),
        tf.where(mirrored, left, right),
    )
    boxes = tf.stack([top, left, bottom, right], 1)

    def cut(pictures, method="bilinear"):
        return tf.image.crop_and_resize(
            pictures, boxes, tf.range(number), size, method=method
        )

    metres = cut(scene.depth, "nearest") / enlarged[:, :, None, None]
    return Scene(
        cut(scene.bg), cut(scene.frame), cut(scene.mask), metres, cut(scene.spread)
    )
