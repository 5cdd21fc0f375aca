"""What a camera on a pole and moving leaves do: the background is no longer in place.

Only the background is moved; labels follow the frame. A flow float32 [n, h, w, 2] says
for every pixel how far down and right of it the colour comes from, in pixels.
"""

from __future__ import annotations

import math

import tensorflow as tf

from trainer.augment.draws import column, draw, field, seeds

SHIFT = 8 / 224  # to either side, as a part of the picture's side
ROTATION = 2.0  # degrees to either side
SCALE = 0.03  # to either side
LEAVES = 3.0  # standard deviation of the movement of leaves and water, pixels of 224


def shake(pictures, seed, strength):
    """Moved by up to 8 pixels of 224, turned by up to 2°, scaled by up to 3 %.

    Args:
      pictures: float32 [n, h, w, c].
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, c]; what comes in from outside is reflected.
    """
    return warp(pictures, shake_flow(pictures, seed, strength))


def sway(pictures, seed, strength):
    """Leaves and water: parts of the picture move by a few pixels, smoothly.

    Arguments and result are those of `shake`.
    """
    return warp(pictures, sway_flow(pictures, seed, strength))


def shake_flow(pictures, seed, strength):
    """The flow of `shake`, float32 [n, h, w, 2]."""
    number, strength = tf.shape(pictures)[0], column(strength)
    first, second, third = seeds(seed, 3)
    height, width = pictures.shape[1:3]
    side = tf.constant([height, width], tf.float32)
    shift = draw(first, number, channels=2) * strength * SHIFT * side
    angle = draw(second, number) * strength * ROTATION * math.pi / 180
    scale = 1.0 + draw(third, number) * strength * SCALE
    down, right = _grid(height, width)
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    turned = [cosine * down - sine * right - down, sine * down + cosine * right - right]
    return tf.concat(turned, -1) + shift


def sway_flow(pictures, seed, strength):
    """The flow of `sway`, float32 [n, h, w, 2]."""
    number, strength = tf.shape(pictures)[0], column(strength)
    parts = seeds(seed, 5)
    height, width = pictures.shape[1:3]
    size = (height, width)
    leaves = field(parts[0], number, (20, 20), size, 2)
    water = field(parts[1], number, (36, 5), size, 2)
    is_water = draw(parts[2], number, 0.0, 1.0) < 0.3
    amount = draw(parts[3], number, 0.2, LEAVES * height / 224) * strength
    where = tf.sigmoid(4.0 * field(parts[4], number, (4, 4), size) - 1.0)
    return tf.where(is_water, water, leaves) * where * amount


def warp(pictures, flow):
    """Fetches every pixel from where the flow says, bilinearly, reflected at the edges.

    Args:
      pictures: float32 [n, h, w, c].
      flow: float32 [n, h, w, 2], down and right, pixels.

    Returns:
      float32 [n, h, w, c].
    """
    number, (height, width, channels) = tf.shape(pictures)[0], pictures.shape[1:]
    down = tf.range(height, dtype=tf.float32)[None, :, None] + flow[..., 0]
    right = tf.range(width, dtype=tf.float32)[None, None, :] + flow[..., 1]
    down = height - 1.0 - tf.abs(height - 1.0 - tf.abs(down))
    right = width - 1.0 - tf.abs(width - 1.0 - tf.abs(right))
    top = tf.clip_by_value(tf.floor(down), 0.0, height - 2.0)
    left = tf.clip_by_value(tf.floor(right), 0.0, width - 2.0)
    below, beside = (down - top)[..., None], (right - left)[..., None]
    place = tf.cast(top * width + left, tf.int32)
    place += tf.range(number)[:, None, None] * (height * width)
    flat = tf.reshape(pictures, [-1, channels])
    corners = [tf.gather(flat, place + step) for step in (0, 1, width, width + 1)]
    upper = corners[0] + (corners[1] - corners[0]) * beside
    lower = corners[2] + (corners[3] - corners[2]) * beside
    return upper + (lower - upper) * below


def _grid(height: int, width: int):
    """Rows and columns from the middle, float32 [1, h, 1, 1] and [1, 1, w, 1]."""
    down = tf.range(height, dtype=tf.float32) - (height - 1) / 2
    right = tf.range(width, dtype=tf.float32) - (width - 1) / 2
    zeros = tf.zeros([1, height, width, 1])
    return down[None, :, None, None] + zeros, right[None, None, :, None] + zeros
