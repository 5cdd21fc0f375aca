"""A network as a function of operations that other runtimes have, too."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from trainer.models import Network


def make_portable_answer(
    network: Network, feed: tuple[int, int], size: tuple[int, int]
) -> Callable:
    """Makes the function that is converted; to be traced within `build_portably`.

    Args:
      network: The network.
      feed: Height and width of its input, if it is made for one size.
      size: Height and width of the answers of such a network; one for all sizes answers
        at the size of the composite.

    Returns:
      A function of empty scenes and composites, uint8 [N, H, W, 3], with the answers of
      `Signatures.answer`.
    """

    def answer(bg, fgbg):
        if not network.multiple:
            bg, fgbg = (_resize(each, feed) for each in (bg, fgbg))
            mask, depth = network.predict(bg, fgbg, size)
        else:
            shape = _get_size(fgbg)
            fed = network.feed_size(shape)
            bg, fgbg = (_resize(each, fed) for each in (bg, fgbg))
            mask, depth = (
                _resize(each, shape) for each in network.predict(bg, fgbg, None)
            )
        return {"mask": mask, "depth": depth}

    return answer


def _resize(pictures, size):
    """Resizes as `tf.image.resize` with antialiasing, by a matrix for each axis.

    Args:
      pictures: [N, H, W, C].
      size: Height h and width w of the result: a tuple, or int32 [2].

    Returns:
      float32 [N, h, w, C].
    """
    pictures = tf.cast(pictures, tf.float32)
    known = _get_size(pictures)
    if isinstance(known, tuple) and isinstance(size, tuple):
        if known == size:
            return pictures
        with tf.init_scope():  # constants, since LiteRT computes NaN from ranges
            weights = [
                _weigh_pixels(*sides).numpy() for sides in zip(known, size, strict=True)
            ]
        return _multiply(pictures, *weights)
    # No condition: OpenVINO would not know the size of what comes out of it.
    rows = _weigh_pixels(known[0], size[0])
    return _multiply(pictures, rows, _weigh_pixels(known[1], size[1]))


def _multiply(pictures, rows, columns):
    pictures = tf.einsum("xw,nhwc->nhxc", columns, pictures)
    return tf.einsum("yh,nhxc->nyxc", rows, pictures)


def _weigh_pixels(given, wanted):
    """Computes the weights of pixels for another number of them, [wanted, given]."""
    given, wanted = tf.cast(given, tf.float32), tf.cast(wanted, tf.float32)
    ratio = given / wanted
    places = (tf.range(wanted) + 0.5) * ratio - 0.5
    distance = tf.abs(places[:, None] - tf.range(given)) / tf.maximum(ratio, 1.0)
    weights = tf.maximum(1.0 - distance, 0.0)
    return weights / tf.reduce_sum(weights, -1, keepdims=True)


def _get_size(pictures):
    """Gets height and width, as a tuple where these are known."""
    size = tuple(pictures.shape[1:3])
    return tf.shape(pictures)[1:3] if None in size else size
