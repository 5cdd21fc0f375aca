"""Networks whose answers are known: what differs by over 40 is new, and near."""

import tensorflow as tf

from trainer.export import Signatures


class Subtraction(tf.Module):
    """Such a network of any size, as a module with signatures."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, None, 3], tf.uint8, name)
            for name in ("bg", "fgbg")
        ]
    )
    def images(self, bg, fgbg):
        mask, depth = subtract(bg, fgbg)
        return {"mask": mask, "depth": depth}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def other(self, x):
        return {"y": x}


class KnownNetwork:
    """The same, in place of a `trainer.models.Network`."""

    multiple = 1
    spread = False

    def feed_size(self, size):
        return size

    def predict(self, bg, fgbg, size, spread):
        del size, spread
        return subtract(bg, fgbg)


def subtract(bg, fgbg):
    change = tf.abs(tf.cast(fgbg, tf.float32) - tf.cast(bg, tf.float32))
    mask = tf.cast(tf.reduce_max(change, -1, keepdims=True) > 40, tf.float32)
    return mask, 20.0 - 15.0 * mask


def export_known(folder):
    """Exports it with the signatures that every network has."""
    endpoints = Signatures(KnownNetwork(), (1, 1), (1, 1)).list_endpoints()
    module = tf.Module()
    module.endpoints = {
        name: tf.function(answer, specs, autograph=False)
        for name, (answer, specs) in endpoints.items()
    }
    tf.saved_model.save(module, str(folder), module.endpoints)
