"""A network whose answers are known."""

import tensorflow as tf


class Subtraction(tf.Module):
    """A network of any size whose answers are known: what differs by over 40 is new."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, None, 3], tf.uint8, name)
            for name in ("bg", "fgbg")
        ]
    )
    def images(self, bg, fgbg):
        change = tf.abs(tf.cast(fgbg, tf.float32) - tf.cast(bg, tf.float32))
        mask = tf.cast(tf.reduce_max(change, -1, keepdims=True) > 40, tf.float32)
        return {"mask": mask, "depth": 20.0 - 15.0 * mask}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def other(self, x):
        return {"y": x}
