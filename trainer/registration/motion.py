"""Brings a background onto a frame of the same camera: its place, then its colours.

A fixed camera shakes, its exposure and white balance wander. What is left between the
pictures after both are undone is what is new. Nothing here is learned: robust
Gauss-Newton from coarse to fine, as in Odobez and Bouthemy 1995,
https://doi.org/10.1006/jvci.1995.1029, with the mean of both pictures' gradients
(Malis 2004, https://doi.org/10.1109/ROBOT.2004.1308036), which converges faster. It
compares contrasts, not greys: what light, shadows and exposure do to a few pixels
around is divided out before (Pinto et al. 2008,
https://doi.org/10.1371/journal.pcbi.0040027).
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from trainer.registration.colours import match_colours
from trainer.registration.least_squares import repeated, scale, solve, weights
from trainer.registration.pooling import local_contrast, shrink, sides

COARSEST, MIDDLE, MOST_ROWS = 28, 56, 256  # short sides of the levels
STEPS = (6, 4, 3)  # Gauss-Newton steps of the levels
WINDOWS = (3, 5, 7)  # pixels over which contrast is local, of the levels
GAIN = 0.98  # a cost has to fall to this part of what it was, or nothing is changed
LEAST_SCALES = (1.0, 1.0, 0.6)  # of residuals that count, of the levels
LEAST_CLIPPED = 0.015  # of residuals that count when two places are compared
DAMPING = (1e-6,) * 4  # a pixel, towards the step that changes nothing
LIMIT = 0.08  # greatest turn in radians, zoom, and shift as a part of half a side


@keras.saving.register_keras_serializable("trainer")
class Registration(keras.layers.Layer):
    """The layer: background and frame in, the background as the frame would show it.

    It has no weights, works in float32 and lets no gradient through.
    """

    def __init__(self, colours: bool = True, name: str = "registration"):
        """Makes the layer.

        Args:
          colours: Whether colours are brought to those of the frame too.
          name: Its name.
        """
        super().__init__(dtype="float32", trainable=False, name=name)
        self._colours = colours

    def call(self, bg, frame):
        """Registers the backgrounds.

        Args:
          bg: float32 [N, H, W, 3], 0 to 1.
          frame: The same.

        Returns:
          float32 [N, H, W, 3] in 0 to 1, the background registered; float32
          [N, H, W, 1], 1 where it shows what was in `bg`, 0 outside of it.
        """
        bg, frame = tf.stop_gradient(bg), tf.stop_gradient(frame)
        moved, inside = move(bg, align(bg, frame))
        if self._colours:
            moved = match_colours(moved, frame)
        return tf.stop_gradient(moved), tf.stop_gradient(inside)

    def compute_output_shape(self, bg_shape, frame_shape):
        """Shapes of both results."""
        return tuple(bg_shape), (*bg_shape[:3], 1)


def align(bg, frame):
    """Finds turn, zoom and shift that bring a background onto a frame.

    Args:
      bg: float32 [N, H, W, 3], 0 to 1.
      frame: The same.

    Returns:
      float32 [N, 4]: the point z = x + iy of the frame, from its middle and in halves
      of its longer side, is (a + ib) z + (c + id) in the background; a, b, c, d.
      Exactly 1, 0, 0, 0 where moving does not help.
    """
    still = tf.tile(tf.constant([[1.0, 0.0, 0.0, 0.0]]), [tf.shape(frame)[0], 1])
    grey = [tf.reduce_mean(picture, -1, keepdims=True) for picture in (frame, bg)]
    motion = still
    for level, steps, window, least in zip(
        _levels(tf.concat(grey, -1)), STEPS, WINDOWS, LEAST_SCALES, strict=True
    ):
        target, source = tf.split(local_contrast(level, window), 2, -1)
        step = functools.partial(_step, source, target, least)
        motion = repeated(step, motion, steps)
    moved, inside = move(source, motion)
    residual = target - moved
    clip = (3 * scale(residual, LEAST_CLIPPED)) ** 2
    cost = [
        tf.reduce_sum(inside * tf.minimum(r**2, clip), (1, 2, 3))
        for r in (residual, target - source)
    ]
    better = cost[0] < GAIN * cost[1]
    return tf.where(better[:, None], motion, still)


def move(pictures, motion):
    """Shows pictures as a frame would that is moved against them.

    Args:
      pictures: float32 [N, H, W, C].
      motion: float32 [N, 4], as `align` gives it.

    Returns:
      The pictures, float32 [N, H, W, C], their margin repeated where the frame shows
      more, and float32 [N, H, W, 1], 0 there and 1 elsewhere.
    """
    rows, columns = sides(pictures)
    x, y, unit = _places(pictures)
    a, b, c, d = tf.unstack(motion, axis=-1)
    middle_x, middle_y = (_float(columns) - 1) / 2, (_float(rows) - 1) / 2
    left = middle_x - a * middle_x + b * middle_y + c / unit
    top = middle_y - b * middle_x - a * middle_y + d / unit
    zeros = tf.zeros_like(a)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=tf.stack([a, -b, left, b, a, top, zeros, zeros], -1),
        output_shape=tf.stack([rows, columns]),
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
    a, b, c, d = (value[:, None, None, None] for value in (a, b, c, d))
    across = tf.abs(a * x - b * y + c) <= _float(columns) * unit / 2
    along = tf.abs(b * x + a * y + d) <= _float(rows) * unit / 2
    return tf.ensure_shape(moved, pictures.shape), _float(across & along)


def _levels(pair):
    """The pictures at growing sizes, from `COARSEST` to half their own."""
    height, width = sides(pair)
    known = isinstance(height, int) and isinstance(width, int)
    least = min if known else tf.minimum

    shorter = least(height, width)

    def size(rows):
        return tuple(
            (side * rows + shorter // 2) // shorter for side in (height, width)
        )

    finest = least((shorter + 1) // 2, MOST_ROWS)
    last = shrink(pair, size(finest))
    return [*(shrink(last, size(least(finest, s))) for s in (COARSEST, MIDDLE)), last]


def _step(source, target, least, motion):
    """One Gauss-Newton step for turn, zoom and shift."""
    moved, inside = move(source, motion)
    residual = target - moved  # [N, h, w, 1]
    trust = inside * weights(residual, least)
    x, y, unit = _places(source)
    across, along = _gradients((moved + target) / (2 * unit))
    columns = [x * across + y * along, x * along - y * across, across, along]
    change = solve(columns, trust, residual, DAMPING)
    zoom, turn, right, down = tf.unstack(change, axis=-1)
    a, b, c, d = tf.unstack(motion, axis=-1)
    # (a + ib) ((1 + zoom + i turn) z + right + i down) + (c + id)
    return tf.stack(
        [
            tf.clip_by_value(a + a * zoom - b * turn, 1 - LIMIT, 1 + LIMIT),
            tf.clip_by_value(b + a * turn + b * zoom, -LIMIT, LIMIT),
            tf.clip_by_value(c + a * right - b * down, -2 * LIMIT, 2 * LIMIT),
            tf.clip_by_value(d + a * down + b * right, -2 * LIMIT, 2 * LIMIT),
        ],
        -1,
    )


def _gradients(picture):
    """Central differences over columns and rows, [N, h, w, 1] each."""
    wide = tf.pad(picture, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    across = (wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]) / 2
    return across, (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]) / 2


def _places(picture):
    """Where pixels lie, from the middle, in halves of the longer side.

    Returns:
      float32 [1, 1, w, 1] and [1, h, 1, 1], and the side of a pixel.
    """
    rows, columns = (_float(side) for side in sides(picture))
    unit = 2 / tf.maximum(rows, columns)
    x = (tf.range(columns) - (columns - 1) / 2) * unit
    y = (tf.range(rows) - (rows - 1) / 2) * unit
    return x[None, None, :, None], y[None, :, None, None], unit


def _float(value):
    return tf.cast(value, tf.float32)
