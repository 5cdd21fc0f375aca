"""The new objects of a pair: their number, kind, place, shadow and reflection."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from trainer.augment import light, pasting
from trainer.augment.chances import NOTHING, draw_amount
from trainer.augment.draws import split_seed
from trainer.augment.pasting import Objects, Scene, as_tuple

# Probabilities.
LIMITS = (0.07, 0.75, 0.92)  # of fewer than 1, 2 and 3 new objects
KEPT = 0.5  # of a pair's own object to stay as it is
ABSORBED = 0.15  # otherwise, of standing in both pictures, so that it is not new
HIDDEN = 0.3  # of a pasted object to stand behind the new objects that are there
PRESENT = 0.08  # of another object in both pictures
CAST = 0.75  # of a shadow, in perturbed pairs
HARD = 0.3  # of a shadow to be at full strength, as the sun's, however mild the pair
LONG = 0.4  # of a shadow to be long, as of a low sun
ALONE = 0.12  # of a shadow of what is not in the picture, in perturbed pairs
REFLECTED = 0.12  # of an object to be mirrored in the ground, in perturbed pairs
CLOSE_BY, FAR_AWAY = 0.1, 0.15  # of a pasted object to be very large or small
PLAIN = 0.15  # of a pasted object to be smooth


def populate(
    scene: Scene, index, seed, strength, without: frozenset[str] = NOTHING
) -> Scene:
    """Draws the new objects of a pair.

    Args:
      scene: Pairs, which lend their objects.
      index: int32 [], the place of the pair among them.
      seed: int32 [2].
      strength: float32 [], 0 to 1, the strength of the objects' shadows.
      without: See `life.make_pairs`.

    Returns:
      The pair, with a first axis of 1.
    """
    keys = split_seed(seed, 7)
    own = select_pair(scene, index)
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
            lambda: as_tuple(_keep_own(own, keys[1], strength, without)),
            lambda: as_tuple(pasting.remove_new(own)),
            lambda: as_tuple(pasting.absorb_new(own)),
        ],
    )
    result = Scene(*begun)
    result = _add_lone_shadow(
        result, scene, index, tf.random.fold_in(keys[0], 1), strength, without
    )
    missing = wanted - tf.cast(keeps, tf.int32)
    if "objects" in without:
        return result

    turns = tf.stack(keys[2:])

    # One body for all turns, since its trace is long; the first turn's object stands in
    # both pictures.
    def take_turn(turn, *values):
        active = tf.where(turn == 0, dice[3] < PRESENT, missing >= turn)

        def add():
            pair = Scene(*values)
            present, key = turn == 0, turns[turn]
            return as_tuple(
                _add_object(pair, scene, index, keeps, present, key, strength, without)
            )

        return turn + 1, *tf.cond(active, add, lambda: values)

    _, *values = tf.while_loop(
        lambda turn, *_: turn <= len(LIMITS), take_turn, (0, *as_tuple(result))
    )
    return Scene(*values)


def add_shadow(
    pair: Scene, silhouette, seed, strength, without=NOTHING, seen=1.0
) -> Scene:
    """Casts a shadow of an object on the frame, with probability `CAST`.

    Args:
      pair: A pair, with a first axis of 1.
      silhouette: float32 [1, h, w, 1], 0 to 1, the object's alpha.
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `life.make_pairs`.
      seen: 1 if the object is in the picture, 0 if only its shadow is.
    """
    if "cast_shadow" in without:
        return pair
    dice, key = split_seed(seed, 2)
    amount = draw_amount(strength, dice, CAST)
    if "hard_shadow" not in without:
        full = tf.where(amount > 0, 1.0, 0.0)
        amount = tf.maximum(amount, draw_amount(full, tf.random.fold_in(dice, 1), HARD))
    long = tf.constant(False)
    if "long_shadow" not in without:
        long = tf.random.stateless_uniform([], tf.random.fold_in(dice, 2)) < LONG
    frame = tf.cond(
        amount > 0,
        lambda: light.cast_shadow(pair.frame, silhouette, key, amount, long, seen),
        lambda: pair.frame,
    )
    return dataclasses.replace(pair, frame=frame)


def select_pair(scene: Scene, index) -> Scene:
    """Selects one of the pairs, with a first axis of 1."""
    return Scene(*(value[index][None] for value in as_tuple(scene)))


def _keep_own(own: Scene, seed, strength, without) -> Scene:
    shaded = add_shadow(own, own.mask, seed, strength, without)
    return _add_reflection(shaded, pasting.cut_out(own), seed, strength, without)


def _add_object(
    pair: Scene, stock: Scene, index, keeps, present, seed, strength, without
):
    """Pastes an object of another pair into one pair, with its shadow.

    Where it is `present`, bool [], it stands in both pictures, without a shadow.
    """
    keys = split_seed(seed, 7)
    number = tf.shape(stock.mask)[0]
    dice = tf.random.stateless_uniform([2], keys[0])
    # A pair that keeps its own object gets another's.
    first = tf.where(keeps & (number > 1), 1.0, 0.0)
    steps = tf.floor(first + dice[0] * (tf.cast(number, tf.float32) - first))
    donor = (index + tf.cast(steps, tf.int32)) % number
    texture = stock.bg[(index + 1) % number][None]
    bounds = _draw_bounds(tf.random.fold_in(keys[0], 1), without)
    objects = pasting.cut_out(select_pair(stock, donor))
    objects = pasting.place(objects, keys[1], bounds)
    objects = pasting.recolour(objects, keys[2])
    objects = pasting.retexture(objects, texture, keys[3])
    objects = _make_plain(objects, tf.random.fold_in(keys[3], 1), without)
    objects = pasting.blend(objects, pair.frame, keys[4])
    strength = tf.where(present, 0.0, strength)
    pair = add_shadow(pair, objects.alpha, keys[5], strength, without)
    pair = _add_reflection(pair, objects, keys[5], strength, without)
    return pasting.paste(pair, objects, dice[1:] < HIDDEN, present)


def _add_lone_shadow(pair: Scene, stock: Scene, index, seed, strength, without):
    """Casts the shadow of what stands or drives outside of the picture."""
    if "lone_shadow" in without:
        return pair
    dice, where, key = split_seed(seed, 3)
    amount = draw_amount(strength, dice, ALONE)
    other = select_pair(stock, (index + 1) % tf.shape(stock.mask)[0])

    def cast():
        silhouette = pasting.place(pasting.cut_out(other), where).alpha
        shaded = add_shadow(pair, silhouette, key, amount, without, seen=0.0)
        return shaded.frame

    frame = tf.cond(amount > 0, cast, lambda: pair.frame)
    return dataclasses.replace(pair, frame=frame)


def _draw_bounds(seed, without):
    """Draws whether an object is close by, far away or neither; see `pasting.place`."""
    dice = tf.random.stateless_uniform([], seed)
    bounds = tf.constant(pasting.ORDINARY)
    if "close_by" not in without:
        bounds = tf.where(dice < CLOSE_BY, tf.constant(pasting.CLOSE_BY), bounds)
    if "far_away" not in without:
        bounds = tf.where(dice > 1 - FAR_AWAY, tf.constant(pasting.FAR_AWAY), bounds)
    return bounds


def _make_plain(objects: Objects, seed, without) -> Objects:
    if "make_plain" in without:
        return objects
    dice, key = split_seed(seed, 2)
    plain = tf.random.stateless_uniform([], dice) < PLAIN
    colour = tf.cond(
        plain,
        lambda: pasting.make_plain(objects, key).colour,
        lambda: objects.colour,
    )
    return dataclasses.replace(objects, colour=colour)


def _add_reflection(pair: Scene, objects: Objects, seed, strength, without) -> Scene:
    if "reflect" in without:
        return pair
    dice, key = split_seed(tf.random.fold_in(seed, 1), 2)
    amount = draw_amount(tf.where(strength > 0, 1.0, 0.0), dice, REFLECTED)
    frame = tf.cond(
        amount > 0,
        lambda: light.reflect(pair.frame, objects.colour, objects.alpha, key, amount),
        lambda: pair.frame,
    )
    return dataclasses.replace(pair, frame=frame)
