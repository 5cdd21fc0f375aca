"""Haze, and rain, dust and insects before the lens.

Every function takes pictures float32 [n, h, w, 3] in 0 to 255, a seed int32 [2] and a
strength float32 [n] or [], 0 (no change) to 1 (the full range), and returns pictures of
the same shape and range. Each picture of the batch is changed independently.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.augment.draws import as_column, draw, split_seed
from trainer.augment.resampling import transform

STREAK = 14  # length of a rain streak, pixels of 224
DROPS = 0.03  # fraction of the grid's cells with a streak
HAZE = (1.2, 2.0)  # greatest natural logarithms of the contrast lost: near, far
AIR = (90.0, 235.0)  # light of the haze, grey levels
SPECKS = 0.0015  # fraction of the pixels, at half size, with a speck


def rain(pictures, seed, strength):
    """Adds bright, slanted, translucent streaks of some 14 pixels of 224."""
    number, strength = tf.shape(pictures)[0], as_column(strength)
    first, second, third, fourth = split_seed(seed, 4)
    height, width = pictures.shape[1:3]
    length = max(2, STREAK * height // 224)
    cells = [number, -(-height // length), width, 1]
    drops = tf.random.stateless_uniform(cells, first)
    fraction = DROPS * draw(second, number, 0.3, 1.0) * strength
    streaks = tf.cast(drops < fraction, tf.float32) * (
        0.4 + 0.6 * drops / (fraction + 1e-6)
    )
    streaks = tf.image.resize(streaks, (height, width))
    slant = draw(third, number, -0.35, 0.35)[:, 0, 0, 0]
    # Columns of the grid are shifted too, so that streaks do not end on a line.
    streaks = transform(streaks, (1.0, slant, 0.0), (0.0, 1.0, 0.0), fill="wrap")
    light = draw(fourth, number, 0.15, 0.5) * strength
    return pictures + light * streaks * (230.0 - pictures)


def haze(pictures, seed, strength):
    """Veils the picture as fog does: a third of the contrast stays, far away less.

    What is far is taken to be high in the picture: haze thickens from the bottom up to
    a horizon (Koschmieder's law, with one transmission for each row).
    """
    number, strength = tf.shape(pictures)[0], as_column(strength)
    keys = split_seed(seed, 5)
    near, far = (
        draw(key, number, 0.0, most) * strength
        for key, most in zip(keys, HAZE, strict=False)
    )
    horizon = draw(keys[2], number, 0.1, 0.6)
    down = tf.linspace(0.0, 1.0, pictures.shape[1])[None, :, None, None]
    away = tf.clip_by_value((1.0 - down) / (1.0 - horizon), 0.0, 1.0)
    through = tf.exp(-near - far * away**2)
    air = draw(keys[3], number, *AIR) + draw(keys[4], number, -8.0, 8.0, channels=3)
    return tf.clip_by_value(air + (pictures - air) * through, 0.0, 255.0)


def specks(pictures, seed, strength):
    """Adds dust, snow or insects: spots of 1 to 5 pixels of 224, bright or dark."""
    number, strength = tf.shape(pictures)[0], as_column(strength)
    first, second, third, fourth = split_seed(seed, 4)
    height, width = pictures.shape[1:3]
    small = [number, -(-height // 2), -(-width // 2), 1]
    fraction = SPECKS * draw(first, number, 0.3, 1.0) * strength
    spots = tf.cast(tf.random.stateless_uniform(small, second) < fraction, tf.float32)
    soft = tf.nn.avg_pool2d(spots, 3, 1, "SAME") * 4.0
    spots = tf.where(draw(third, number) < 0, spots, soft)
    spots = tf.minimum(tf.image.resize(spots, (height, width)), 1.0)
    level = tf.where(draw(fourth, number) < 0, 40.0, 225.0)
    return pictures + 0.8 * spots * (level - pictures)
