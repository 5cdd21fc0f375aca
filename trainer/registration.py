"""Brings a background onto a frame of the same camera: its place, then its colours.

A fixed camera shakes, its exposure and white balance wander. What is left between the
pictures after both are undone is what is new. Nothing here is learned: robust
Gauss-Newton on grey pictures from coarse to fine, as in Odobez and Bouthemy 1995,
https://doi.org/10.1006/jvci.1995.1029, with the mean of both pictures' gradients
(Malis 2004, https://doi.org/10.1109/ROBOT.2004.1308036), which converges faster.
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

COARSEST, MIDDLE, MOST_ROWS = 28, 56, 256  # short sides of the levels
STEPS = (6, 4, 3)  # Gauss-Newton steps of the levels
GAIN = 0.98  # a cost has to fall to this part of what it was, or nothing is changed
LEAST_SCALES = (0.06, 0.03, 0.015)  # of residuals that count, of the levels
MOTION_DAMPING = (1e-6,) * 4  # a pixel, towards the step that changes nothing
TONE_DAMPING = (2e-5, 2e-5, 1e-4)
LIMIT = 0.08  # greatest turn in radians, zoom, and shift as a part of half a side


@keras.saving.register_keras_serializable("trainer")
class Registration(keras.layers.Layer):
    """The layer: background and frame in, the background as the frame would show it.

    It has no weights, works in float32 and lets no gradient through.
    """

    def __init__(self, name: str = "registration"):
        """Makes the layer.

        Args:
          name: Its name.
        """
        super().__init__(dtype="float32", trainable=False, name=name)

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
        return tf.stop_gradient(match_colours(moved, frame)), tf.stop_gradient(inside)

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
    motion, tone = still, None
    levels = _levels(tf.concat(grey, -1))
    for level, steps, least in zip(levels, STEPS, LEAST_SCALES, strict=True):
        target, source = level[..., :1], level[..., 1:]
        if tone is None:
            tone = _fit_tone(source, target, None, 3)
        step = functools.partial(_step, source, target, least)
        motion, tone = _repeated(step, (motion, tone), steps)
    moved, inside = move(source, motion)
    residual = target - _toned(moved, tone)
    before = target - _toned(source, _fit_tone(source, target, tone, 2))
    clip = (3 * _scale(residual)) ** 2
    cost = [
        tf.reduce_sum(inside * tf.minimum(r**2, clip), (1, 2, 3))
        for r in (residual, before)
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
    rows, columns = _sides(pictures)
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
    blocks = (COARSEST, COARSEST)
    source, target = _shrink(bg, blocks), _shrink(frame, blocks)
    change = _fit_tone(source, target, None, steps)
    before, after = target - source, target - _toned(source, change)
    clip = (3 * _scale(after)) ** 2
    cost = [tf.reduce_sum(tf.minimum(r**2, clip), (1, 2, 3)) for r in (after, before)]
    better = (cost[0] < GAIN * cost[1])[:, None, None, None]
    return tf.where(better, tf.clip_by_value(_toned(bg, change), 0.0, 1.0), bg)


def _levels(pair):
    """The pictures at growing sizes, from `COARSEST` to half their own."""
    height, width = _sides(pair)
    known = isinstance(height, int) and isinstance(width, int)
    least = min if known else tf.minimum

    shorter = least(height, width)

    def size(rows):
        sides = (height, width)
        return tuple((side * rows + shorter // 2) // shorter for side in sides)

    finest = least((shorter + 1) // 2, MOST_ROWS)
    last = _shrink(pair, size(finest))
    return [*(_shrink(last, size(least(finest, s))) for s in (COARSEST, MIDDLE)), last]


def _step(source, target, least, motion, tone):
    """One Gauss-Newton step for turn, zoom, shift and the quadratic of grey."""
    moved, inside = move(source, motion)
    toned = _toned(moved, tone)
    residual = target - toned  # [N, h, w, 1]
    weights = inside * _weights(residual, least)
    x, y, unit = _places(source)
    across, along = _gradients((toned + target) / (2 * unit))
    columns = [
        x * across + y * along, x * along - y * across, across, along,
        tf.ones_like(moved), moved, moved**2,
    ]  # fmt: skip
    change = _solve(columns, weights, residual, MOTION_DAMPING + TONE_DAMPING)
    zoom, turn, right, down = tf.unstack(change[:, :4], axis=-1)
    a, b, c, d = tf.unstack(motion, axis=-1)
    # (a + ib) ((1 + zoom + i turn) z + right + i down) + (c + id)
    motion = tf.stack(
        [
            tf.clip_by_value(a + a * zoom - b * turn, 1 - LIMIT, 1 + LIMIT),
            tf.clip_by_value(b + a * turn + b * zoom, -LIMIT, LIMIT),
            tf.clip_by_value(c + a * right - b * down, -2 * LIMIT, 2 * LIMIT),
            tf.clip_by_value(d + a * down + b * right, -2 * LIMIT, 2 * LIMIT),
        ],
        -1,
    )
    return motion, tone + change[:, 4:, None]


def _fit_tone(source, target, tone, steps: int):
    """The robust quadratic of each channel; one weight for all channels of a pixel.

    Returns:
      float32 [N, 3, C]: what is constant, linear and square.
    """
    if tone is None:
        tone = tf.zeros_like(source[:, :3, 0]) + tf.constant([[0.0], [1.0], [0.0]])

    def step(tone):
        residual = target - _toned(source, tone)
        weights = _weights(residual)
        change = [
            _solve([tf.ones_like(one), one, one**2], weights, rest, TONE_DAMPING)
            for one, rest in zip(_channels(source), _channels(residual), strict=True)
        ]
        return (tone + tf.stack(change, -1),)

    return _repeated(step, (tone,), steps)[0]


def _channels(picture):
    return tf.split(picture, picture.shape[-1], -1)


def _repeated(step, values, times: int):
    """Calls a function on its own results; a loop in the graph keeps that small."""
    return tf.while_loop(
        lambda *_: True,
        step,
        values,
        maximum_iterations=times,
        shape_invariants=tuple(value.shape for value in values),
    )


def _solve(columns, weights, residual, damping):
    """Weighted least squares, damped towards no change: float32 [N, columns]."""
    number = tf.shape(residual)[1] * tf.shape(residual)[2]
    flat = (-1, number)
    jacobian = tf.stack([tf.reshape(column, flat) for column in columns], 1)
    weighted = jacobian * tf.reshape(weights, (-1, 1, number))
    normal = tf.matmul(weighted, jacobian, transpose_b=True)
    # A picture of one colour says nothing of its place: it is left where it is.
    normal += _float(number) * tf.linalg.diag(tf.constant(damping))
    right = tf.matmul(weighted, tf.reshape(residual, (-1, number, 1)))
    return tf.linalg.solve(normal, right)[..., 0]


def _toned(picture, tone):
    constant, linear, square = (tone[:, i, None, None, :] for i in range(3))
    return constant + picture * (linear + picture * square)


def _weights(residual, least: float = LEAST_SCALES[-1]):
    """Geman and McClure's weights, [N, h, w, C] to [N, h, w, 1]."""
    size = residual**2
    if residual.shape[-1] > 1:
        size = tf.reduce_mean(size, -1, keepdims=True)
    return 1 / (1 + size / _scale(tf.sqrt(size), least) ** 2) ** 2


