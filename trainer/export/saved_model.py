"""The served network: a SavedModel that needs TensorFlow and nothing else."""

from __future__ import annotations

import logging
import shutil

import keras
import tensorflow as tf

from trainer import augment, data, distribution
from trainer.models import make_network
from trainer.models.network import Network
from trainer.train.state import State

LOG = logging.getLogger("trainer")


def export(state: State) -> None:
    """Writes `export/1/` into the workdir, in place of an earlier one.

    Args:
      state: A trained run; its averaged weights are exported, in float32.
    """
    if not distribution.is_chief(state.strategy):
        return
    # Made anew without the strategy, whose variables are bound to its devices.
    with tf.device("/cpu:0"):
        network = make_network(state.settings, state.settings.size)
        network.model.set_weights(
            [weight.numpy() for weight in state.averaged.model.weights]
        )
    size = data.picture_size(state.builder, state.settings.test_split)
    folder = state.folder / "export" / "1"
    part = folder.with_name("1.part")
    shutil.rmtree(part, ignore_errors=True)
    _archive(network, state.settings.size, size).write_out(str(part), verbose=False)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    LOG.info("exported to %s", folder)


def _archive(network: Network, feed: tuple[int, int], size: tuple[int, int]):
    """Gives a network its two signatures.

    Args:
      network: What is served.
      feed: Height and width of the network's input, if it is made for one size.
      size: Height H and width W of the answers; a network for all sizes answers at
        the size of the (first) composite it is given.

    Returns:
      An archive with `serving_default(bg_bytes, fgbg_bytes)`, string [N] of encoded
      pictures, and `images(bg, fgbg)`, uint8 [N, h, w, 3] of any size, both to 'mask'
      float32 [N, H, W, 1] in 0 to 1 and 'depth' float32 [N, H, W, 1] in metres.
    """

    def sizes(shape):
        """What is fed and what is answered, for composites of a shape."""
        if not network.multiple:
            return feed, size
        step = network.multiple
        fed = tf.maximum((shape + step // 2) // step, 1) * step
        return fed, shape

    @tf.function  # both signatures call it, so that it is traced but once
    def answer(bg, fgbg, size):
        if not network.multiple:
            mask, depth = network.predict(bg, fgbg, size)
        else:
            mask, depth = (
                fit(answers, size) for answers in network.predict(bg, fgbg, None)
            )
        return {"mask": mask, "depth": depth}

    def fit(pictures, feed):
        if not network.multiple:
            return augment.fit(pictures, feed)
        pictures = tf.cast(pictures, tf.float32)
        return tf.cond(
            tf.reduce_all(tf.shape(pictures)[-3:-1] == feed),
            lambda: pictures,
            lambda: tf.image.resize(pictures, feed, antialias=True),
        )

    def decode(encoded):
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    def decode_all(encoded, feed):
        shape = (None, None, 3) if network.multiple else (*feed, 3)
        return tf.map_fn(
            lambda picture: fit(decode(picture), feed),
            encoded,
            fn_output_signature=tf.TensorSpec(shape, tf.float32),
        )

    def encoded_pictures(bg_bytes, fgbg_bytes):
        first = tf.shape(decode(fgbg_bytes[0]))[:2] if network.multiple else None
        fed, answered = sizes(first)
        pair = (decode_all(encoded, fed) for encoded in (bg_bytes, fgbg_bytes))
        return answer(*pair, answered)

    def images(bg, fgbg):
        fed, answered = sizes(tf.shape(fgbg)[1:3])
        return answer(fit(bg, fed), fit(fgbg, fed), answered)

    strings = tf.TensorSpec([None], tf.string)
    pictures = tf.TensorSpec([None, None, None, 3], tf.uint8)
    archive = keras.export.ExportArchive()
    archive.track(network.model)
    archive.add_endpoint(
        "serving_default",
        encoded_pictures,
        input_signature=[
            tf.TensorSpec(strings.shape, strings.dtype, "bg_bytes"),
            tf.TensorSpec(strings.shape, strings.dtype, "fgbg_bytes"),
        ],
    )
    archive.add_endpoint(
        "images",
        images,
        input_signature=[
            tf.TensorSpec(pictures.shape, pictures.dtype, "bg"),
            tf.TensorSpec(pictures.shape, pictures.dtype, "fgbg"),
        ],
    )
    return archive
