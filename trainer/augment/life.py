"""All of it together: pairs as a fixed camera sees them, made from composites."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from trainer.augment import light, motion, pasting, photometric, sensor, weather
from trainer.augment.draws import seeds
from trainer.augment.pasting import Scene, values

GROUP = 4  # pairs that are made together and lend each other their objects

CLEAN = 0.35  # share of pairs that nothing happens to but a mild compression
STRENGTH = 0.6  # of the others: a uniform number to this power
LIMITS = (0.07, 0.75, 0.92)  # shares of pairs with less than 1, 2, 3 new objects
KEPT = 0.5  # share of pairs whose own object stays as it is
SETTLED = 0.15  # of the others: it stands in both pictures, and is not new
HIDDEN = 0.3  # share of pasted objects that hide behind what is new already
PRESENT = 0.08  # share of pairs where another object stands in both

# How many of the perturbed pictures an effect comes to.
CAST = 0.75
SWAY = 0.4
JPEG = 0.75
CLEAN_JPEG = 0.4  # strength of the compression of clean pairs
EFFECTS = (
    (light.light_patches, 0.3),
    (weather.rain, 0.06),
    (weather.specks, 0.2),
    (photometric.vignette, 0.4),
    (sensor.blur, 0.5),
    (photometric.exposure, 0.85),
    (photometric.gamma, 0.85),
    (photometric.white_balance, 0.85),
    (sensor.noise, 0.7),
)
PARTS = (
    "empty", "objects", "cast_shadow", "shake", "sway", "jpeg",
    *(effect.__name__ for effect, _ in EFFECTS),
)  # fmt: skip
WHOLE: frozenset[str] = frozenset()


def make(scene: Scene, seed, without: frozenset[str] = WHOLE) -> Scene:
    """Makes training pairs of a group of pairs.

    Args:
      scene: A few pairs, as the data set has them; they lend each other objects.
      seed: int32 [2].
      without: Those of `PARTS` that are left out: 'empty', pairs with nothing new;
        'objects', others than the pair's own; and effects. What else is drawn stays
        the same.

    Returns:
      As many pairs; pictures in whole grey levels.
    """

    def made(index):
        dice, first, second = seeds(tf.random.fold_in(seed, index), 3)
        strength = _strength(dice)
        pair = populate(scene, index, first, strength, without)
        return values(perturb(pair, second, strength, without))

    return _each(made, scene)


def perturbed(pair: Scene, seed) -> Scene:
    """A pair as life would have had it, for evaluation: nothing pasted, labels kept.

    Args:
      pair: A pair, with a first axis of 1.
      seed: int32 [2].

    Returns:
      The pair, with a shadow of what is new and all that `perturb` does.
    """
    dice, first, second = seeds(seed, 3)
    strength = tf.random.stateless_uniform([], dice) ** STRENGTH
    shaded = _shaded(pair, pair.mask, first, strength)
    return perturb(shaded, second, strength)


def empty(pair: Scene, seed) -> Scene:
    """A pair with nothing new, for evaluation; a third of them clean, as in training.

    Args:
      pair: A pair, with a first axis of 1.
      seed: int32 [2].

    Returns:
      The background twice, each perturbed on its own; a mask of 0, and no depth where
      the object was.
    """
    dice, part = seeds(seed, 2)
    return perturb(pasting.emptied(pair), part, _strength(dice))


def populate(
    scene: Scene, index, seed, strength, without: frozenset[str] = WHOLE
) -> Scene:
    """Draws how many objects are new in a pair, and which, and where.

    Args:
      scene: Pairs; their objects are the stock.
      index: int32 [], the pair among them.
      seed: int32 [2].
      strength: float32 [], 0 to 1, of the shadows that objects cast.
      without: See `make`.

    Returns:
      The pair, with a first axis of 1.
    """
    parts = seeds(seed, 7)
    own = _one(scene, index)
    dice = tf.random.stateless_uniform([5], parts[0])
    wanted = tf.reduce_sum(tf.cast(dice[0] >= tf.constant(LIMITS), tf.int32))
    if "empty" in without:
        wanted = tf.maximum(wanted, 1)
    keeps = (wanted > 0) & (dice[1] < KEPT)
    if "objects" in without:
        keeps, wanted = wanted > 0, tf.minimum(wanted, 1)
    begun = tf.switch_case(
        tf.where(keeps, 0, tf.where(dice[2] < SETTLED, 2, 1)),
        [
            lambda: values(_shaded(own, own.mask, parts[1], strength, without)),
            lambda: values(pasting.emptied(own)),
            lambda: values(pasting.settled(own)),
        ],
    )
    result = Scene(*begun)
    missing = wanted - tf.cast(keeps, tf.int32)
    if "objects" in without:
        return result
    turns = [(dice[3] < PRESENT, True), *((missing > k, False) for k in range(3))]
    for (active, present), part in zip(turns, parts[2:], strict=False):

        def added(result=result, present=present, part=part):
            return values(
                _added(result, scene, index, keeps, present, part, strength, without)
            )

        result = Scene(*tf.cond(active, added, lambda old=result: values(old)))
    return result


def _added(
    pair: Scene, stock: Scene, index, keeps, present: bool, seed, strength, without
):
    """Pastes an object of the stock into one pair, with its shadow."""
    parts = seeds(seed, 7)
    number = tf.shape(stock.mask)[0]
    dice = tf.random.stateless_uniform([2], parts[0])
    # A pair that keeps its own object gets another's.
    least = tf.where(keeps & (number > 1), 1.0, 0.0)
    steps = tf.floor(least + dice[0] * (tf.cast(number, tf.float32) - least))
    donor = (index + tf.cast(steps, tf.int32)) % number
    texture = stock.bg[(index + 1) % number][None]
    objects = pasting.place(pasting.cut_out(_one(stock, donor)), parts[1])
    objects = pasting.recolour(objects, parts[2])
    objects = pasting.retexture(objects, texture, parts[3])
    objects = pasting.blend(objects, pair.frame, parts[4])
    if not present:
        pair = _shaded(pair, objects.alpha, parts[5], strength, without)
    return pasting.paste(pair, objects, dice[1:] < HIDDEN, present)


def _shaded(pair: Scene, silhouette, seed, strength, without=WHOLE) -> Scene:
    """Lets an object cast a shadow on the frame, in most of the perturbed pairs."""
    if "cast_shadow" in without:
        return pair
    dice, part = seeds(seed, 2)
    amount = _sometimes(strength, dice, CAST)
    frame = tf.cond(
        amount > 0,
        lambda: light.cast_shadow(pair.frame, silhouette, part, amount),
        lambda: pair.frame,
    )
    return dataclasses.replace(pair, frame=frame)


def perturb(pair: Scene, seed, strength, without: frozenset[str] = WHOLE) -> Scene:
    """What camera, light, weather and compression do to both pictures of a pair.

    Labels stay: whatever moves, moves the background.

    Args:
      pair: A pair, with a first axis of 1.
      seed: int32 [2].
      strength: float32 [], 0 to 1; 0 is nothing but a mild compression.
      without: See `make`.

    Returns:
      The pair; pictures in whole grey levels.
    """
    first, second, third = seeds(seed, 3)
    bg = tf.cond(
        strength > 0,
        lambda: moved(pair.bg, first, strength, without),
        lambda: pair.bg,
    )
    bg = seen(bg, second, strength, without)
    frame = seen(pair.frame, third, strength, without)
    return dataclasses.replace(pair, bg=bg, frame=frame)


def moved(bg, seed, strength, without: frozenset[str] = WHOLE):
    """Background after the camera shook and leaves swayed, in one resampling.

    Args:
      bg: float32 [1, h, w, 3].
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `make`.

    Returns:
      float32 [1, h, w, 3].
    """
    dice, first, second = seeds(seed, 3)
    shaking = 0.0 if "shake" in without else strength
    shaken = motion.shake_flow(bg, first, shaking)
    amount = _sometimes(strength, dice, 0.0 if "sway" in without else SWAY)

    def swaying():
        swayed = motion.sway_flow(bg, second, amount)
        return shaken[0] + swayed[0], shaken[1] + swayed[1]

    return motion.warp(bg, tf.cond(amount > 0, swaying, lambda: shaken))


def seen(picture, seed, strength, without: frozenset[str] = WHOLE):
    """A picture under a light and through a camera of its own.

    Args:
      picture: float32 [1, h, w, 3], 0 to 255.
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `make`.

    Returns:
      float32 [1, h, w, 3], whole grey levels.
    """
    parts = iter(seeds(seed, 2 * len(EFFECTS) + 2))
    for effect, share in EFFECTS:
        amount, part = _sometimes(strength, next(parts), share), next(parts)
        if effect.__name__ in without:
            continue

        def changed(picture=picture, effect=effect, amount=amount, part=part):
            return effect(picture, part, amount)

        picture = tf.cond(amount > 0, changed, lambda old=picture: old)
    amount = tf.where(strength > 0, strength, CLEAN_JPEG)
    share = 0.0 if "jpeg" in without else JPEG
    amount, part = _sometimes(amount, next(parts), share), next(parts)
    return tf.cond(
        amount > 0,
        lambda: sensor.jpeg(picture, part, amount),
        lambda: tf.round(tf.clip_by_value(picture, 0.0, 255.0)),
    )


def _each(made, scene: Scene) -> Scene:
    """Makes every pair of a group on its own; a picture stays in the processor's cache.

    Effects that a pair does not get cost nothing.
    """
    specs = tuple(tf.TensorSpec((1, *v.shape[1:]), v.dtype) for v in values(scene))
    pairs = tf.map_fn(
        made, tf.range(tf.shape(scene.mask)[0]), fn_output_signature=specs
    )
    return Scene(*(value[:, 0] for value in pairs))


def _one(scene: Scene, index) -> Scene:
    return Scene(*(value[index][None] for value in values(scene)))


def _strength(seed):
    """How much happens to a pair, float32 [], 0 to 1."""
    clean, power = tf.unstack(tf.random.stateless_uniform([2], seed))
    return tf.where(clean < CLEAN, 0.0, power**STRENGTH)


def _sometimes(strength, seed, share: float):
    """The strength, or 0 with all but a probability, float32 []."""
    return tf.where(tf.random.stateless_uniform([], seed) < share, strength, 0.0)
