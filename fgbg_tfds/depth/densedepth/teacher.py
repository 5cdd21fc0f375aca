"""The teacher DenseDepth: the original's Keras file in, metres out.

Alhashim, Wonka: High Quality Monocular Depth Estimation via Transfer Learning, 2018,
https://arxiv.org/abs/1812.11941. The network learned the maximum depth over the depth,
so its output grows with nearness; here it is converted to metres.
"""

from __future__ import annotations

import dataclasses
import pathlib

import tensorflow as tf

from fgbg_tfds.depth import catalogue
from fgbg_tfds.depth.checkpoints import sources
from fgbg_tfds.depth.checkpoints.keras_files import read_keras_file
from fgbg_tfds.depth.densedepth.network import build_network
from fgbg_tfds.depth.inference import NetworkTeacher, enlarge, resolve_precision
from fgbg_tfds.depth.teacher import TeacherCard
from fgbg_tfds.errors import InputError


@dataclasses.dataclass(frozen=True)
class _Training:
    """The constants of a data set that DenseDepth was trained on.

    Attributes:
      feed_size: (height, width) of the pictures in training.
      nearest: Minimum depth, metres.
      farthest: Maximum depth, metres.
    """

    feed_size: tuple[int, int]
    nearest: float
    farthest: float


# Sizes are the paper's, section 4.1; depths are the author's answers in
# https://github.com/ialhashim/DenseDepth/issues/69.
_TRAININGS = {
    "nyu": _Training((480, 640), 0.1, 10.0),
    "kitti": _Training((384, 1280), 1.0, 80.0),
}


def load(weights: str | pathlib.Path | None, precision: str) -> NetworkTeacher:
    """Loads an original full-model file.

    Args:
      weights: The path of the file, whose name says `nyu` or `kitti`, since the file
        itself does not say which depths it means; or 'nyu' or 'kitti', downloaded.
      precision: 'float32', 'bfloat16' or 'auto'.

    Returns:
      The teacher.

    Raises:
      InputError: If the file is missing, damaged or another network's.
    """
    path = _find_file(catalogue.locate("densedepth", weights))
    names = [name for name in _TRAININGS if name in path.stem.lower()]
    if len(names) != 1:
        raise InputError(
            f"{path}: expected a file whose name says nyu or kitti, since its depths "
            "mean metres of one or the other"
        )
    training = _TRAININGS[names[0]]
    files = {path.name: path.read_bytes()}
    precision = resolve_precision(precision)
    network = build_network(
        read_keras_file(files[path.name], str(path)), str(path), precision
    )

    def metres(output: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        depth = tf.math.divide_no_nan(training.farthest, tf.maximum(output, 0))
        # An output of 0 or less means the farthest.
        depth = tf.where(output > 0, depth, training.farthest)
        return enlarge(
            tf.clip_by_value(depth, training.nearest, training.farthest), size
        )

    card = TeacherCard(
        name="densedepth",
        weights=path.stem,
        weights_sha256=sources.compute_digest(files),
        precision=precision,
        feed_size=training.feed_size,
        metric=True,
        rule=(
            f"metres = {training.farthest:g} / output, from {training.nearest:g} to "
            f"{training.farthest:g}"
        ),
        licence=catalogue.LICENCES["densedepth"],
    )
    return NetworkTeacher(card, network, metres)


def _find_file(path: pathlib.Path) -> pathlib.Path:
    """Finds the HDF5 file that `path` is, or the only one in it."""
    if path.is_file():
        return path
    found = sorted(path.glob("*.h5"))
    if len(found) != 1:
        raise InputError(f"{path} holds {len(found)} files *.h5; expected one")
    return found[0]
