"""Makes pairs as a fixed camera sees them from those of the data set."""

from __future__ import annotations

import tensorflow as tf

from trainer.augment import pasting
from trainer.augment.chances import NOTHING, WIDE
from trainer.augment.draws import split_seed
from trainer.augment.pasting import Scene, as_tuple
from trainer.augment.perturbation import perturb
from trainer.augment.population import add_shadow, populate

GROUP_SIZE = 4  # pairs that are made together and lend each other their objects
CLEAN = 0.35  # probability of a pair to get nothing but a mild compression
STRENGTH_POWER = 0.6  # of the uniform number that gives the strength of a pair


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
    shaded = add_shadow(pair, pair.mask, first, strength, frozenset(WIDE))
    return perturb(shaded, second, strength, frozenset(WIDE))


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
    pair = pasting.remove_new(pair)
    return perturb(pair, key, _draw_strength(dice), frozenset(WIDE))


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


def _draw_strength(seed):
    """Draws the strength of a pair's perturbation, float32 [], 0 to 1."""
    clean, power = tf.unstack(tf.random.stateless_uniform([2], seed))
    return tf.where(clean < CLEAN, 0.0, power**STRENGTH_POWER)
