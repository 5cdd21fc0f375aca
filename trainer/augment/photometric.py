"""Exposure, tone curve, white balance, vignetting, dusk and grey cameras.

Every function takes pictures float32 [n, h, w, 3] in 0 to 255, a seed int32 [2] and a
strength float32 [n] or [], 0 (no change) to 1 (the full range), and returns pictures of
the same shape and range. Each picture of the batch is changed independently.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.augment.draws import as_column, draw, split_seed

STOPS = 0.6  # exposure, to either side
OFFSET = 12.0  # of the black level, grey levels
GAMMA = 0.3  # natural logarithm of the exponent
BALANCE = 0.15  # natural logarithm of a channel's gain
VIGNETTE = 0.5  # darkening of the corners
DUSK = (0.3, 2.2)  # natural logarithm of the light that is lost
PALE = 0.8  # of the colours, lost at dusk
LEAK = 25.0  # black level at dusk, grey levels


def exposure(pictures, seed, strength):
    """Changes the gain by up to 0.6 stops, the black level by up to 12 grey levels."""
    number, strength = tf.shape(pictures)[0], as_column(strength)
    first, second = split_seed(seed, 2)
    gain = 2.0 ** (draw(first, number) * STOPS * strength)
    return _clip(pictures * gain + draw(second, number) * OFFSET * strength)


def gamma(pictures, seed, strength):
    """Changes the tone curve by a power of 0.74 to 1.35."""
    number, strength = tf.shape(pictures)[0], as_column(strength)
    power = tf.exp(draw(seed, number) * GAMMA * strength)
    # As exp of log: TensorFlow's pow is ten times slower on a CPU.
    bent = tf.exp(power * tf.math.log(tf.maximum(pictures, 0.01) / 255.0)) * 255.0
    return tf.where(strength > 0, _clip(bent), pictures)


def white_balance(pictures, seed, strength):
    """Multiplies each channel by a gain of 0.86 to 1.16."""
    number = tf.shape(pictures)[0]
    gains = tf.exp(draw(seed, number, channels=3) * BALANCE * as_column(strength))
    return _clip(pictures * gains)


def vignette(pictures, seed, strength):
    """Darkens the corners by up to a half, about a centre near the middle."""
    number = tf.shape(pictures)[0]
    first, second = split_seed(seed, 2)
    height, width = pictures.shape[1:3]
    centre = draw(first, number, -0.15, 0.15, channels=2)
    down = tf.linspace(-1.0, 1.0, height)[None, :, None, None] - centre[..., :1]
    right = tf.linspace(-1.0, 1.0, width)[None, None, :, None] - centre[..., 1:]
    loss = draw(second, number, 0.0, VIGNETTE / 2) * as_column(strength)
    return _clip(pictures * (1.0 - loss * (down**2 + right**2)))


def dusk(pictures, seed, strength):
    """Leaves a tenth to three quarters of the light, and few colours."""
    number, strength = tf.shape(pictures)[0], as_column(strength)
    first, second, third = split_seed(seed, 3)
    gain = tf.exp(-draw(first, number, *DUSK) * strength)
    pale = draw(second, number, 0.0, PALE) * strength
    grey = tf.reduce_mean(pictures, -1, keepdims=True)
    leak = draw(third, number, 0.0, LEAK) * strength
    return _clip((pictures + (grey - pictures) * pale) * gain + leak)


def grey(pictures, seed, strength):
    """Makes a picture grey as a black-and-white or infrared camera does.

    The three channels have random weights; every strength but 0 is a full one.
    """
    number, strength = tf.shape(pictures)[0], as_column(strength)
    weights = draw(seed, number, 0.1, 1.0, channels=3)
    weights /= tf.reduce_sum(weights, -1, keepdims=True)
    light = tf.reduce_sum(pictures * weights, -1, keepdims=True)
    return tf.where(strength > 0, tf.repeat(light, 3, -1), pictures)


def _clip(pictures):
    return tf.clip_by_value(pictures, 0.0, 255.0)
