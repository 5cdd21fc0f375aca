"""Shadows and reflections of objects, patches of sun, and glare."""

from __future__ import annotations

import tensorflow as tf

from trainer.augment.draws import as_column, draw, draw_field, split_seed
from trainer.augment.resampling import transform
from trainer.contract import PROBABILITY_THRESHOLD

TINT = (1.0, 0.96, 0.88)  # the sky still lights a shadow, and it is blue
MIRRORED = (0.1, 0.6)  # share of its light that wet ground gives back
LONG = (0.8, 3.5)  # length of a long shadow, heights of the object
THICK = (0.2, 0.8)  # and its thickness, widths of the object
VEIL = (30.0, 170.0)  # grey levels of a glare in its middle


def cast_shadow(pictures, silhouettes, seed, strength, long=False, seen=1.0):
    """Darkens the ground around an object by the object's own shape.

    The silhouette is flattened to 0.12 to 0.6 of its height, before or behind the
    lowest row of the object, sheared and softened. The ground beneath the object is
    dark too, as under a car: in the lower half of the silhouette, moved by up to 5 %
    of the picture down and 6 % aside. Both darken by 25 to 90 %, independently, times
    the square root of the strength, since few shadows of the sun are weak. The object
    itself stays as it is.

    A low sun from the left or right casts a long shadow: the silhouette laid on its
    side, 0.8 to 3.5 times as long as it is high, and a fifth to four fifths as thick as
    it is wide.

    Args:
      pictures: float32 [n, h, w, 3], 0 to 255.
      silhouettes: float32 [n, h, w, 1], 0 to 1, of the object.
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.
      long: bool [n] or [], whether the sun is low.
      seen: 1 if the object is in the picture, 0 if only its shadow is.

    Returns:
      float32 [n, h, w, 3].
    """
    number = tf.shape(pictures)[0]
    keys = split_seed(seed, 8)
    small = tf.nn.avg_pool2d(silhouettes, 2, 2, "SAME")
    rows, top, foot = _find_rows(small)
    root = tf.sqrt(as_column(strength))
    cast = tf.where(
        tf.reshape(long, [-1, 1, 1, 1]),
        _lay_aside(small, foot, keys[:4]),
        _lay_down(small, foot, keys[:4]),
    )
    cast *= draw(keys[6], number, 0.25, 0.9)
    under = _darken_beneath(small, rows, top, foot, keys[4:6])
    under *= draw(keys[7], number, 0.25, 0.9) * seen
    dark = tf.image.resize(root * tf.maximum(cast, under), pictures.shape[1:3])
    return pictures * (1.0 - dark * (1.0 - seen * silhouettes) * tf.constant(TINT))


def light_patches(pictures, seed, strength):
    """Adds a shadow or a patch of sun without an object: soft blots, a straight edge.

    A region of the picture becomes darker by up to 60 % or brighter by up to 40 %; its
    edge is between one pixel and a quarter of the picture wide.

    Args:
      pictures: float32 [n, h, w, 3], 0 to 255.
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, 3].
    """
    number = tf.shape(pictures)[0]
    keys = split_seed(seed, 6)
    height, width = pictures.shape[1:3]
    blots = draw_field(keys[0], number, (6, 6), (height, width)) - 0.3
    slopes = draw(keys[1], number, -3.0, 3.0, channels=2)
    down = tf.linspace(-1.0, 1.0, height)[None, :, None, None]
    right = tf.linspace(-1.0, 1.0, width)[None, None, :, None]
    offset = draw(keys[2], number)
    edge = slopes[..., :1] * down + slopes[..., 1:] * right + offset
    sharpness = tf.exp(draw(keys[3], number, 0.7, 3.7))
    straight = draw(keys[4], number) < -0.3
    patch = tf.sigmoid(sharpness * tf.where(straight, edge, blots))
    loss = draw(keys[5], number, -0.4, 0.6) * as_column(strength)
    return tf.clip_by_value(
        pictures * (1.0 - loss * patch * tf.constant(TINT)), 0.0, 255.0
    )


def reflect(pictures, colours, silhouettes, seed, strength):
    """Mirrors an object in the wet or polished ground at its foot.

    Its picture upside down, blurred along, takes 10 to 60 % of the ground's place and
    fades away from the foot. The object itself stays as it is.

    Args:
      pictures: float32 [n, h, w, 3], 0 to 255.
      colours: float32 [n, h, w, 3], 0 to 255, of the object, multiplied by its alpha.
      silhouettes: float32 [n, h, w, 1], 0 to 1, the object's alpha.
      seed: int32 [2].
      strength: float32 [n] or [], 0 to 1.

    Returns:
      float32 [n, h, w, 3].
    """
    number = tf.shape(pictures)[0]
    keys = split_seed(seed, 3)
    rows, top, foot = _find_rows(silhouettes)
    both = tf.concat([colours, silhouettes], -1)
    both = transform(both, (1.0, 0.0, 0.0), (0.0, -1.0, 2.0 * foot + 1.0))
    along = draw(keys[0], number, 0.0, 1.0)
    blurred = tf.nn.avg_pool2d(tf.nn.avg_pool2d(both, [9, 3], 1, "SAME"), 5, 1, "SAME")
    both += along * (blurred - both)
    tall = tf.maximum(foot - top, 1.0) * draw(keys[1], number, 0.5, 2.0)[:, 0, 0, 0]
    away = (rows - foot[:, None]) / tall[:, None]
    fading = tf.exp(-tf.maximum(away, 0.0))[:, :, None, None]
    share = fading * draw(keys[2], number, *MIRRORED) * as_column(strength)
    share *= 1.0 - silhouettes
    return pictures * (1.0 - both[..., 3:] * share) + both[..., :3] * share


