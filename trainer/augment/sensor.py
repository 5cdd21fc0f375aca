"""Blur, noise, compression, and the streams of cheap cameras.

Every function takes pictures float32 [n, h, w, 3] in 0 to 255, a seed int32 [2] and a
strength float32 [n] or [], 0 (no change) to 1 (the full range), and returns pictures of
the same shape and range. Each picture of the batch is changed independently.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.augment.draws import as_column, draw, split_seed

READ = 5.0  # standard deviation of the read noise, grey levels
SHOT = 8.0  # that of the shot noise of a white pixel, grey levels
BLUR = 1.2  # standard deviation of the blur, pixels
RADIUS = 3  # of the blur's window, pixels
BEST, WORST = 95, 25  # JPEG quality
SHRUNK = 3.0  # at most, by a cheap camera, in each direction
CHEAP = 15  # its worst JPEG quality


def noise(pictures, seed, strength):
    """Adds shot and read noise; the variance grows with the light.

    Read noise has a standard deviation of up to 5 grey levels. That of shot noise is
    proportional to the square root of the light, up to 8 where the picture is white.
    """
    number, strength = tf.shape(pictures)[0], as_column(strength)
    first, second, third = split_seed(seed, 3)
    read = draw(first, number, 0.0, READ) * strength
    shot = draw(second, number, 0.0, SHOT) * strength
    deviation = tf.sqrt(read**2 + shot**2 / 255.0 * pictures)
    grains = _grains(tf.shape(pictures), third)
    return tf.clip_by_value(pictures + deviation * grains, 0.0, 255.0)


def blur(pictures, seed, strength):
    """Blurs by a Gaussian of up to 1.2 pixels, drawn for each axis."""
    number, strength = tf.shape(pictures)[0], tf.reshape(as_column(strength), [-1, 1])
    deviation = draw(seed, number, 0.0, BLUR, channels=2)[:, 0, 0] * strength
    steps = tf.range(-RADIUS, RADIUS + 1, dtype=tf.float32)
    kernels = tf.exp(-(steps**2) / (2 * (deviation[..., None] ** 2 + 1e-3)))
    kernels /= tf.reduce_sum(kernels, -1, keepdims=True)  # [n, 2, 7]
    # All pictures become channels of one, so that each has its own kernel.
    batch, height, width, channels = (*tf.unstack(tf.shape(pictures)[:3]), 3)
    flat = tf.reshape(
        tf.transpose(pictures, [1, 2, 0, 3]), [1, height, width, batch * channels]
    )
    taps = tf.repeat(tf.transpose(kernels, [1, 2, 0]), channels, axis=2)
    pad = [[0, 0], [RADIUS, RADIUS], [RADIUS, RADIUS], [0, 0]]
    flat = tf.pad(flat, pad, "SYMMETRIC")
    for kernel in (taps[0][:, None, :, None], taps[1][None, :, :, None]):
        flat = tf.nn.depthwise_conv2d(flat, kernel, [1, 1, 1, 1], "VALID")
    flat = tf.reshape(flat, [height, width, batch, channels])
    return tf.ensure_shape(tf.transpose(flat, [2, 0, 1, 3]), pictures.shape)


def jpeg(pictures, seed, strength):
    """Compresses by JPEG: quality from 95 down to 25, colours at half size.

    A picture of strength 0 is only rounded to whole grey levels.
    """
    number = tf.shape(pictures)[0]
    strength = tf.broadcast_to(tf.cast(strength, tf.float32), [number])
    fraction = draw(seed, number, 0.0, 1.0)[:, 0, 0, 0]
    quality = BEST + tf.cast(tf.round(fraction * strength * (WORST - BEST)), tf.int32)
    levels = tf.cast(tf.round(tf.clip_by_value(pictures, 0.0, 255.0)), tf.uint8)

    def compress(picture, level):
        return tf.ensure_shape(_compress(picture, level), pictures.shape[1:])

    if pictures.shape[0] == 1:
        compressed = compress(levels[0], quality[0])[None]
    else:
        compressed = tf.map_fn(
            lambda values: compress(*values),
            (levels, quality),
            fn_output_signature=tf.TensorSpec(pictures.shape[1:], tf.uint8),
        )
    whole = tf.where(strength[:, None, None, None] > 0, compressed, levels)
    return tf.cast(whole, tf.float32)


def stream(pictures, seed, strength):
    """Streams a picture as a cheap camera does: small, compressed, and enlarged.

    Its sides are divided by up to 3 and its JPEG quality is from 95 down to 15, so
    that the blocks of the compression are up to three times as large.
    """
    number = tf.shape(pictures)[0]
    strength = tf.broadcast_to(tf.cast(strength, tf.float32), [number])
    dice = draw(seed, number, 0.0, 1.0, channels=2)[:, 0, 0]
    shrunk = 1.0 + dice[:, 0] * strength * (SHRUNK - 1.0)
    quality = BEST + tf.cast(tf.round(dice[:, 1] * strength * (CHEAP - BEST)), tf.int32)
    height, width = pictures.shape[1:3]

    def send(values):
        picture, times, level, amount = values
        size = tf.cast(tf.math.ceil((height / times, width / times)), tf.int32)
        small = tf.image.resize(picture, size, antialias=True)
        small = tf.cast(tf.round(tf.clip_by_value(small, 0.0, 255.0)), tf.uint8)
        large = tf.image.resize(_compress(small, level), (height, width))
        return tf.where(amount > 0, large, picture)

    sent = tf.map_fn(
        send,
        (pictures, shrunk, quality, strength),
        fn_output_signature=tf.TensorSpec(pictures.shape[1:], tf.float32),
    )
    return tf.ensure_shape(sent, pictures.shape)


def _compress(picture, quality):
    """Compresses uint8 [h, w, 3] by JPEG of a quality, int32 []."""
    encoded = tf.raw_ops.EncodeJpegVariableQuality(images=picture, quality=quality)
    return tf.io.decode_jpeg(encoded, channels=3)


def _grains(shape, seed):
    """Draws triangular noise of unit variance, float32: sums of two random bytes.

    It takes a quarter of the time of normal noise.
    """
    words = [2, tf.reduce_prod(shape) // 4 + 1]
    drawn = tf.random.stateless_uniform(words, seed, None, None, tf.int32)
    drawn = tf.reshape(tf.bitcast(drawn, tf.uint8), [2, -1])
    drawn = tf.cast(drawn[:, : tf.reduce_prod(shape)], tf.float32)
    deviation = (2 * (256**2 - 1) / 12) ** 0.5
    return tf.reshape((drawn[0] + drawn[1] - 255.0) / deviation, shape)
