"""Zoom, flip and colour of a pair with its labels, and resizing to the network."""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from trainer.augment.resampling import transform
from trainer.contract import DEPTH_UNITS, MAX_ALPHA


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """The strength of the augmentation.

    Attributes:
      zoom: Maximum zoom; 1 is none. Depth is divided by it.
      rotation: Maximum rotation to either side, degrees.
      colour: Channels of both pictures are multiplied by 1 - colour to 1 + colour.
      flip: Whether pairs are mirrored with probability 0.5.
      life: Whether pairs are made anew: several objects, shadows, a camera that
        shakes, light, noise, compression; see `trainer.augment.life`.
      repeats: With life, the number of times that a made pair is shown, each in
        another window.
      without: With life, the effects to leave out; see `make_pairs`.
    """

    zoom: float = 1.5
    rotation: float = 0.0
    colour: float = 0.2
    flip: bool = True
    life: bool = False
    repeats: int = 1
    without: frozenset[str] = frozenset()


def augment(
    example: dict, size: tuple[int, int], seed: tf.Tensor, settings: Augmentation
) -> dict:
    """Augments a pair and its labels alike, and resizes them for the network.

    Eigen et al. 2014, section 3.4: a zoom by s brings the world s times nearer, so
    depth is divided by s.

    Args:
      example: 'bg', 'fgbg' uint8 [H, W, 3], 'mask' uint8 [H, W, 1], 'depth' uint16
        [H, W, 1] in 1/256 m, 0 where unknown.
      size: Height h and width w of the result.
      seed: int32 [2]; the same seed gives the same result.
      settings: Strength of the augmentation.

    Returns:
      'bg', 'fgbg' float32 [h, w, 3] in 0 to 255, 'mask' float32 [h, w, 1] in 0 to 1,
      'depth' float32 [h, w, 1] in metres, 0 where unknown.
    """
    seeds = tf.unstack(tf.random.split(seed, 5))
    zoom = tf.random.stateless_uniform([], seeds[0], 1.0, settings.zoom)
    place = tf.random.stateless_uniform([2], seeds[1])
    gains = tf.random.stateless_uniform(
        [3], seeds[2], 1 - settings.colour, 1 + settings.colour
    )
    mirrored = settings.flip & (tf.random.stateless_uniform([], seeds[3]) < 0.5)
    angle = tf.random.stateless_uniform(
        [], seeds[4], -settings.rotation, settings.rotation
    )
    whole = tf.shape(example["fgbg"])[:2]
    sides = example["fgbg"].shape[:2]
    shrinks = any(s is None or s > w for s, w in zip(sides, size, strict=True))
    window = tf.maximum(tf.cast(tf.cast(whole, tf.float32) / zoom, tf.int32), 1)
    corner = tf.cast(tf.cast(whole - window + 1, tf.float32) * place, tf.int32)

    def cut(name, method):
        picture = example[name]
        if settings.rotation:
            picture = rotate(picture, angle * math.pi / 180, method)
        if settings.zoom > 1:
            picture = picture[
                corner[0] : corner[0] + window[0], corner[1] : corner[1] + window[1]
            ]
        picture = tf.cond(mirrored, lambda: picture[:, ::-1], lambda: picture)
        return fit(picture, size, method, smooth=shrinks)

    # Depth follows the zoom in whole pixels, not the one that was drawn.
    zoomed = tf.cast(window[0], tf.float32) / tf.cast(whole[0], tf.float32)
    return {
        "bg": tf.clip_by_value(cut("bg", "bilinear") * gains, 0.0, 255.0),
        "fgbg": tf.clip_by_value(cut("fgbg", "bilinear") * gains, 0.0, 255.0),
        "mask": tf.clip_by_value(cut("mask", "bilinear") / MAX_ALPHA, 0.0, 1.0),
        "depth": cut("depth", "nearest") / DEPTH_UNITS * zoomed,
    }


def fit(
    pictures: tf.Tensor,
    size: tuple[int, int],
    method: str = "bilinear",
    smooth: bool = True,
):
    """Resizes pictures for the network, alike in training, evaluation and serving.

    Args:
      pictures: Any number type, [H, W, C] or [N, H, W, C].
      size: Height h and width w of the result.
      method: 'bilinear', with antialiasing where pictures shrink, or 'nearest', for
        depth, whose unknown pixels must not mix with the others.
      smooth: False is quicker, and the same where nothing shrinks.

    Returns:
      float32 [h, w, C] or [N, h, w, C]; unchanged where they have that size.
    """
    pictures = tf.cast(pictures, tf.float32)
    if tuple(pictures.shape[-3:-1]) == tuple(size):
        return pictures
    smooth = smooth and method == "bilinear"
    return tf.image.resize(pictures, size, method, antialias=smooth)


def rotate(picture: tf.Tensor, angle: tf.Tensor, method: str) -> tf.Tensor:
    """Rotates a picture about its middle; pixels from outside are 0.

    Args:
      picture: Any number type, [H, W, C].
      angle: float32 [], radians.
      method: 'bilinear' or 'nearest'.

    Returns:
      float32 [H, W, C].
    """
    shape = tf.shape(picture)[:2]
    middle = tf.cast(shape - 1, tf.float32) / 2
    sine, cosine = tf.sin(angle), tf.cos(angle)
    right = middle[1] - cosine * middle[1] + sine * middle[0]
    down = middle[0] - sine * middle[1] - cosine * middle[0]
    pictures = tf.cast(picture, tf.float32)[None]
    return transform(pictures, (cosine, -sine, right), (sine, cosine, down), method)[0]
