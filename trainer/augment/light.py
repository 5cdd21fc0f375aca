"""Shadows, with the object that casts them and without."""

from __future__ import annotations

import tensorflow as tf

from trainer.augment.draws import column, draw, field, seeds

TINT = (1.0, 0.96, 0.88)  # the sky still lights a shadow, and it is blue


def cast_shadow(pictures, silhouettes, seed, strength):
    """Darkens the ground beside an object by its own shape, laid down and sheared.

    The silhouette is flattened to 0.12 to 0.6 of its height, before or behind the
    lowest row of the object, sheared, softened, and darkens by 25 to 75 %. Where the
    object touches the ground it is darker. The object itself stays as it is.

    Args:
      pictures: float32 [n, h, w, 3], 0 to 255.
      silhouettes: float32 [n, h, w, 1], 0 to 1, of the object.
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, 3].
    """
    number = tf.shape(pictures)[0]
    parts = seeds(seed, 5)
    height, width = pictures.shape[1:3]
    small = tf.nn.avg_pool2d(silhouettes, 2, 2, "SAME")
    rows = tf.range(tf.shape(small)[1], dtype=tf.float32)
    there = tf.cast(tf.reduce_max(small, (2, 3)) > 0.5, tf.float32)
    foot = tf.reduce_max(there * rows, 1)
    flat = draw(parts[0], number, 0.12, 0.6)[:, 0, 0, 0]
    flat *= tf.sign(draw(parts[1], number)[:, 0, 0, 0] + 0.2)
    shear = draw(parts[2], number, -2.0, 2.0)[:, 0, 0, 0]
    zero, one = tf.zeros_like(flat), tf.ones_like(flat)
    laid = tf.stack(
        [one, shear, -shear * foot, zero, 1 / flat, foot * (1 - 1 / flat), zero, zero],
        -1,
    )
    shadow = tf.raw_ops.ImageProjectiveTransformV3(
        images=small,
        transforms=laid,
        output_shape=tf.shape(small)[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    sharp = tf.nn.avg_pool2d(shadow, 3, 1, "SAME")
    soft = tf.nn.avg_pool2d(tf.nn.avg_pool2d(sharp, 5, 1, "SAME"), 5, 1, "SAME")
    softness = draw(parts[3], number, 0.0, 1.0)
    shadow = sharp + softness * (soft - sharp)
    near = tf.exp(-(((rows[None] - foot[:, None]) / (height / 112.0)) ** 2))
    touch = tf.nn.avg_pool2d(small * near[:, :, None, None], 5, 1, "SAME")
    shadow = tf.minimum(tf.maximum(shadow, 1.5 * touch), 1.0)
    shadow = tf.image.resize(shadow, (height, width)) * (1.0 - silhouettes)
    dark = draw(parts[4], number, 0.25, 0.75) * column(strength) * tf.constant(TINT)
    return pictures * (1.0 - dark * shadow)


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
