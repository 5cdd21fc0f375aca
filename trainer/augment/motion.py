"""A shaking camera and moving leaves: the background is no longer in place.

Only the background is moved; labels follow the frame. A flow is two float32
[n, h, w, 1]: the distances, down and right in pixels, to the place that a pixel's
colour comes from.
"""

from __future__ import annotations

import math

import tensorflow as tf

from trainer.augment.draws import as_column, draw, draw_field, split_seed

SHIFT = 8 / 224  # to either side, as a fraction of the picture's side
ROTATION = 2.0  # degrees to either side
SCALE = 0.03  # to either side
MOVEMENT = 2.0  # standard deviation of the movement of leaves and water, pixels of 224
TOSSED = (2.0, 7.0)  # the same in a storm
LOOKS = 4  # moments between which the spread of what is tossed is measured
CHANGE = 20.0  # grey levels: less is noise
OFTEN = 0.3  # share of a neighbourhood that changes where the scene is restless


def shake(pictures, seed, strength):
    """Shifts by up to 8 pixels of 224, rotates by up to 2°, scales by up to 3 %.

    Args:
      pictures: float32 [n, h, w, c].
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, c], reflected at the edges.
    """
    return warp(pictures, draw_shake_flow(pictures, seed, strength))


def sway(pictures, seed, strength):
    """Moves regions of the picture smoothly by a few pixels, as leaves and water.

    Arguments and result are those of `shake`.
    """
    return warp(pictures, draw_sway_flow(pictures, seed, strength))


def toss(pictures, seed, strength):
    """Tosses regions of the picture far, as leaves and waves in a storm.

    Arguments and result are those of `shake`.
    """
    return warp(pictures, draw_toss_flow(pictures, seed, 0, strength))


def draw_shake_flow(pictures, seed, strength):
    """Draws the flow of `shake`."""
    number, strength = tf.shape(pictures)[0], as_column(strength)
    first, second, third = split_seed(seed, 3)
    height, width = pictures.shape[1:3]
    shift = draw(first, number, channels=2) * strength * SHIFT
    angle = draw(second, number) * strength * ROTATION * math.pi / 180
    scale = 1.0 + draw(third, number) * strength * SCALE
    down = tf.range(height, dtype=tf.float32)[:, None, None] - (height - 1) / 2
    right = tf.range(width, dtype=tf.float32)[:, None] - (width - 1) / 2
    cosine, sine = scale * tf.cos(angle) - 1.0, scale * tf.sin(angle)
    return (
        cosine * down - sine * right + shift[..., :1] * height,
        sine * down + cosine * right + shift[..., 1:] * width,
    )


def draw_sway_flow(pictures, seed, strength):
    """Draws the flow of `sway`."""
    number, strength = tf.shape(pictures)[0], as_column(strength)
    keys = split_seed(seed, 5)
    height, width = pictures.shape[1:3]
    coarse = (44, 44)
    leaves = draw_field(keys[0], number, (18, 18), coarse, 2)
    water = draw_field(keys[1], number, (36, 5), coarse, 2)
    is_water = draw(keys[2], number, 0.0, 1.0) < 0.3
    amount = draw(keys[3], number, 0.2, MOVEMENT * height / 224) * strength
    where = tf.sigmoid(4.0 * draw_field(keys[4], number, (4, 4), coarse) - 1.5)
    flow = tf.where(is_water, water, leaves) * where * amount
    flow = tf.image.resize(flow, (height, width), "bicubic")
    return flow[..., :1], flow[..., 1:]


def draw_toss_flow(pictures, seed, moment: int, strength):
    """Draws the flow of leaves and waves in a storm, at one of many moments.

    Args:
      pictures: float32 [n, h, w, c].
      seed: int32 [2]; it decides what moves, and how far at most.
      moment: Number of the moment; each moves the same places to others.
      strength: float32 [n] or [], 0 to 1.

    Returns:
      Two float32 [n, h, w, 1].
    """
    number, strength = tf.shape(pictures)[0], as_column(strength)
    keys = split_seed(seed, 3)
    height, width = pictures.shape[1:3]
    coarse = (56, 56)
    now = tf.random.fold_in(keys[0], moment)
    flow = draw_field(now, number, (28, 28), coarse, 2)
    where = tf.sigmoid(5.0 * draw_field(keys[1], number, (4, 4), coarse) - 2.0)
    most = draw(keys[2], number, *TOSSED) * height / 224
    flow = tf.image.resize(flow * where * most * strength, (height, width), "bicubic")
    return flow[..., :1], flow[..., 1:]


def measure_spread(pictures, seed, strength):
    """Measures how much tossed places vary, over a few moments of `draw_toss_flow`.

    As `trainer.predict` finds it in frames of an empty scene: small changes are noise,
    and so are single pixels.

    Args:
      pictures: float32 [n, h, w, c].
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, 1], grey levels between the darkest and the brightest of the
      channel that varies most; 0 where the scene is calm.
    """
    looks = [
        warp(pictures, draw_toss_flow(pictures, seed, moment, strength))
        for moment in range(1, 1 + LOOKS)
    ]
    spread = tf.reduce_max(looks, 0) - tf.reduce_min(looks, 0)
    spread = tf.reduce_max(spread, -1, keepdims=True)
    moved = tf.cast(spread > CHANGE, tf.float32)
    often = tf.nn.avg_pool2d(moved, 5, 1, "SAME") >= OFTEN
    return tf.where(often, spread, 0.0)


def draw_passage(pictures, seed):
    """Draws a spread that is none of the scene's: things have passed or stood there.

    Args:
      pictures: float32 [n, h, w, c].
      seed: int32 [2].

    Returns:
      float32 [n, h, w, 1], grey levels, 0 outside a third of the picture.
    """
    number, (height, width) = tf.shape(pictures)[0], pictures.shape[1:3]
    keys = split_seed(seed, 2)
    blots = draw_field(keys[0], number, (7, 7), (height, width)) > 0.4
    return tf.where(blots, draw(keys[1], number, CHANGE, 160.0), 0.0)


def warp(pictures, flow):
    """Resamples pictures along a flow, bilinearly, reflected at the edges.

    Args:
      pictures: float32 [n, h, w, c].
      flow: Two float32 [n, h, w, 1], down and right, pixels.

    Returns:
      float32 [n, h, w, c].
    """
    number, (height, width, channels) = tf.shape(pictures)[0], pictures.shape[1:]
    down = tf.range(height, dtype=tf.float32)[:, None, None] + flow[0]
    right = tf.range(width, dtype=tf.float32)[:, None] + flow[1]
    down = height - 1.0 - tf.abs(height - 1.0 - tf.abs(down))
    right = width - 1.0 - tf.abs(width - 1.0 - tf.abs(right))
    top = tf.clip_by_value(tf.floor(down), 0.0, height - 2.0)
    left = tf.clip_by_value(tf.floor(right), 0.0, width - 2.0)
    below, beside = down - top, right - left
    place = tf.cast((top * width + left)[..., 0], tf.int32)
    place += tf.range(number)[:, None, None] * (height * width)
    flat = tf.reshape(pictures, [-1, channels])
    corners = [tf.gather(flat, place + step) for step in (0, 1, width, width + 1)]
    upper = corners[0] + (corners[1] - corners[0]) * beside
    lower = corners[2] + (corners[3] - corners[2]) * beside
    return upper + (lower - upper) * below
