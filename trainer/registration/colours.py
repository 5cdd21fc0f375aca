"""Matches the colours of a background to those of a frame."""

from __future__ import annotations

import tensorflow as tf

from trainer.registration.least_squares import estimate_scale, repeat, solve, weigh
from trainer.registration.pooling import shrink

BLOCKS = (28, 28)  # of pixels; their means are fitted
GAIN = 0.98  # the cost has to fall to this fraction, or nothing is changed
MIN_SCALE = 0.015  # of residuals
DAMPING = (2e-5, 2e-5, 1e-4)  # per block, towards no change


def match_colours(bg, frame, steps: int = 4):
    """Fits each colour of a background to a frame by a robust quadratic.

    Iteratively reweighted least squares on the means of 28 x 28 blocks.

    Args:
      bg: float32 [N, H, W, 3], 0 to 1, in its place.
      frame: The same.
      steps: Number of reweightings.

    Returns:
      float32 [N, H, W, 3], 0 to 1; unchanged where the fit gains nothing.
    """
    source, target = shrink(bg, BLOCKS), shrink(frame, BLOCKS)
    change = _fit_tone(source, target, steps)
    before, after = target - source, target - _apply_tone(source, change)
    clip = (3 * estimate_scale(after, MIN_SCALE)) ** 2
    cost = [tf.reduce_sum(tf.minimum(r**2, clip), (1, 2, 3)) for r in (after, before)]
    better = (cost[0] < GAIN * cost[1])[:, None, None, None]
    return tf.where(better, tf.clip_by_value(_apply_tone(bg, change), 0.0, 1.0), bg)


def _fit_tone(source, target, steps: int):
    """Fits a robust quadratic to each channel, with one weight for each pixel.

    Returns:
      float32 [N, 3, C]: the constant, linear and square coefficients.
    """

    def step(tone):
        residual = target - _apply_tone(source, tone)
        trust = weigh(residual, MIN_SCALE)
        change = [
            solve([tf.ones_like(one), one, one**2], trust, rest, DAMPING)
            for one, rest in zip(
                _split_channels(source), _split_channels(residual), strict=True
            )
        ]
        return tone + tf.stack(change, -1)

    same = tf.zeros_like(source[:, :3, 0]) + tf.constant([[0.0], [1.0], [0.0]])
    return repeat(step, same, steps)


def _split_channels(picture):
    return tf.split(picture, picture.shape[-1], -1)


def _apply_tone(picture, tone):
    constant, linear, square = (tone[:, i, None, None, :] for i in range(3))
    return constant + picture * (linear + picture * square)
