"""The signatures of an exported network: functions of TensorFlow alone."""

from __future__ import annotations

import base64
from collections.abc import Callable

import tensorflow as tf

from trainer.augment import fit
from trainer.export.compact import SPEC, compress_answer
from trainer.export.decoding import decode_upright
from trainer.models import Network

COMPACT = "compact"
WITH_SPREAD = "images_with_spread"

# A PNG of one black pixel.
_BLACK = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJ"
    "RU5ErkJggg=="
)


class Signatures:
    """The ways to ask a network, for pictures of any size.

    All but `answer_compactly` answer with 'mask', float32 [N, H, W, 1] in 0 to 1, and
    'depth', float32 [N, H, W, 1] in metres. To no pairs, N = 0, they answer with none.
    """

    def __init__(self, network: Network, feed: tuple[int, int], size: tuple[int, int]):
        """Takes a network.

        Args:
          network: The network to serve.
          feed: Height and width of its input, if it is made for one size.
          size: Height H and width W of the answers of such a network; one for all
            sizes answers at the size of the (first) composite.
        """
        self._network, self._feed, self._size = network, feed, size

    def answer(self, bg, fgbg):
        """Answers for pixels.

        Args:
          bg: uint8 [N, h, w, 3], the empty scenes.
          fgbg: uint8 [N, h, w, 3], the composites.
        """
        return self.answer_with_spread(bg, fgbg, tf.zeros_like(bg[..., :1]))

    def answer_with_spread(self, bg, fgbg, spread):
        """Answers for pixels, where it is known how much the empty scene varies.

        Args:
          bg: uint8 [N, h, w, 3], the empty scenes.
          fgbg: uint8 [N, h, w, 3], the composites.
          spread: uint8 [N, h, w, 1], grey levels, 0 where the scene is calm.
        """
        number = _count_pairs(bg, fgbg)
        fed, answered = self._choose_sizes(lambda: tf.shape(fgbg)[1:3])
        padding = [[0, _count_missing(number)], [0, 0], [0, 0], [0, 0]]
        bg, fgbg, spread = (
            self._resize(tf.pad(each, padding), fed) for each in (bg, fgbg, spread)
        )
        return _cut(self._predict(bg, fgbg, spread, answered), number)

    def answer_encoded(self, bg_bytes, fgbg_bytes):
        """Answers for picture files; see `decode_upright`.

        Args:
          bg_bytes: string [N], the empty scenes.
          fgbg_bytes: string [N], the composites.
        """
        number = _count_pairs(bg_bytes, fgbg_bytes)
        filler = tf.repeat(tf.constant([_BLACK]), _count_missing(number))
        bg_bytes = tf.concat([bg_bytes, filler], 0)
        fgbg_bytes = tf.concat([fgbg_bytes, filler], 0)
        fed, answered = self._choose_sizes(
            lambda: tf.shape(decode_upright(fgbg_bytes[0]))[:2]
        )
        bg, fgbg = (self._decode_all(each, fed) for each in (bg_bytes, fgbg_bytes))
        still = tf.zeros_like(bg[..., :1])
        return _cut(self._predict(bg, fgbg, still, answered), number)

    def answer_compactly(self, bg_bytes, fgbg_bytes):
        """Answers for picture files with picture files; see `compress_answer`.

        One pair is looked at after the other, so that each is answered at its own
        size, and many take no more memory than the largest.

        Args:
          bg_bytes: string [N], the empty scenes.
          fgbg_bytes: string [N], the composites.
        """
        with tf.control_dependencies([_count_pairs(bg_bytes, fgbg_bytes)]):
            pairs = tf.identity(bg_bytes), tf.identity(fgbg_bytes)

        def answer_pair(pair):
            answers = self.answer(*(decode_upright(each)[None] for each in pair))
            return compress_answer(answers["mask"][0], answers["depth"][0])

        return tf.map_fn(
            answer_pair, pairs, parallel_iterations=1, fn_output_signature=SPEC
        )

    def list_endpoints(self) -> dict[str, tuple[Callable, list[tf.TensorSpec]]]:
        """Lists the ways to ask: name of each signature to its function and inputs."""
        files = [
            tf.TensorSpec([None], tf.string, n) for n in ("bg_bytes", "fgbg_bytes")
        ]
        bg, fgbg, spread = (
            tf.TensorSpec([None, None, None, channels], tf.uint8, name)
            for name, channels in (("bg", 3), ("fgbg", 3), ("spread", 1))
        )
        endpoints = {
            "serving_default": (self.answer_encoded, files),
            "images": (self.answer, [bg, fgbg]),
            COMPACT: (self.answer_compactly, files),
        }
        if self._network.spread:
            taken = [bg, fgbg, spread]
            endpoints[WITH_SPREAD] = (self.answer_with_spread, taken)
        return endpoints

    def _choose_sizes(self, find_shape):
        """Chooses the sizes of input and answer for composites of a shape."""
        if not self._network.multiple:
            return self._feed, self._size
        shape = find_shape()
        return self._network.feed_size(shape), shape

    # All signatures call it, so that it is traced but once.
    @tf.function(autograph=False)
    def _predict(self, bg, fgbg, spread, size):
        if not self._network.multiple:
            mask, depth = self._network.predict(bg, fgbg, size, spread)
        else:
            mask, depth = (
                self._resize(answers, size)
                for answers in self._network.predict(bg, fgbg, None, spread)
            )
        return {"mask": mask, "depth": depth}

    def _resize(self, pictures, feed):
        if not self._network.multiple:
            return fit(pictures, feed)
        pictures = tf.cast(pictures, tf.float32)
        return tf.cond(
            tf.reduce_all(tf.shape(pictures)[-3:-1] == feed),
            lambda: pictures,
            lambda: tf.image.resize(pictures, feed, antialias=True),
        )

    def _decode_all(self, encoded, feed):
        shape = (None, None, 3) if self._network.multiple else (*feed, 3)
        return tf.map_fn(
            lambda picture: self._resize(decode_upright(picture), feed),
            encoded,
            fn_output_signature=tf.TensorSpec(shape, tf.float32),
        )


def _count_pairs(bg, fgbg):
    number = tf.shape(fgbg)[0]
    equal = tf.debugging.assert_equal(
        tf.shape(bg)[0], number, "there have to be as many backgrounds as composites"
    )
    with tf.control_dependencies([equal]):
        return tf.identity(number)


def _count_missing(number):
    """Counts the black pairs to add, since a network cannot take a batch of none."""
    return 1 - tf.minimum(number, 1)


def _cut(answers, number):
    return {name: values[:number] for name, values in answers.items()}
