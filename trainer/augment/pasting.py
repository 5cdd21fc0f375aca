"""Copy-paste augmentation: objects of some pairs on the scenes of others, with depth.

Dwibedi, Misra, Hebert 2017, "Cut, Paste and Learn", https://arxiv.org/abs/1708.01642:
the same placement blended in several ways teaches the object and not the seam.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from trainer.augment.draws import draw, split_seed
from trainer.augment.resampling import transform
from trainer.contract import PROBABILITY_THRESHOLD

# Bounds of an object's longest side, as a fraction of the picture's, and of its
# enlargement. What is close by covers half of the picture and is out of focus.
ORDINARY = (0.06, 0.75, 0.3, 2.0)
CLOSE_BY = (0.75, 1.8, 0.3, 8.0)
FAR_AWAY = (0.02, 0.08, 0.15, 2.0)
OUTSIDE = 0.25  # probability of an object to lie partly outside the picture
PLAIN = (0.0, 0.6)  # of its contrast, kept by a plain object
DARK = 1.8  # natural logarithm of the light that a dark object loses, at most
TEXTURED = 0.15  # probability of an object to get the colours of another picture
ORDERS = (  # of the channels of an object's colours, to draw from
    *[(0, 1, 2)] * 10, (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)
)  # fmt: skip
# Probabilities: unchanged, hard, feathered, colour-matched.
BLENDS = (0.55, 0.15, 0.15, 0.15)


@dataclasses.dataclass(frozen=True)
class Scene:
    """Pairs of pictures with their labels.

    Attributes:
      bg: float32 [n, h, w, 3], 0 to 255, the empty scene.
      frame: float32 [n, h, w, 3], 0 to 255, the same with new objects.
      mask: float32 [n, h, w, 1], 0 to 1, the new objects in the frame.
      depth: float32 [n, h, w, 1], metres of the frame, 0 where unknown.
      spread: float32 [n, h, w, 1], grey levels that the empty scene varies by; 0 where
        it is calm or that is not known, everywhere if None.
    """

    bg: tf.Tensor
    frame: tf.Tensor
    mask: tf.Tensor
    depth: tf.Tensor
    spread: tf.Tensor | None = None

    def __post_init__(self):
        if self.spread is None:
            object.__setattr__(self, "spread", tf.zeros_like(self.mask))


@dataclasses.dataclass(frozen=True)
class Objects:
    """One cut-out object for each picture.

    Attributes:
      colour: float32 [n, h, w, 3], 0 to 255, multiplied by alpha.
      alpha: float32 [n, h, w, 1], 0 to 1.
      depth: float32 [n, h, w, 1], metres, 0 where unknown.
    """

    colour: tf.Tensor
    alpha: tf.Tensor
    depth: tf.Tensor


def as_tuple(record: Scene | Objects) -> tuple:
    """Returns the fields as a tuple, which TensorFlow's control flow can pass on."""
    return tuple(getattr(record, field.name) for field in dataclasses.fields(record))


def cut_out(scene: Scene) -> Objects:
    """Cuts the new objects out of their frames, and undoes the mixing at their edges.

    Where the mask is between 0 and 1 the frame is a mixture of object and background,
    and the background is known.
    """
    alpha = scene.mask
    # Where alpha is below a third, the recovered colour would be noise.
    pure = scene.bg + (scene.frame - scene.bg) / tf.maximum(alpha, 0.34)
    colour = tf.clip_by_value(pure, 0.0, 255.0) * alpha
    return Objects(
        colour, alpha, tf.where(alpha >= PROBABILITY_THRESHOLD, scene.depth, 0.0)
    )


