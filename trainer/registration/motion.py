"""Registers a background to a frame of the same camera: its place, then its colours.

A fixed camera shakes, and its exposure and white balance drift. Once both are undone,
the differences that are left are new objects. Nothing here is learned: it is robust
Gauss-Newton from coarse to fine, as in Odobez and Bouthemy 1995,
https://doi.org/10.1006/jvci.1995.1029, with the mean of both pictures' gradients
(Malis 2004, https://doi.org/10.1109/ROBOT.2004.1308036), which converges faster. It
compares local contrasts and not greys, so that light, shadows and exposure are divided
out (Pinto et al. 2008, https://doi.org/10.1371/journal.pcbi.0040027).
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from trainer.registration.colours import match_colours
from trainer.registration.least_squares import estimate_scale, repeat, solve, weigh
from trainer.registration.pooling import compute_local_contrast, get_sides, shrink
from trainer.registration.portability import is_portable

COARSEST, MIDDLE, MAX_ROWS = 28, 56, 256  # shorter sides of the levels
STEPS = (6, 4, 3)  # Gauss-Newton steps of the levels
WINDOWS = (3, 5, 7)  # of local contrast at the levels, pixels
GAIN = 0.98  # the cost has to fall to this fraction, or nothing is changed
MIN_SCALES = (1.0, 1.0, 0.6)  # of residuals at the levels
MIN_CLIPPED = 0.015  # scale of residuals when two places are compared
DAMPING = (1e-6,) * 4  # per pixel, towards no change
LIMIT = 0.08  # of rotation in radians, of zoom, and of shift in halves of a side


@keras.saving.register_keras_serializable("trainer")
class Registration(keras.layers.Layer):
    """A layer that registers a background to a frame.

    It has no weights, works in float32 and lets no gradient through.
    """

    def __init__(self, colours: bool = True, name: str = "registration"):
        """Makes the layer.

        Args:
          colours: Whether colours are matched to those of the frame too.
          name: Name of the layer.
        """
        super().__init__(dtype="float32", trainable=False, name=name)
        self._colours = colours

    def call(self, bg, frame):
        """Registers the backgrounds.

        Args:
          bg: float32 [N, H, W, 3], 0 to 1.
          frame: The same.

        Returns:
          float32 [N, H, W, 3] in 0 to 1, the registered background; float32
          [N, H, W, 1], 1 where it is known from `bg`, 0 outside.
        """
        bg, frame = tf.stop_gradient(bg), tf.stop_gradient(frame)
        moved, inside = move(bg, align(bg, frame))
        if self._colours:
            moved = match_colours(moved, frame)
        return tf.stop_gradient(moved), tf.stop_gradient(inside)

    def compute_output_shape(self, bg_shape, frame_shape):
        """Computes the shapes of both results."""
        return tuple(bg_shape), (*bg_shape[:3], 1)


def align(bg, frame):
    """Finds rotation, zoom and shift that bring a background onto a frame.

    Args:
      bg: float32 [N, H, W, 3], 0 to 1.
      frame: The same.

    Returns:
      float32 [N, 4]: the point z = x + iy of the frame, from its middle and in halves
      of its longer side, is (a + ib) z + (c + id) in the background; a, b, c, d.
      Exactly 1, 0, 0, 0 where moving does not lower the cost.
    """
    still = tf.tile(tf.constant([[1.0, 0.0, 0.0, 0.0]]), [tf.shape(frame)[0], 1])
    grey = [tf.reduce_mean(picture, -1, keepdims=True) for picture in (frame, bg)]
    levels = [
        tf.split(compute_local_contrast(level, window), 2, -1)
        for level, window in zip(
            _make_levels(tf.concat(grey, -1)), WINDOWS, strict=True
        )
    ]
    motion = still
    for (target, source), steps, min_scale in zip(
        levels, STEPS, MIN_SCALES, strict=True
    ):
        step = functools.partial(_take_step, source, target, min_scale)
        motion = repeat(step, motion, steps)
    target, source = levels[-1]
    moved, inside = move(source, motion)
    residual = target - moved
    clip = (3 * estimate_scale(residual, MIN_CLIPPED)) ** 2
    cost = [
        tf.reduce_sum(inside * tf.minimum(r**2, clip), (1, 2, 3))
        for r in (residual, target - source)
    ]
    better = cost[0] < GAIN * cost[1]
    return tf.where(better[:, None], motion, still)


def move(pictures, motion):
    """Resamples pictures by a motion.

    Args:
      pictures: float32 [N, H, W, C].
      motion: float32 [N, 4], as `align` gives it.

    Returns:
      The pictures, float32 [N, H, W, C], their margin repeated where the frame shows
      more; and float32 [N, H, W, 1], 0 there and 1 elsewhere.
    """
    rows, columns = get_sides(pictures)
    x, y, unit = _locate_pixels(pictures)
    a, b, c, d = tf.unstack(motion, axis=-1)
    middle_x, middle_y = (_to_float(columns) - 1) / 2, (_to_float(rows) - 1) / 2
    left = middle_x - a * middle_x + b * middle_y + c / unit
    top = middle_y - b * middle_x - a * middle_y + d / unit
    if is_portable():
        moved = _gather(pictures, a, b, left, top)
    else:
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
    across = tf.abs(a * x - b * y + c) <= _to_float(columns) * unit / 2
    along = tf.abs(b * x + a * y + d) <= _to_float(rows) * unit / 2
    return tf.ensure_shape(moved, pictures.shape), _to_float(across & along)


def _gather(pictures, a, b, left, top):
    """Resamples as `ImageProjectiveTransformV3` does, by gathering four neighbours."""
    rows, columns = get_sides(pictures)
    a, b, left, top = (value[:, None, None] for value in (a, b, left, top))
    x = _to_float(tf.range(columns))[None, None, :]
    y = _to_float(tf.range(rows))[None, :, None]
    across = a * x - b * y + left  # [N, H, W], columns of the pictures
    along = b * x + a * y + top
    first_x, first_y = tf.floor(across), tf.floor(along)
    share_x, share_y = (across - first_x)[..., None], (along - first_y)[..., None]
    last_x, last_y = _to_float(columns - 1), _to_float(rows - 1)
    channels = pictures.shape[-1]
    flat = tf.reshape(pictures, (-1, rows * columns, channels))

    def look_up(x, y):
        x = tf.cast(tf.clip_by_value(x, 0.0, last_x), tf.int32)
        y = tf.cast(tf.clip_by_value(y, 0.0, last_y), tf.int32)
        places = tf.reshape(y * columns + x, (-1, rows * columns))
        found = tf.gather(flat, places, batch_dims=1)
        return tf.reshape(found, (-1, rows, columns, channels))

    upper = (1 - share_x) * look_up(first_x, first_y)
    upper += share_x * look_up(first_x + 1, first_y)
    lower = (1 - share_x) * look_up(first_x, first_y + 1)
    lower += share_x * look_up(first_x + 1, first_y + 1)
    return (1 - share_y) * upper + share_y * lower


def _make_levels(pair):
    """Resizes pictures to the levels, from `COARSEST` to half their own size."""
    height, width = get_sides(pair)
    known = isinstance(height, int) and isinstance(width, int)
    smaller = min if known else tf.minimum

    shorter = smaller(height, width)

    def size(rows):
        return tuple(
            (side * rows + shorter // 2) // shorter for side in (height, width)
        )

    finest = smaller((shorter + 1) // 2, MAX_ROWS)
    last = shrink(pair, size(finest))
    return [*(shrink(last, size(smaller(finest, s))) for s in (COARSEST, MIDDLE)), last]


def _take_step(source, target, min_scale, motion):
    """Takes one Gauss-Newton step for rotation, zoom and shift."""
    moved, inside = move(source, motion)
    residual = target - moved  # [N, h, w, 1]
    trust = inside * weigh(residual, min_scale)
    x, y, unit = _locate_pixels(source)
    across, along = _compute_gradients((moved + target) / (2 * unit))
    columns = [x * across + y * along, x * along - y * across, across, along]
    change = solve(columns, trust, residual, DAMPING)
    zoom, rotation, right, down = tf.unstack(change, axis=-1)
    a, b, c, d = tf.unstack(motion, axis=-1)
    # (a + ib) ((1 + zoom + i rotation) z + right + i down) + (c + id)
    return tf.stack(
        [
            tf.clip_by_value(a + a * zoom - b * rotation, 1 - LIMIT, 1 + LIMIT),
            tf.clip_by_value(b + a * rotation + b * zoom, -LIMIT, LIMIT),
            tf.clip_by_value(c + a * right - b * down, -2 * LIMIT, 2 * LIMIT),
            tf.clip_by_value(d + a * down + b * right, -2 * LIMIT, 2 * LIMIT),
        ],
        -1,
    )


def _compute_gradients(picture):
    """Computes central differences over columns and rows, [N, h, w, 1] each."""
    wide = tf.pad(picture, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    across = (wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]) / 2
    return across, (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]) / 2


def _locate_pixels(picture):
    """Computes where pixels lie, from the middle, in halves of the longer side.

    Returns:
      float32 [1, 1, w, 1] and [1, h, 1, 1], and the side of a pixel.
    """
    rows, columns = (_to_float(side) for side in get_sides(picture))
    unit = 2 / tf.maximum(rows, columns)
    x = (tf.range(columns) - (columns - 1) / 2) * unit
    y = (tf.range(rows) - (rows - 1) / 2) * unit
    return x[None, None, :, None], y[None, :, None, None], unit


def _to_float(value):
    return tf.cast(value, tf.float32)
