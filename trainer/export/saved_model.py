"""A run as a SavedModel, which needs TensorFlow and nothing else to be served."""

from __future__ import annotations

import logging
import shutil

import keras
import tensorflow as tf

from trainer.augment import fit
from trainer.models import Network, make_network
from trainer.runs import Run

LOG = logging.getLogger("trainer")


def export(run: Run, chief: bool = True) -> None:
    """Writes `export/1/` into the workdir, in place of an earlier one.

    Args:
      run: A trained run; its averaged weights are exported, in float32.
      chief: Whether this process writes the files.
    """
    if not chief:
        return
    # Made anew without the strategy, whose variables are bound to its devices.
    with tf.device("/cpu:0"):
        network = make_network(run.settings, run.settings.size)
        weights = [weight.numpy() for weight in run.network.model.weights]
        network.model.set_weights(weights)
    size = run.mixture.with_split(run.settings.test_split).picture_size
    folder = run.folder / "export" / "1"
    partial = folder.with_name("1.part")
    shutil.rmtree(partial, ignore_errors=True)
    archive = _make_archive(network, run.settings.size, size)
    archive.write_out(str(partial), verbose=False)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    LOG.info("exported to %s", folder)


def _make_archive(network: Network, feed: tuple[int, int], size: tuple[int, int]):
    """Makes an archive of a network with two signatures.

    Args:
      network: The network to serve.
      feed: Height and width of the network's input, if it is made for one size.
      size: Height H and width W of the answers; a network for all sizes answers at
        the size of the (first) composite it is given.

    Returns:
      An archive with `serving_default(bg_bytes, fgbg_bytes)`, string [N] of encoded
      pictures, and `images(bg, fgbg)`, uint8 [N, h, w, 3] of any size, both to 'mask'
      float32 [N, H, W, 1] in 0 to 1 and 'depth' float32 [N, H, W, 1] in metres.
    """

    def choose_sizes(shape):
        """Chooses the sizes of input and answer for composites of a shape."""
        if not network.multiple:
            return feed, size
        return network.feed_size(shape), shape

    @tf.function  # both signatures call it, so that it is traced but once
    def answer(bg, fgbg, size):
        if not network.multiple:
            mask, depth = network.predict(bg, fgbg, size)
        else:
            mask, depth = (
                resize(answers, size) for answers in network.predict(bg, fgbg, None)
            )
        return {"mask": mask, "depth": depth}

    def resize(pictures, feed):
        if not network.multiple:
            return fit(pictures, feed)
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
            lambda picture: resize(decode(picture), feed),
            encoded,
            fn_output_signature=tf.TensorSpec(shape, tf.float32),
        )

    def encoded_pictures(bg_bytes, fgbg_bytes):
        first = tf.shape(decode(fgbg_bytes[0]))[:2] if network.multiple else None
        fed, answered = choose_sizes(first)
        pair = (decode_all(encoded, fed) for encoded in (bg_bytes, fgbg_bytes))
        return answer(*pair, answered)

    def images(bg, fgbg):
        fed, answered = choose_sizes(tf.shape(fgbg)[1:3])
        return answer(resize(bg, fed), resize(fgbg, fed), answered)

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