def place(objects: Objects, seed, bounds=ORDINARY) -> Objects:
    """Moves every object to another place and size, mirrored with probability 0.5.

    An object may lie partly outside with probability 0.25. Depth is divided by the
    enlargement, since an object that comes nearer grows.

    Args:
      objects: The objects to place.
      seed: int32 [2].
      bounds: Bounds of the longest side, as a fraction of the picture's, and of the
        enlargement, float32 [4].

    Returns:
      Objects of the same shape.
    """
    number, (height, width) = tf.shape(objects.alpha)[0], objects.alpha.shape[1:3]
    keys = split_seed(seed, 5)
    top, bottom = _find_extent(objects.alpha, 2, height)
    left, right = _find_extent(objects.alpha, 1, width)
    tall, broad = bottom - top + 1.0, right - left + 1.0
    least, most, smallest, largest = tf.unstack(tf.cast(bounds, tf.float32))
    side = draw(keys[0], number, tf.math.log(least), tf.math.log(most))[:, 0, 0, 0]
    grown = tf.exp(side) * min(height, width) / tf.maximum(tall, broad)
    grown = tf.clip_by_value(grown, smallest, largest)
    free = draw(keys[1], number, 0.0, 1.0)[:, 0, 0, 0] < OUTSIDE
    where = draw(keys[2], number, 0.0, 1.0, channels=2)[:, 0, 0]

    def find_centre(fraction, length, extent):
        inside = extent / 2 + fraction * tf.maximum(length - extent, 0.0)
        return tf.where(free, fraction * length, inside)

    down = find_centre(where[:, 0], float(height), tall * grown)
    across = find_centre(where[:, 1], float(width), broad * grown)
    mirror = tf.sign(draw(keys[3], number)[:, 0, 0, 0] + 1e-6)
    weights = (
        (mirror / grown, 0.0, (left + right) / 2 - mirror * across / grown),
        (0.0, 1 / grown, (top + bottom) / 2 - down / grown),
    )
    layers = transform(tf.concat([objects.colour, objects.alpha], -1), *weights)
    metres = transform(objects.depth, *weights, method="nearest")
    metres /= grown[:, None, None, None]
    return Objects(layers[..., :3], layers[..., 3:], metres)


def recolour(objects: Objects, seed) -> Objects:
    """Changes gains and brightness, and with probability 1/3 the order of channels."""
    number = tf.shape(objects.alpha)[0]
    keys = split_seed(seed, 4)
    order = tf.random.stateless_uniform([number], keys[0], 0, len(ORDERS), tf.int32)
    mixing = tf.one_hot(tf.gather(ORDERS, order), 3)  # [n, 3, 3]
    gains = tf.exp(draw(keys[1], number, -0.3, 0.3, channels=3)[:, 0, 0])
    gains *= tf.exp(draw(keys[2], number, -0.3, 0.3)[:, 0, 0])
    offset = draw(keys[3], number, -25.0, 25.0)
    mixing = tf.transpose(mixing * gains[..., None], [0, 2, 1])
    flat = tf.reshape(objects.colour, [number, -1, 3])
    colour = tf.reshape(tf.matmul(flat, mixing), tf.shape(objects.colour))
    colour += offset * objects.alpha
    limit = 255.0 * objects.alpha
    return dataclasses.replace(objects, colour=tf.clip_by_value(colour, 0.0, limit))


def make_plain(objects: Objects, seed) -> Objects:
    """Makes objects smooth, and half of them dark: little of their contrast stays."""
    number = tf.shape(objects.alpha)[0]
    first, second = split_seed(seed, 2)
    mean = _average(objects.colour, objects.alpha, premultiplied=True) * objects.alpha
    colour = mean + (objects.colour - mean) * draw(first, number, *PLAIN)
    dark = tf.exp(-tf.maximum(draw(second, number, -DARK, DARK), 0.0))
    return dataclasses.replace(objects, colour=colour * dark)


def retexture(objects: Objects, textures, seed) -> Objects:
    """Paints objects with another picture with probability 0.15, keeping their shading.

    Args:
      objects: The objects to paint.
      textures: float32 [n, h, w, 3], 0 to 255.
      seed: int32 [2].

    Returns:
      Objects of the same shape.
    """
    number = tf.shape(objects.alpha)[0]
    painted = draw(seed, number, 0.0, 1.0) < TEXTURED
    shade = tf.reduce_mean(objects.colour, -1, keepdims=True)
    mean = _average(shade, objects.alpha, premultiplied=True)
    colour = textures * tf.minimum(shade / tf.maximum(mean, 8.0), 1.5 * objects.alpha)
    colour = tf.minimum(colour, 255.0 * objects.alpha)
    return dataclasses.replace(
        objects, colour=tf.where(painted, colour, objects.colour)
    )


