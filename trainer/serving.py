"""The served network: a SavedModel that needs TensorFlow and nothing else."""

from __future__ import annotations

import logging
import shutil

import keras
import tensorflow as tf

from trainer import data, distribution
from trainer.models import make_network
from trainer.models.network import Network
from trainer.state import State

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
      feed: Height and width of the network's input.
      size: Height H and width W of the answers.

    Returns:
      An archive with `serving_default(bg_bytes, fgbg_bytes)`, string [N] of encoded
      pictures, and `images(bg, fgbg)`, uint8 [N, h, w, 3] of any size, both to 'mask'
      float32 [N, H, W, 1] in 0 to 1 and 'depth' float32 [N, H, W, 1] in metres.
    """

    def answer(bg, fgbg):
        mask, depth = network.predict(bg, fgbg, size)
        return {"mask": mask, "depth": depth}

    def decode(encoded):
        picture = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        return data.fit(picture, feed)

    def decode_all(encoded):
        shape = tf.TensorSpec((*feed, 3), tf.float32)
        return tf.map_fn(decode, encoded, fn_output_signature=shape)

    def encoded_pictures(bg_bytes, fgbg_bytes):
        return answer(decode_all(bg_bytes), decode_all(fgbg_bytes))

    def images(bg, fgbg):
        return answer(data.fit(bg, feed), data.fit(fgbg, feed))

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
