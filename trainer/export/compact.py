"""Answers as picture files, a thirtieth of the same as JSON numbers."""

from __future__ import annotations

import tensorflow as tf

from trainer.contract import DEPTH_UNITS, MAX_ALPHA, PROBABILITY_THRESHOLD

_COMPRESSION = 1  # quick
# Depth is rounded to steps of powers of two, half of one at most 1/256 of the depth:
# the labels that networks learn from are rounded to 1/100, and files are a third
# smaller.
_FINEST = 128

# What is answered for each pair.
SPEC = {
    "mask_bytes": tf.TensorSpec([], tf.string),
    "depth_bytes": tf.TensorSpec([], tf.string),
    "height": tf.TensorSpec([], tf.int32),
    "width": tf.TensorSpec([], tf.int32),
    "area": tf.TensorSpec([], tf.int32),
    "box": tf.TensorSpec([4], tf.int32),
}


def compress_answer(mask: tf.Tensor, depth: tf.Tensor) -> dict[str, tf.Tensor]:
    """Rounds an answer and encodes it, as the files of `trainer.predict` hold it.

    Args:
      mask: float32 [H, W, 1], 0 to 1.
      depth: float32 [H, W, 1], metres.

    Returns:
      'mask_bytes': string [], PNG of 8 bits, 255 is certainly new.
      'depth_bytes': string [], PNG of 16 bits, in 1/256 m, from 1 to 65535, at most
        0.4 % of the depth off by rounding.
      'height', 'width': int32 [], pixels of both.
      'area': int32 [], number of pixels that are new, with a mask of 0.5 or more.
      'box': int32 [4], left, top, width and height of the smallest box around all of
        these; zeros where nothing is new.
    """
    alpha = tf.round(tf.clip_by_value(mask, 0.0, 1.0) * MAX_ALPHA)
    units = _round_coarsely(depth * DEPTH_UNITS)
    units = tf.clip_by_value(units, 1.0, float(tf.uint16.max))  # 0 would be unknown
    new = mask[..., 0] >= PROBABILITY_THRESHOLD
    rows, columns = (tf.where(tf.reduce_any(new, axis))[:, 0] for axis in (1, 0))
    box = tf.cond(
        tf.size(rows) > 0,
        lambda: tf.stack(
            [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
        ),
        lambda: tf.zeros([4], tf.int64),
    )
    shape = tf.shape(mask)
    return {
        "mask_bytes": tf.io.encode_png(tf.cast(alpha, tf.uint8), _COMPRESSION),
        "depth_bytes": tf.io.encode_png(tf.cast(units, tf.uint16), _COMPRESSION),
        "height": shape[0],
        "width": shape[1],
        "area": tf.reduce_sum(tf.cast(new, tf.int32)),
        "box": tf.cast(box, tf.int32),
    }


def _round_coarsely(units: tf.Tensor) -> tf.Tensor:
    """Rounds to whole steps, which double where the values do."""
    doublings = tf.math.log(tf.maximum(units / _FINEST, 1.0)) / tf.math.log(2.0)
    step = tf.pow(2.0, tf.floor(doublings))
    return tf.round(units / step) * step
