"""Least squares over the pixels of pictures that a minority of them cannot pull."""

from __future__ import annotations

import tensorflow as tf

from trainer.registration.pooling import sides

SAMPLE = 28  # rows and columns, about, that a median is taken of


def solve(columns, weights, residual, damping):
    """Weighted least squares, damped towards no change.

    Args:
      columns: Of the Jacobian, each float32 [N, h, w, 1].
      weights: float32 [N, h, w, 1].
      residual: float32 [N, h, w, 1], what is to be explained.
      damping: Of each column, a pixel.

    Returns:
      float32 [N, columns].
    """
    number = tf.shape(residual)[1] * tf.shape(residual)[2]
    flat = (-1, number)
    jacobian = tf.stack([tf.reshape(column, flat) for column in columns], 1)
    weighted = jacobian * tf.reshape(weights, (-1, 1, number))
    normal = tf.matmul(weighted, jacobian, transpose_b=True)
    # A picture of one colour says nothing of its place: it is left where it is.
    normal += tf.cast(number, tf.float32) * tf.linalg.diag(tf.constant(damping))
    right = tf.matmul(weighted, tf.reshape(residual, (-1, number, 1)))
    return tf.linalg.solve(normal, right)[..., 0]


def weights(residual, least: float):
    """Geman and McClure's weights of residuals.

    Args:
      residual: float32 [N, h, w, C].
      least: See `scale`.

    Returns:
      float32 [N, h, w, 1], 1 for no residual, towards 0 far beyond the scale.
    """
    size = residual**2
    if residual.shape[-1] > 1:
        size = tf.reduce_mean(size, -1, keepdims=True)
    return 1 / (1 + size / scale(tf.sqrt(size), least) ** 2) ** 2


def scale(residual, least: float):
    """What counts as a large residual: twice the median of the absolute ones.

    Args:
      residual: float32 [N, h, w, C].
      least: Is added, for residuals that are 0 nearly everywhere.

    Returns:
      float32 [N, 1, 1, 1].
    """
    rows, _ = sides(residual)
    every = tf.maximum(rows // SAMPLE, 1)
    chosen = tf.abs(residual[:, ::every, ::every])
    values = tf.reshape(chosen, (tf.shape(chosen)[0], -1))
    half = tf.shape(values)[-1] // 2 + 1
    median = tf.math.top_k(values, half).values[:, -1]
    return 2 * median[:, None, None, None] + least


def repeated(step, value, times: int):
    """Calls a function on its own result; a loop in the graph keeps that small.

    Args:
      step: From a tensor to one of its shape and type.
      value: The first.
      times: How often.

    Returns:
      The last.
    """
    return tf.while_loop(
        lambda _: True,
        lambda value: (step(value),),
        (value,),
        maximum_iterations=times,
        shape_invariants=(value.shape,),
    )[0]
