"""The teacher in the package: small, trained on drawn scenes and pieces of photos."""

from __future__ import annotations

import pathlib

import numpy as np

from fgbg_tfds.contract import MAX_DEPTH
from fgbg_tfds.depth import catalogue
from fgbg_tfds.depth.embedded.network import build_network
from fgbg_tfds.depth.embedded.weight_file import compute_digest, read_weights
from fgbg_tfds.depth.teacher import Teacher, TeacherCard

NEAREST, FARTHEST = 0.5, MAX_DEPTH  # metres
FEEDS = (128, 192)  # sides that pictures are resized to; log depths are averaged


def feed(pictures, rows):
    """Makes the network's input.

    Args:
      pictures: float32 [N, S, S, 3], 0 to 255.
      rows: float32 [N], 1 to give the network the place of rows, 0 not to.

    Returns:
      float32 [N, S, S, 4].
    """
    import tensorflow as tf

    size = tf.shape(pictures)[1]
    row = tf.linspace(-1.0, 1.0, size)[None, :, None, None]
    row = row * rows[:, None, None, None] * tf.ones_like(pictures[..., :1])
    return tf.concat([pictures / 127.5 - 1.0, row], -1)


class EmbeddedTeacher(Teacher):
    """The small network; `weights/README.md` describes its abilities and limits.

    Attributes:
      card: Its `TeacherCard`.
      batch_size: Pictures computed at once; smaller batches are padded, so that a
        picture's depth does not depend on its neighbours.
    """

    batch_size = 16

    def __init__(self, model, card: TeacherCard, feeds: tuple[int, ...] = FEEDS):
        self.card = card
        self._model = model
        self._feeds = feeds
        self._graph = self._build_graph()

    def _build_graph(self):
        import tensorflow as tf

        signature = tf.TensorSpec([None, None, None, 3], tf.uint8)

        @tf.function(input_signature=[signature], autograph=False)
        def graph(images):
            shape = tf.shape(images)
            missing = self.batch_size - shape[0]
            logs = []
            for side in self._feeds:
                small = tf.image.resize(images, (side, side), "area")
                small = tf.pad(small, [[0, missing], [0, 0], [0, 0], [0, 0]])
                small = tf.ensure_shape(small, (self.batch_size, side, side, 3))
                log = self._model(feed(small, tf.ones(self.batch_size)), training=False)
                logs.append(tf.image.resize(log[: shape[0], ..., None], shape[1:3]))
            log = tf.add_n(logs)[..., 0] / len(logs)
            return tf.clip_by_value(tf.exp(log), NEAREST, FARTHEST)

        return graph

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Estimates depth.

        Args:
          images: uint8 [N, H, W, 3], RGB, any H and W.

        Returns:
          float32 [N, H, W], metres, 0.5 to 80.
        """
        images = np.asarray(images)
        depth = np.empty(images.shape[:3], np.float32)
        for first in range(0, len(images), self.batch_size):
            part = np.s_[first : first + self.batch_size]
            depth[part] = self._graph(images[part]).numpy()
        return depth


def load(
    weights: str | pathlib.Path | None = None, precision: str = "auto"
) -> EmbeddedTeacher:
    """Loads the embedded teacher.

    Args:
      weights: A file that `python -m fgbg_tfds.depth train` wrote; None takes the
        one in the package.
      precision: 'float32', 'bfloat16', or 'auto': bfloat16 where the machine
        computes in it natively. It is nearly twice as fast and moves depth by
        0.2 % on average.

    Returns:
      The teacher.

    Raises:
      InputError: If the weights cannot be used.
    """
    if weights is not None and str(weights) in catalogue.CATALOGUE:
        weights = catalogue.locate("embedded", weights)
    # It imports TensorFlow, without which scenes are drawn.
    from fgbg_tfds.depth.inference import resolve_precision

    policy = resolve_precision(precision)
    model = build_network(train=False, policy=policy)
    shapes = {
        f"{layer.name}/{kind}": tuple(variable.shape)
        for layer in model.layers
        for kind, variable in zip(("kernel", "bias"), layer.weights, strict=False)
    }
    arrays = read_weights(weights, shapes)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(
                [arrays[f"{layer.name}/{kind}"] for kind in ("kernel", "bias")]
            )
    card = TeacherCard(
        name="embedded",
        weights="embedded" if weights is None else pathlib.Path(weights).name,
        weights_sha256=compute_digest(weights),
        precision=policy,
        feed_size=(max(FEEDS), max(FEEDS)),
        metric=False,
        rule=(
            f"exp of the mean log depth at feeds of {' and '.join(map(str, FEEDS))} "
            f"pixels, clipped to {NEAREST} to {FARTHEST:.0f} m"
        ),
        licence="Apache-2.0",
    )
    return EmbeddedTeacher(model, card)
