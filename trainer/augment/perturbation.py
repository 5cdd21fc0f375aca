"""Camera, light, weather and compression, applied to both pictures of a pair."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from trainer.augment import light, motion, sensor
from trainer.augment.chances import (
    BEFORE_CAMERA,
    EFFECTS,
    NOTHING,
    OF_CAMERA,
    draw_amount,
)
from trainer.augment.draws import split_seed
from trainer.augment.pasting import Scene

# Probabilities, in perturbed pairs.
SWAY = 0.4
TOSSED = 0.2  # of leaves and water that move far
KNOWN = 0.6  # of the spread of what is tossed to be known
PASSAGE = 0.15  # of a spread that is not the scene's, in clean pairs too
JPEG = 0.75
GLARE = 0.08  # of each picture on its own
CLEAN_JPEG = 0.4  # strength of the compression of clean pairs


def perturb(pair: Scene, seed, strength, without: frozenset[str] = NOTHING) -> Scene:
    """Applies camera, light, weather and compression to both pictures of a pair.

    Labels stay, since only the background is moved.

    Args:
      pair: A pair, with a first axis of 1.
      seed: int32 [2].
      strength: float32 [], 0 to 1; 0 is nothing but a mild compression.
      without: See `life.make_pairs`.

    Returns:
      The pair; pictures in whole grey levels.
    """
    first, second, third = split_seed(seed, 3)
    own = tf.random.fold_in(seed, 1)
    pair = share_effects(pair, BEFORE_CAMERA, own, strength, without)
    still = tf.zeros_like(pair.mask)
    bg, spread = tf.cond(
        strength > 0,
        lambda: move_background(pair.bg, first, strength, without),
        lambda: (pair.bg, still),
    )
    spread = _add_passage(spread, tf.random.fold_in(own, 2), without)
    bg = apply_effects(bg, second, strength, without)
    frame = apply_effects(pair.frame, third, strength, without)
    pair = dataclasses.replace(pair, bg=bg, frame=frame, spread=spread)
    own = tf.random.fold_in(own, 1)
    pair = share_effects(pair, OF_CAMERA, own, strength, without)
    return dataclasses.replace(pair, bg=tf.round(pair.bg), frame=tf.round(pair.frame))


def share_effects(
    pair: Scene, effects, seed, strength, without: frozenset[str] = NOTHING
) -> Scene:
    """Applies effects to both pictures of a perturbed pair alike.

    Each has an amount of its own, so that mild pairs have it too.

    Args:
      pair: A pair, with a first axis of 1.
      effects: Effects with their probabilities.
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `life.make_pairs`.

    Returns:
      The pair.
    """
    bg, frame = pair.bg, pair.frame
    for number, (effect, probability) in enumerate(effects):
        if effect.__name__ in without:
            continue
        key = tf.random.fold_in(seed, number)
        amount = _draw_own_amount(strength, key, probability)
        bg = apply_effect(effect, bg, key, amount)
        frame = apply_effect(effect, frame, key, amount)
    return dataclasses.replace(pair, bg=bg, frame=frame)


def move_background(bg, seed, strength, without: frozenset[str] = NOTHING):
    """Moves a background as a shaking camera and swaying leaves do, in one resampling.

    Args:
      bg: float32 [1, h, w, 3].
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `life.make_pairs`.

    Returns:
      The background, float32 [1, h, w, 3], and its spread, float32 [1, h, w, 1], as
      `Scene` has them.
    """
    dice, first, second = split_seed(seed, 3)
    third = tf.random.fold_in(seed, 1)
    shaking = 0.0 if "shake" in without else strength
    shaken = motion.draw_shake_flow(bg, first, shaking)
    amount = draw_amount(strength, dice, 0.0 if "sway" in without else SWAY)

    def add_sway():
        swayed = motion.draw_sway_flow(bg, second, amount)
        return shaken[0] + swayed[0], shaken[1] + swayed[1]

    flow = tf.cond(amount > 0, add_sway, lambda: shaken)
    still = tf.zeros_like(bg[..., :1])
    if "toss" in without:
        return motion.warp(bg, flow), still
    tossing = _draw_own_amount(strength, third, TOSSED)
    known = tf.random.stateless_uniform([], tf.random.fold_in(third, 1)) < KNOWN

    def add_toss():
        tossed = motion.draw_toss_flow(bg, third, 0, tossing)
        spread = tf.cond(
            known, lambda: motion.measure_spread(bg, third, tossing), lambda: still
        )
        return flow[0] + tossed[0], flow[1] + tossed[1], spread

    down, right, spread = tf.cond(tossing > 0, add_toss, lambda: (*flow, still))
    return motion.warp(bg, (down, right)), spread


def apply_effects(picture, seed, strength, without: frozenset[str] = NOTHING):
    """Applies the effects of light, weather and camera to one picture.

    Args:
      picture: float32 [1, h, w, 3], 0 to 255.
      seed: int32 [2].
      strength: float32 [], 0 to 1.
      without: See `life.make_pairs`.

    Returns:
      float32 [1, h, w, 3], whole grey levels.
    """
    keys = iter(split_seed(seed, 2 * len(EFFECTS) + 2))
    for effect, probability in EFFECTS:
        amount = draw_amount(strength, next(keys), probability)
        key = next(keys)
        if effect.__name__ not in without:
            picture = apply_effect(effect, picture, key, amount)
    if "glare" not in without:
        key = tf.random.fold_in(seed, 1)
        amount = _draw_own_amount(strength, key, GLARE)
        picture = apply_effect(light.glare, picture, key, amount)
    amount = tf.where(strength > 0, strength, CLEAN_JPEG)
    probability = 0.0 if "jpeg" in without else JPEG
    amount, key = draw_amount(amount, next(keys), probability), next(keys)
    return tf.cond(
        amount > 0,
        lambda: sensor.jpeg(picture, key, amount),
        lambda: tf.round(tf.clip_by_value(picture, 0.0, 255.0)),
    )


def apply_effect(effect, picture, seed, amount):
    """Applies an effect; one of amount 0 is not computed."""
    return tf.cond(amount > 0, lambda: effect(picture, seed, amount), lambda: picture)


def _add_passage(spread, seed, without: frozenset[str]):
    if "passage" in without:
        return spread
    dice, key = split_seed(seed, 2)
    return tf.cond(
        tf.random.stateless_uniform([], dice) < PASSAGE,
        lambda: tf.maximum(spread, motion.draw_passage(spread, key)),
        lambda: spread,
    )


def _draw_own_amount(strength, seed, probability: float):
    """Draws an amount, float32 [], in perturbed pairs with a probability, else 0."""
    first, second = split_seed(tf.random.fold_in(seed, 2), 2)
    amount = tf.where(strength > 0, tf.random.stateless_uniform([], second), 0.0)
    return draw_amount(amount, first, probability)
