"""Shadows, with the object that casts them and without."""

from __future__ import annotations

import tensorflow as tf

from trainer.augment.draws import column, draw, field, seeds

TINT = (1.0, 0.96, 0.88)  # the sky still lights a shadow, and it is blue


def cast_shadow(pictures, silhouettes, seed, strength):
    """Darkens the ground around an object by the object's own shape.

    The silhouette is flattened to 0.12 to 0.6 of its height, before or behind the
    lowest row of the object, sheared and softened. Where it stands, the ground is
    dark as under a car: as far as the lower half of the silhouette reaches when it is
    moved by up to 5 % of the picture down and 6 % aside. Both darken by 25 to 90 %,
    each by its own, at the root of the strength: few shadows of the sun are weak. The
    object itself stays as it is.

    Args:
      pictures: float32 [n, h, w, 3], 0 to 255.
      silhouettes: float32 [n, h, w, 1], 0 to 1, of the object.
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, 3].
    """
    number = tf.shape(pictures)[0]
    parts = seeds(seed, 8)
    height, width = pictures.shape[1:3]
    small = tf.nn.avg_pool2d(silhouettes, 2, 2, "SAME")
    rows = tf.range(tf.shape(small)[1], dtype=tf.float32)
    there = tf.cast(tf.reduce_max(small, (2, 3)) > 0.5, tf.float32)
    foot = tf.reduce_max(there * rows, 1)
    top = tf.reduce_min(tf.where(there > 0.5, rows, foot[:, None]), 1)
    flat = draw(parts[0], number, 0.12, 0.6)[:, 0, 0, 0]
    flat *= tf.sign(draw(parts[1], number)[:, 0, 0, 0] + 0.2)
    shear = draw(parts[2], number, -2.0, 2.0)[:, 0, 0, 0]
    zero, one = tf.zeros_like(flat), tf.ones_like(flat)
    laid = tf.stack(
        [one, shear, -shear * foot, zero, 1 / flat, foot * (1 - 1 / flat), zero, zero],
        -1,
    )
    sharp = tf.nn.avg_pool2d(_transformed(small, laid), 3, 1, "SAME")
    soft = tf.nn.avg_pool2d(tf.nn.avg_pool2d(sharp, 5, 1, "SAME"), 5, 1, "SAME")
    cast = sharp + draw(parts[3], number, 0.0, 1.0) * (soft - sharp)
    down = 0.05 * height / 2 * draw(parts[4], number, 0.0, 1.0)[:, 0, 0, 0]
    aside = 0.06 * width / 2 * draw(parts[5], number)[:, 0, 0, 0]
    moved = tf.stack([one, zero, -aside, zero, one, -down, zero, zero], -1)
    depth = (rows[None] - top[:, None]) / tf.maximum(foot - top, 1.0)[:, None]
    lower = tf.clip_by_value(4.0 * depth - 1.5, 0.0, 1.0)[:, :, None, None]
    under = tf.nn.avg_pool2d(_transformed(small, moved) * lower, 3, 1, "SAME")
    root = tf.sqrt(column(strength))
    cast *= draw(parts[6], number, 0.25, 0.9) * root
    under *= draw(parts[7], number, 0.25, 0.9) * root
    dark = tf.image.resize(tf.maximum(cast, under), (height, width))
    return pictures * (1.0 - dark * (1.0 - silhouettes) * tf.constant(TINT))


def light_patches(pictures, seed, strength):
    """Shadows and patches of sun with no object: soft blots, or a straight edge.

    A part of the picture is made darker by up to 60 % or brighter by up to 40 %; its
    edge is between one pixel and a quarter of the picture wide.

    Args:
      pictures: float32 [n, h, w, 3], 0 to 255.
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, 3].
    """
    number = tf.shape(pictures)[0]
    parts = seeds(seed, 6)
    height, width = pictures.shape[1:3]
    blots = field(parts[0], number, (6, 6), (height, width)) - 0.3
    slopes = draw(parts[1], number, -3.0, 3.0, channels=2)
    down = tf.linspace(-1.0, 1.0, height)[None, :, None, None]
    right = tf.linspace(-1.0, 1.0, width)[None, None, :, None]
    offset = draw(parts[2], number)
    edge = slopes[..., :1] * down + slopes[..., 1:] * right + offset
    sharpness = tf.exp(draw(parts[3], number, 0.7, 3.7))
    straight = draw(parts[4], number) < -0.3
    patch = tf.sigmoid(sharpness * tf.where(straight, edge, blots))
    loss = draw(parts[5], number, -0.4, 0.6) * column(strength)
    return tf.clip_by_value(
        pictures * (1.0 - loss * patch * tf.constant(TINT)), 0.0, 255.0
    )


def _transformed(pictures, transforms):
    """Resamples pictures bilinearly, each by its own projective transform."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=transforms,
        output_shape=tf.shape(pictures)[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