def _scale(residual, least: float = LEAST_SCALES[-1]):
    """Twice the median of the absolute residual, and a little: [N, 1, 1, 1]."""
    rows, _ = _sides(residual)
    every = tf.maximum(rows // COARSEST, 1)
    chosen = tf.abs(residual[:, ::every, ::every])
    values = tf.reshape(chosen, (tf.shape(chosen)[0], -1))
    half = tf.shape(values)[-1] // 2 + 1
    median = tf.math.top_k(values, half).values[:, -1]
    return 2 * median[:, None, None, None] + least


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
    rows, columns = (_float(side) for side in _sides(picture))
    unit = 2 / tf.maximum(rows, columns)
    x = (tf.range(columns) - (columns - 1) / 2) * unit
    y = (tf.range(rows) - (rows - 1) / 2) * unit
    return x[None, None, :, None], y[None, :, None, None], unit


def _shrink(pictures, size):
    """Means over the areas of larger pixels, [N, H, W, C] to [N, *size, C].

    Where a pixel is cut, by two products with matrices: no device but the CPU
    resizes by areas.
    """
    height, width = _sides(pictures)
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
    side = _float(fine) / _float(coarse)
    starts = tf.range(_float(coarse))[:, None] * side
    places = tf.range(_float(fine))[None, :]
    covered = tf.minimum(starts + side, places + 1) - tf.maximum(starts, places)
    return tf.maximum(covered, 0) / side


def _sides(picture):
    """Height and width: numbers where they are known, else scalar tensors."""
    shape = tf.shape(picture)
    return tuple(picture.shape[axis] or shape[axis] for axis in (1, 2))


def _float(value):
    return tf.cast(value, tf.float32)