def blend(objects: Objects, scenes, seed) -> Objects:
    """Blends the edge or the colour of an object with its scene in one of four ways.

    Unchanged; hard, alpha 0 or 1; feathered, fading inwards over some three pixels;
    colour-matched, its mean colour moved towards that of the scene behind it.

    Args:
      objects: Placed objects.
      scenes: float32 [n, h, w, 3], 0 to 255, the pictures behind them.
      seed: int32 [2].

    Returns:
      Objects of the same shape.
    """
    number = tf.shape(objects.alpha)[0]
    first, second = split_seed(seed, 2)
    kind = draw(first, number, 0.0, 1.0)
    hard, feathered, matched = (sum(BLENDS[: i + 1]) for i in range(3))
    alpha = objects.alpha
    wide = tf.nn.avg_pool2d(tf.nn.avg_pool2d(alpha, 3, 1, "SAME"), 3, 1, "SAME")
    inward = alpha * tf.clip_by_value(2.0 * wide - 1.0, 0.0, 1.0)
    cut = tf.cast(alpha >= PROBABILITY_THRESHOLD, tf.float32)
    is_hard = (kind >= hard) & (kind < feathered)
    is_soft = (kind >= feathered) & (kind < matched)
    edge = tf.where(is_hard, cut, tf.where(is_soft, inward, alpha))
    gap = _average(scenes, alpha) - _average(objects.colour, alpha, premultiplied=True)
    move = draw(second, number, 0.3, 0.8) * tf.cast(kind >= matched, tf.float32)
    colour = (objects.colour + move * gap * alpha) * edge / tf.maximum(alpha, 0.05)
    colour = tf.clip_by_value(colour, 0.0, 255.0 * edge)
    return Objects(colour, edge, objects.depth)


def paste(scene: Scene, objects: Objects, behind, present=False) -> Scene:
    """Pastes one object into every scene.

    Its depth is multiplied by one factor of at most 1, so that it stands before the
    pixels that it hides, and is nowhere greater than the scene's.

    Args:
      scene: The scenes to paste into.
      objects: Placed and blended; an alpha of 0 everywhere leaves a scene as it is.
      behind: bool [n], whether the new objects that are there hide it.
      present: bool [], whether it is pasted into the background too, so that it is
        not new.

    Returns:
      The scene with the object.
    """
    seen = 1.0 - scene.mask * tf.cast(behind, tf.float32)[:, None, None, None]
    alpha, colour = objects.alpha * seen, objects.colour * seen
    frame = scene.frame * (1.0 - alpha) + colour
    changed = scene.bg * (1.0 - objects.alpha) + objects.colour
    bg = tf.where(present, changed, scene.bg)
    mask = scene.mask * (1.0 - alpha) + tf.where(present, 0.0, alpha)
    here, known = alpha >= PROBABILITY_THRESHOLD, scene.depth > 0
    there = tf.cast(here & known, tf.float32)
    own = tf.cast(here & (objects.depth > 0), tf.float32)
    nearer = 0.95 * _average(scene.depth, there) / (_average(objects.depth, own) + 1e-6)
    nearer = tf.where(tf.reduce_sum(there, (1, 2), keepdims=True) > 0, nearer, 1.0)
    metres = objects.depth * tf.minimum(nearer, 1.0)
    metres = tf.where(known, tf.minimum(metres, scene.depth), metres)
    metres = tf.where(here, metres, scene.depth)
    return dataclasses.replace(scene, bg=bg, frame=frame, mask=mask, depth=metres)


def remove_new(scene: Scene) -> Scene:
    """Removes the new objects; depth becomes unknown where they were."""
    around = tf.nn.max_pool2d(scene.mask, 7, 1, "SAME")
    depth = tf.where(around > 0.02, 0.0, scene.depth)
    nothing = tf.zeros_like(scene.mask)
    return dataclasses.replace(scene, frame=scene.bg, mask=nothing, depth=depth)


def absorb_new(scene: Scene) -> Scene:
    """Makes the new objects a part of the background, so that nothing is new."""
    return dataclasses.replace(scene, bg=scene.frame, mask=tf.zeros_like(scene.mask))


def _find_extent(alpha, axis: int, length: int):
    """Finds the first and last row (axis 2) or column (axis 1) of an object, [n]."""
    there = tf.reduce_max(alpha, (axis, 3)) >= PROBABILITY_THRESHOLD
    places = tf.range(length, dtype=tf.float32)
    first = tf.reduce_min(tf.where(there, places, length - 1.0), 1)
    last = tf.reduce_max(tf.where(there, places, 0.0), 1)
    return tf.minimum(first, last), last


def _average(pictures, weights, premultiplied: bool = False):
    """Averages over each picture, float32 [n, 1, 1, c]; 0 where all weights are 0."""
    weighted = pictures if premultiplied else pictures * weights
    total = tf.reduce_sum(weighted, (1, 2), keepdims=True)
    return total / tf.maximum(tf.reduce_sum(weights, (1, 2), keepdims=True), 1e-6)
