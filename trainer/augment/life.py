"""Makes pairs as a fixed camera sees them from those of the data set."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from trainer.augment import light, motion, pasting, photometric, sensor, weather
from trainer.augment.draws import split_seed
from trainer.augment.pasting import Scene, as_tuple

GROUP_SIZE = 4  # pairs that are made together and lend each other their objects

# Probabilities.
CLEAN = 0.35  # of a pair to get nothing but a mild compression
LIMITS = (0.07, 0.75, 0.92)  # of fewer than 1, 2 and 3 new objects
KEPT = 0.5  # of a pair's own object to stay as it is
ABSORBED = 0.15  # otherwise, of standing in both pictures, so that it is not new
HIDDEN = 0.3  # of a pasted object to stand behind the new objects that are there
PRESENT = 0.08  # of another object in both pictures
# Of an effect, in perturbed pictures.
CAST = 0.75
SWAY = 0.4
JPEG = 0.75
STRENGTH_POWER = 0.6  # of the uniform number that gives the strength of a pair
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
OMITTABLE = (
    "empty", "objects", "cast_shadow", "shake", "sway", "jpeg",
    *(effect.__name__ for effect, _ in EFFECTS),
)  # fmt: skip
NOTHING: frozenset[str] = frozenset()


def make_pairs(scene: Scene, seed, without: frozenset[str] = NOTHING) -> Scene:
    """Makes a group of training pairs from a group of pairs.

    Args:
      scene: A few pairs, as the data set has them; they lend each other objects.
      seed: int32 [2].
      without: Those of `OMITTABLE` to leave out: 'empty', pairs with nothing new;
        'objects', objects other than the pair's own; and effects. All other random
        numbers stay the same.

    Returns:
      As many pairs; pictures in whole grey levels.
    """

    def make_pair(index):
        dice, first, second = split_seed(tf.random.fold_in(seed, index), 3)
        strength = _draw_strength(dice)
        pair = populate(scene, index, first, strength, without)
        return as_tuple(perturb(pair, second, strength, without))

    return _map_pairs(make_pair, scene)


def perturb_pair(pair: Scene, seed) -> Scene:
    """Perturbs a pair for evaluation: nothing is pasted, and labels are kept.

    Args:
      pair: A pair, with a first axis of 1.
      seed: int32 [2].

    Returns:
      The pair, with a shadow of the new objects and the effects of `perturb`.
    """
    dice, first, second = split_seed(seed, 3)
    strength = tf.random.stateless_uniform([], dice) ** STRENGTH_POWER
    shaded = _add_shadow(pair, pair.mask, first, strength)
    return perturb(shaded, second, strength)


def empty_pair(pair: Scene, seed) -> Scene:
    """Makes a pair with nothing new, for evaluation; 35 % of them are clean.

    Args:
      pair: A pair, with a first axis of 1.
      seed: int32 [2].

    Returns:
      The background twice, each perturbed on its own; a mask of 0, and no depth where
      the object was.
    """
    dice, key = split_seed(seed, 2)
    return perturb(pasting.remove_new(pair), key, _draw_strength(dice))


def populate(
    scene: Scene, index, seed, strength, without: frozenset[str] = NOTHING
) -> Scene:
    """Draws the new objects of a pair: their number, kind and place.

    Args:
      scene: Pairs, which lend their objects.
      index: int32 [], the place of the pair among them.
      seed: int32 [2].
      strength: float32 [], 0 to 1, the strength of the objects' shadows.
      without: See `make`.

    Returns:
      The pair, with a first axis of 1.
    """
    keys = split_seed(seed, 7)
    own = _select_pair(scene, index)
    dice = tf.random.stateless_uniform([5], keys[0])
    wanted = tf.reduce_sum(tf.cast(dice[0] >= tf.constant(LIMITS), tf.int32))
    if "empty" in without:
        wanted = tf.maximum(wanted, 1)
    keeps = (wanted > 0) & (dice[1] < KEPT)
    if "objects" in without:
        keeps, wanted = wanted > 0, tf.minimum(wanted, 1)
    begun = tf.switch_case(
        tf.where(keeps, 0, tf.where(dice[2] < ABSORBED, 2, 1)),
        [
            lambda: as_tuple(_add_shadow(own, own.mask, keys[1], strength, without)),
            lambda: as_tuple(pasting.remove_new(own)),
            lambda: as_tuple(pasting.absorb_new(own)),
        ],
    )
    result = Scene(*begun)
    missing = wanted - tf.cast(keeps, tf.int32)
    if "objects" in without:
        return result
    turns = [(dice[3] < PRESENT, True), *((missing > k, False) for k in range(3))]
    for (active, present), key in zip(turns, keys[2:], strict=False):

        def add(result=result, present=present, key=key):
            return as_tuple(
                _add_object(
                    result, scene, index, keeps, present, key, strength, without
                )
            )

        result = Scene(*tf.cond(active, add, lambda old=result: as_tuple(old)))
    return result


def _add_object(
    pair: Scene, stock: Scene, index, keeps, present: bool, seed, strength, without
):
    """Pastes an object of another pair into one pair, with its shadow."""
    keys = split_seed(seed, 7)
    number = tf.shape(stock.mask)[0]
    dice = tf.random.stateless_uniform([2], keys[0])
    # A pair that keeps its own object gets another's.
    first = tf.where(keeps & (number > 1), 1.0, 0.0)
    steps = tf.floor(first + dice[0] * (tf.cast(number, tf.float32) - first))
    donor = (index + tf.cast(steps, tf.int32)) % number
    texture = stock.bg[(index + 1) % number][None]
    objects = pasting.place(pasting.cut_out(_select_pair(stock, donor)), keys[1])
    objects = pasting.recolour(objects, keys[2])
    objects = pasting.retexture(objects, texture, keys[3])
    objects = pasting.blend(objects, pair.frame, keys[4])
    if not present:
        pair = _add_shadow(pair, objects.alpha, keys[5], strength, without)
    return pasting.paste(pair, objects, dice[1:] < HIDDEN, present)


def _add_shadow(pair: Scene, silhouette, seed, strength, without=NOTHING) -> Scene:
    """Casts a shadow of an object on the frame, with probability `CAST`."""
    if "cast_shadow" in without:
        return pair
    dice, key = split_seed(seed, 2)
    amount = _draw_amount(strength, dice, CAST)
    frame = tf.cond(
        amount > 0,
        lambda: light.cast_shadow(pair.frame, silhouette, key, amount),
        lambda: pair.frame,
    )
    return dataclasses.replace(pair, frame=frame)


def perturb(pair: Scene, seed, strength, without: frozenset[str] = NOTHING) -> Scene:
    """Applies camera, light, weather and compression to both pictures of a pair.

    Labels stay, since only the background is moved.

    Args:
      pair: A pair, with a first axis of 1.
      seed: int32 [2].
      strength: float32 [], 0 to 1; 0 is nothing but a mild compression.
      without: See `make`.

    Returns:
      The pair; pictures in whole grey levels.
    """
    first, second, third = split_seed(seed, 3)
    bg = tf.cond(
        strength > 0,
        lambda: move_background(pair.bg, first, strength, without),
        lambda: pair.bg,
    )
    bg = apply_effects(bg, second, strength, without)
    frame = apply_effects(pair.frame, third, strength, without)
    return dataclasses.replace(pair, bg=bg, frame=frame)


def move_background(bg, seed, strength, without: frozenset[str] = NOTHING):
    """Moves a background as a shaking camera and swaying leaves do, in one resampling.

    Args:
      bg: float32 [1, h, w, 3].
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `make`.

    Returns:
      float32 [1, h, w, 3].
    """
    dice, first, second = split_seed(seed, 3)
    shaking = 0.0 if "shake" in without else strength
    shaken = motion.draw_shake_flow(bg, first, shaking)
    amount = _draw_amount(strength, dice, 0.0 if "sway" in without else SWAY)

    def add_sway():
        swayed = motion.draw_sway_flow(bg, second, amount)
        return shaken[0] + swayed[0], shaken[1] + swayed[1]

    return motion.warp(bg, tf.cond(amount > 0, add_sway, lambda: shaken))


def apply_effects(picture, seed, strength, without: frozenset[str] = NOTHING):
    """Applies the effects of light, weather and camera to one picture.

    Args:
      picture: float32 [1, h, w, 3], 0 to 255.
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `make`.

    Returns:
      float32 [1, h, w, 3], whole grey levels.
    """
    keys = iter(split_seed(seed, 2 * len(EFFECTS) + 2))
    for effect, probability in EFFECTS:
        amount = _draw_amount(strength, next(keys), probability)
        key = next(keys)
        if effect.__name__ not in without:
            picture = _apply_effect(effect, picture, key, amount)
    amount = tf.where(strength > 0, strength, CLEAN_JPEG)
    probability = 0.0 if "jpeg" in without else JPEG
    amount, key = _draw_amount(amount, next(keys), probability), next(keys)
    return tf.cond(
        amount > 0,
        lambda: sensor.jpeg(picture, key, amount),
        lambda: tf.round(tf.clip_by_value(picture, 0.0, 255.0)),
    )


def _apply_effect(effect, picture, seed, amount):
    """Applies an effect; one of amount 0 is not computed."""
    return tf.cond(amount > 0, lambda: effect(picture, seed, amount), lambda: picture)


def _map_pairs(function, scene: Scene) -> Scene:
    """Maps a function over the pairs of a group, one by one.

    A picture stays in the processor's cache, and effects that a pair does not get
    cost nothing.
    """
    specs = tuple(tf.TensorSpec((1, *v.shape[1:]), v.dtype) for v in as_tuple(scene))
    pairs = tf.map_fn(
        function, tf.range(tf.shape(scene.mask)[0]), fn_output_signature=specs
    )
    return Scene(*(value[:, 0] for value in pairs))


def _select_pair(scene: Scene, index) -> Scene:
    return Scene(*(value[index][None] for value in as_tuple(scene)))


def _draw_strength(seed):
    """Draws the strength of a pair's perturbation, float32 [], 0 to 1."""
    clean, power = tf.unstack(tf.random.stateless_uniform([2], seed))
    return tf.where(clean < CLEAN, 0.0, power**STRENGTH_POWER)


def _draw_amount(strength, seed, probability: float):
    """Gives the strength with a probability, else 0, float32 []."""
    return tf.where(tf.random.stateless_uniform([], seed) < probability, strength, 0.0)