def glare(pictures, seed, strength):
    """Adds the veil of a lamp or the sun: bright in the middle, fading over a reach.

    Arguments and result are those of `light_patches`.
    """
    number, strength = tf.shape(pictures)[0], as_column(strength)
    keys = split_seed(seed, 4)
    at = draw(keys[0], number, -1.3, 1.3, channels=2)
    down = tf.linspace(-1.0, 1.0, pictures.shape[1])[None, :, None, None] - at[..., :1]
    right = tf.linspace(-1.0, 1.0, pictures.shape[2])[None, None, :, None] - at[..., 1:]
    reach = tf.exp(draw(keys[1], number, -2.5, 0.3))
    veil = tf.exp(-tf.sqrt(down**2 + right**2) / reach)
    light = veil * draw(keys[2], number, *VEIL) * strength
    warm = 1.0 - draw(keys[3], number, 0.0, 0.4) * tf.constant((0.0, 0.4, 1.0))
    return tf.clip_by_value(pictures + light * warm, 0.0, 255.0)


def _find_rows(silhouettes):
    """Finds all rows, float32 [h], and each object's highest and lowest one, [n]."""
    rows = tf.range(tf.shape(silhouettes)[1], dtype=tf.float32)
    there = tf.reduce_max(silhouettes, (2, 3)) > PROBABILITY_THRESHOLD
    foot = tf.reduce_max(tf.where(there, rows, 0.0), 1)
    top = tf.reduce_min(tf.where(there, rows, foot[:, None]), 1)
    return rows, top, foot


def _lay_down(silhouettes, foot, keys):
    """Lays silhouettes on the ground at their foot, sheared and softened."""
    number = tf.shape(silhouettes)[0]
    flat = draw(keys[0], number, 0.12, 0.6)[:, 0, 0, 0]
    flat *= tf.sign(draw(keys[1], number)[:, 0, 0, 0] + 0.2)  # before or behind
    shear = draw(keys[2], number, -2.0, 2.0)[:, 0, 0, 0]
    laid = transform(
        silhouettes, (1.0, shear, -shear * foot), (0.0, 1 / flat, foot * (1 - 1 / flat))
    )
    return _soften(laid, keys[3])


def _lay_aside(silhouettes, foot, keys):
    """Lays silhouettes on their side, as seen by a low sun from the left or right."""
    number = tf.shape(silhouettes)[0]
    middle = _find_middle(silhouettes)
    long = draw(keys[0], number, *LONG)[:, 0, 0, 0]
    long *= tf.sign(draw(keys[1], number)[:, 0, 0, 0] + 1e-6)
    slope = draw(keys[2], number, -0.2, 0.2)[:, 0, 0, 0]
    thick = draw(tf.random.fold_in(keys[0], 1), number, *THICK)[:, 0, 0, 0]
    # Beginning at the middle of the foot: away from it, to the left or right, lie the
    # object's rows from the foot up; across lie its columns.
    laid = transform(
        silhouettes,
        (slope / thick, 1 / thick, middle - (slope * middle + foot) / thick),
        (-1 / long, 0.0, foot + middle / long),
    )
    return _soften(laid, keys[3])


def _soften(laid, seed):
    sharp = tf.nn.avg_pool2d(laid, 3, 1, "SAME")
    soft = tf.nn.avg_pool2d(tf.nn.avg_pool2d(sharp, 5, 1, "SAME"), 5, 1, "SAME")
    return sharp + draw(seed, tf.shape(laid)[0], 0.0, 1.0) * (soft - sharp)


def _find_middle(silhouettes):
    """Finds the middle column of each object, float32 [n]."""
    columns = tf.range(tf.shape(silhouettes)[2], dtype=tf.float32)
    weights = tf.reduce_sum(silhouettes, (1, 3))
    total = tf.reduce_sum(weights, 1)
    return tf.reduce_sum(weights * columns, 1) / tf.maximum(total, 1e-6)


def _darken_beneath(silhouettes, rows, top, foot, keys):
    """Moves the lower halves of silhouettes a little, to where the ground is dark."""
    number, (height, width) = tf.shape(silhouettes)[0], silhouettes.shape[1:3]
    down = 0.05 * height * draw(keys[0], number, 0.0, 1.0)[:, 0, 0, 0]
    aside = 0.06 * width * draw(keys[1], number)[:, 0, 0, 0]
    moved = transform(silhouettes, (1.0, 0.0, -aside), (0.0, 1.0, -down))
    fraction = (rows - top[:, None]) / tf.maximum(foot - top, 1.0)[:, None]
    lower = tf.clip_by_value(4.0 * fraction - 1.5, 0.0, 1.0)[:, :, None, None]
    return tf.nn.avg_pool2d(moved * lower, 3, 1, "SAME")
