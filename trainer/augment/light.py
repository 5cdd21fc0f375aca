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
    small = tf.nn.avg_pool2d(silhouettes, 2, 2, "SAME")
    rows = tf.range(tf.shape(small)[1], dtype=tf.float32)
    there = tf.reduce_max(small, (2, 3)) > 0.5
    foot = tf.reduce_max(tf.where(there, rows, 0.0), 1)
    top = tf.reduce_min(tf.where(there, rows, foot[:, None]), 1)
    root = tf.sqrt(column(strength))
    cast = _laid(small, foot, parts[:4]) * draw(parts[6], number, 0.25, 0.9)
    under = _beneath(small, rows, top, foot, parts[4:6])
    under *= draw(parts[7], number, 0.25, 0.9)
    dark = tf.image.resize(root * tf.maximum(cast, under), pictures.shape[1:3])
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


def _laid(silhouettes, foot, parts):
    """Silhouettes laid on the ground at their foot, sheared and softened."""
    number = tf.shape(silhouettes)[0]
    flat = draw(parts[0], number, 0.12, 0.6)[:, 0, 0, 0]
    flat *= tf.sign(draw(parts[1], number)[:, 0, 0, 0] + 0.2)  # before or behind
    shear = draw(parts[2], number, -2.0, 2.0)[:, 0, 0, 0]
    laid = _transformed(
        silhouettes, (1.0, shear, -shear * foot), (0.0, 1 / flat, foot * (1 - 1 / flat))
    )
    sharp = tf.nn.avg_pool2d(laid, 3, 1, "SAME")
    soft = tf.nn.avg_pool2d(tf.nn.avg_pool2d(sharp, 5, 1, "SAME"), 5, 1, "SAME")
    return sharp + draw(parts[3], number, 0.0, 1.0) * (soft - sharp)


def _beneath(silhouettes, rows, top, foot, parts):
    """Where the lower halves of silhouettes come to when they are moved a little."""
    number, (height, width) = tf.shape(silhouettes)[0], silhouettes.shape[1:3]
    down = 0.05 * height * draw(parts[0], number, 0.0, 1.0)[:, 0, 0, 0]
    aside = 0.06 * width * draw(parts[1], number)[:, 0, 0, 0]
    moved = _transformed(silhouettes, (1.0, 0.0, -aside), (0.0, 1.0, -down))
    part = (rows - top[:, None]) / tf.maximum(foot - top, 1.0)[:, None]
    lower = tf.clip_by_value(4.0 * part - 1.5, 0.0, 1.0)[:, :, None, None]
    return tf.nn.avg_pool2d(moved * lower, 3, 1, "SAME")


def _transformed(pictures, across, down):
    """Resamples float32 [n, h, w, C] bilinearly, with 0 around.

    Args:
      pictures: What is resampled.
      across: Three weights, of column, row and 1, each [n] or a number; they say from
        which column each pixel is fetched.
      down: The same for rows.
    """
    zero = tf.zeros(tf.shape(pictures)[:1])
    transforms = tf.stack([zero + weight for weight in (*across, *down, 0.0, 0.0)], -1)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=transforms,
        output_shape=tf.shape(pictures)[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
