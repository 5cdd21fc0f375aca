"""Brings the colours of a background to those of a frame."""

from __future__ import annotations

import tensorflow as tf

from trainer.registration.least_squares import repeated, scale, solve, weights
from trainer.registration.pooling import shrink

BLOCKS = (28, 28)  # of pixels, whose means are fitted
GAIN = 0.98  # the cost has to fall to this part of what it was, or nothing is changed
LEAST_SCALE = 0.015  # of residuals that count
DAMPING = (2e-5, 2e-5, 1e-4)  # a block, towards no change


def match_colours(bg, frame, steps: int = 4):
    """Fits each colour of a background to a frame by a robust quadratic.

    Iteratively reweighted least squares on the means of 28 x 28 blocks.

    Args:
      bg: float32 [N, H, W, 3], 0 to 1, in its place.
      frame: The same.
      steps: Of reweighting.

    Returns:
      float32 [N, H, W, 3], 0 to 1; the background itself where nothing is gained.
    """
    source, target = shrink(bg, BLOCKS), shrink(frame, BLOCKS)
    change = _fit_tone(source, target, steps)
    before, after = target - source, target - _toned(source, change)
    clip = (3 * scale(after, LEAST_SCALE)) ** 2
    cost = [tf.reduce_sum(tf.minimum(r**2, clip), (1, 2, 3)) for r in (after, before)]
    better = (cost[0] < GAIN * cost[1])[:, None, None, None]
    return tf.where(better, tf.clip_by_value(_toned(bg, change), 0.0, 1.0), bg)


def _fit_tone(source, target, steps: int):
    """The robust quadratic of each channel; one weight for all channels of a pixel.

    Returns:
      float32 [N, 3, C]: what is constant, linear and square.
    """

    def step(tone):
        residual = target - _toned(source, tone)
        trust = weights(residual, LEAST_SCALE)
        change = [
            solve([tf.ones_like(one), one, one**2], trust, rest, DAMPING)
            for one, rest in zip(_channels(source), _channels(residual), strict=True)
        ]
        return tone + tf.stack(change, -1)

    same = tf.zeros_like(source[:, :3, 0]) + tf.constant([[0.0], [1.0], [0.0]])
    return repeated(step, same, steps)


def _channels(picture):
    return tf.split(picture, picture.shape[-1], -1)


def _toned(picture, tone):
    constant, linear, square = (tone[:, i, None, None, :] for i in range(3))
    return constant + picture * (linear + picture * square)
