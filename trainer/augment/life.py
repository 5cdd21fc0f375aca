"""All of it together: pairs as a fixed camera sees them, made from composites."""

from __future__ import annotations

import tensorflow as tf

from trainer.augment import light, motion, pasting, photometric, sensor, weather
from trainer.augment.draws import draw, seeds
from trainer.augment.pasting import Scene

GROUP = 4  # pairs that are made together and lend each other their objects

CLEAN = 0.35  # share of pairs that nothing happens to but a mild compression
STRENGTH = 0.6  # of the others: a uniform number to this power
NEW = (0.07, 0.68, 0.17, 0.08)  # shares of pairs with 0, 1, 2, 3 new objects
KEPT = 0.5  # share of pairs whose own object stays as it is
SETTLED = 0.15  # of the others: it stands in both pictures, and is not new
PRESENT = 0.08  # share of pairs where another object stands in both

# How many of the perturbed pictures an effect comes to.
CAST = 0.75
PATCHES = 0.3
SWAY = 0.4
RAIN = 0.06
SPECKS = 0.2
BLUR = 0.5
VIGNETTE = 0.4
NOISE = 0.7
JPEG = 0.75
CLEAN_JPEG = 0.4  # strength of the compression of clean pairs
PHOTOMETRIC = 0.85  # each of exposure, tone curve and white balance


def make(scene: Scene, seed) -> Scene:
    """Makes training pairs of a group of pairs.

    Args:
      scene: A few pairs, as the data set has them; they lend each other objects.
      seed: int32 [2].

    Returns:
      As many pairs; pictures in whole grey levels.
    """
    parts = seeds(seed, 4)
    number = tf.shape(scene.mask)[0]
    uniform = draw(parts[0], number, 0.0, 1.0, channels=2)[:, 0, 0]
    strength = tf.where(uniform[:, 0] < CLEAN, 0.0, uniform[:, 1] ** STRENGTH)
    scene = populate(scene, parts[1], strength)
    return perturb(scene, parts[2], strength)


def populate(scene: Scene, seed, strength) -> Scene:
    """Draws how many objects are new in each pair, and which, and where.

    Args:
      scene: A few pairs; their objects are the stock.
      seed: int32 [2].
      strength: float32 [n], 0 to 1, of the shadows that objects cast.

    Returns:
      As many pairs.
    """
    number = tf.shape(scene.mask)[0]
    parts = seeds(seed, 8)
    dice = draw(parts[0], number, 0.0, 1.0, channels=4)[:, 0, 0]
    limits = tf.constant([sum(NEW[: i + 1]) for i in range(3)])
    wanted = tf.reduce_sum(tf.cast(dice[:, :1] >= limits, tf.int32), 1)
    kept = (wanted > 0) & (dice[:, 1] < KEPT)
    there = tf.where(kept, 0, tf.where(dice[:, 2] < SETTLED, 2, 1))
    stock = pasting.cut_out(scene)
    own = tf.where(kept, _some(strength, parts[1], CAST), 0.0)
    frame = light.cast_shadow(scene.frame, scene.mask, parts[2], own)
    shaded = Scene(scene.bg, frame, scene.mask, scene.depth)
    result = pasting.pick(there, shaded, pasting.emptied(scene), pasting.settled(scene))
    missing = wanted - tf.cast(kept, tf.int32)
    always = dice[:, 3] < PRESENT
    result = _add(result, stock, parts[3], strength, always, always, kept)
    for place in range(3):
        active = missing > place
        never = tf.zeros_like(active)
        result = _add(result, stock, parts[4 + place], strength, active, never, kept)
    return result


