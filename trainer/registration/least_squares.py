"""Robust least squares over the pixels of pictures: a minority cannot pull the fit."""

from __future__ import annotations

import tensorflow as tf

from trainer.registration.pooling import get_sides
from trainer.registration.portability import is_portable

SAMPLE = 28  # rows and columns, approximately, that a median is taken of


def solve(columns, weights, residual, damping):
    """Solves weighted least squares, damped towards no change.

    Args:
      columns: Columns of the Jacobian, each float32 [N, h, w, 1].
      weights: float32 [N, h, w, 1].
      residual: float32 [N, h, w, 1].
      damping: Damping of each column, per pixel.

    Returns:
      float32 [N, columns].
    """
    number = tf.shape(residual)[1] * tf.shape(residual)[2]
    flat = (-1, number)
    jacobian = tf.stack([tf.reshape(column, flat) for column in columns], 1)
    weighted = jacobian * tf.reshape(weights, (-1, 1, number))
    normal = tf.matmul(weighted, jacobian, transpose_b=True)
    # A picture of one colour does not determine its place: it stays where it is.
    normal += tf.cast(number, tf.float32) * tf.linalg.diag(tf.constant(damping))
    right = tf.matmul(weighted, tf.reshape(residual, (-1, number, 1)))
    if is_portable():
        return _eliminate(normal, right[..., 0], len(columns))
    return tf.linalg.solve(normal, right)[..., 0]


def _eliminate(normal, right, size: int):
    """Solves by Gauss's elimination; normal equations need no pivots.

    Args:
      normal: float32 [N, size, size], positive definite.
      right: float32 [N, size].
      size: Number of unknowns.

    Returns:
      float32 [N, size].
    """
    rows = [[normal[:, i, j] for j in range(size)] for i in range(size)]
    values = [right[:, i] for i in range(size)]
    for top in range(size):
        for below in range(top + 1, size):
            factor = rows[below][top] / rows[top][top]
            values[below] -= factor * values[top]
            for column in range(top, size):
                rows[below][column] -= factor * rows[top][column]
    found = [None] * size
    for row in reversed(range(size)):
        rest = sum(rows[row][j] * found[j] for j in range(row + 1, size))
        found[row] = (values[row] - rest) / rows[row][row]
    return tf.stack(found, -1)


def weigh(residual, min_scale: float):
    """Weighs residuals as Geman and McClure do.

    Args:
      residual: float32 [N, h, w, C].
      min_scale: See `estimate_scale`.

    Returns:
      float32 [N, h, w, 1], 1 for no residual, towards 0 far beyond the scale.
    """
    size = residual**2
    if residual.shape[-1] > 1:
        size = tf.reduce_mean(size, -1, keepdims=True)
    return 1 / (1 + size / estimate_scale(tf.sqrt(size), min_scale) ** 2) ** 2


def estimate_scale(residual, min_scale: float):
    """Estimates the scale of residuals: twice the median of their absolute values.

    Args:
      residual: float32 [N, h, w, C].
      min_scale: Is added, for residuals that are 0 nearly everywhere.

    Returns:
      float32 [N, 1, 1, 1].
    """
    rows, _ = get_sides(residual)
    every = tf.maximum(rows // SAMPLE, 1)
    chosen = tf.abs(residual[:, ::every, ::every])
    values = tf.reshape(chosen, (tf.shape(chosen)[0], -1))
    half = tf.shape(values)[-1] // 2 + 1
    median = tf.math.top_k(values, half).values[:, -1]
    return 2 * median[:, None, None, None] + min_scale


def repeat(step, value, times: int):
    """Calls a function repeatedly on its own result, by a loop in the graph.

    A portable graph holds the calls one after the other.

    Args:
      step: From a tensor to one of its shape and type.
      value: The first value.
      times: Number of calls.

    Returns:
      The last value.
    """
    if is_portable():
        for _ in range(times):
            value = step(value)
        return value
    return tf.while_loop(
        lambda _: True,
        lambda value: (step(value),),
        (value,),
        maximum_iterations=times,
        shape_invariants=(value.shape,),
    )[0]