def _add(scene: Scene, stock, seed, strength, active, present, kept) -> Scene:
    """Pastes an object of the stock into the active scenes, with its shadow."""

    def added():
        parts = seeds(seed, 8)
        number = tf.shape(scene.mask)[0]
        # A pair that keeps its own object gets another's.
        others = tf.random.stateless_uniform(
            [number], parts[0], 0, tf.maximum(number, 1), tf.int32
        )
        others = tf.where(kept & (number > 1), tf.maximum(others, 1), others)
        donors = (tf.range(number) + others) % number
        objects = pasting.place(pasting.chosen(stock, donors), parts[1])
        objects = pasting.recolour(objects, parts[2])
        objects = pasting.retexture(objects, tf.roll(scene.bg, 1, 0), parts[3])
        objects = pasting.blend(objects, scene.frame, parts[4])
        switch = tf.cast(active, tf.float32)[:, None, None, None]
        objects = pasting.Objects(
            objects.colour * switch, objects.alpha * switch, objects.depth
        )
        cast = tf.where(active & ~present, _some(strength, parts[5], CAST), 0.0)
        frame = light.cast_shadow(scene.frame, objects.alpha, parts[6], cast)
        behind = draw(parts[7], number, 0.0, 1.0)[:, 0, 0, 0] < 0.3
        shaded = Scene(scene.bg, frame, scene.mask, scene.depth)
        return pasting.paste(shaded, objects, present, behind & ~present)

    def same():
        return scene

    result = tf.cond(
        tf.reduce_any(active), lambda: _tuple(added()), lambda: _tuple(same())
    )
    return Scene(*result)


def perturb(scene: Scene, seed, strength) -> Scene:
    """What camera, light, weather and compression do to both pictures of each pair.

    Labels stay: whatever moves, moves the background.

    Args:
      scene: Pairs.
      seed: int32 [2].
      strength: float32 [n], 0 to 1; 0 is nothing but a mild compression.

    Returns:
      The pairs; pictures in whole grey levels.
    """
    parts = seeds(seed, 6)
    bg = moved(scene.bg, parts[0], strength)
    both = tf.concat([bg, scene.frame], 0)
    both = seen(both, parts[1], tf.concat([strength, strength], 0))
    bg, frame = tf.split(both, 2)
    return Scene(bg, frame, scene.mask, scene.depth)


def moved(bg, seed, strength):
    """Background after the camera shook and leaves swayed, in one resampling."""
    parts = seeds(seed, 3)
    swaying = _some(strength, parts[0], SWAY)
    flow = motion.shake_flow(bg, parts[1], strength)
    flow += motion.sway_flow(bg, parts[2], swaying)
    there = tf.where(strength > 0)
    picked = motion.warp(tf.gather_nd(bg, there), tf.gather_nd(flow, there))
    return tf.tensor_scatter_nd_update(bg, there, picked)


def seen(pictures, seed, strength):
    """Pictures under a light and through a camera of their own, each on its own.

    Args:
      pictures: float32 [n, h, w, 3], 0 to 255.
      seed: int32 [2].
      strength: float32 [n], 0 to 1.

    Returns:
      float32 [n, h, w, 3], whole grey levels.
    """
    effects = (
        (light.light_patches, PATCHES),
        (weather.rain, RAIN),
        (weather.specks, SPECKS),
        (photometric.vignette, VIGNETTE),
        (sensor.blur, BLUR),
        (photometric.exposure, PHOTOMETRIC),
        (photometric.gamma, PHOTOMETRIC),
        (photometric.white_balance, PHOTOMETRIC),
        (sensor.noise, NOISE),
    )
    parts = seeds(seed, 2 * len(effects) + 2)
    for (effect, share), first, second in zip(
        effects, parts[2::2], parts[3::2], strict=True
    ):
        amount = _some(strength, first, share)
        pictures = _where_some(effect, pictures, second, amount)
    amount = tf.where(strength > 0, strength, CLEAN_JPEG)
    return sensor.jpeg(pictures, parts[1], _some(amount, parts[0], JPEG))


def _where_some(effect, pictures, seed, strength):
    """Applies an effect to the pictures of a strength above 0 alone: it is quicker."""
    there = tf.where(strength > 0)

    def applied():
        some = tf.ensure_shape(
            tf.gather_nd(pictures, there), (None, *pictures.shape[1:])
        )
        changed = effect(some, seed, tf.gather_nd(strength, there))
        return tf.tensor_scatter_nd_update(pictures, there, changed)

    return tf.cond(tf.shape(there)[0] > 0, applied, lambda: pictures)


def _some(strength, seed, share: float):
    """Strengths with all but a share of them made 0, float32 [n]."""
    dice = draw(seed, tf.shape(strength)[0], 0.0, 1.0)[:, 0, 0, 0]
    return tf.where(dice < share, strength, 0.0)


def _tuple(scene: Scene) -> tuple:
    return scene.bg, scene.frame, scene.mask, scene.depth
