"""The teacher Depth Anything V2 Small, through keras-hub.

Yang et al.: Depth Anything V2, NeurIPS 2024, https://arxiv.org/abs/2406.09414. It
estimates inverse depth up to a scale and a shift that differ from picture to picture.
One rule for all pictures converts it to metres, which are marked as not metric.
"""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from fgbg_tfds.contract import MAX_DEPTH
from fgbg_tfds.depth import catalogue
from fgbg_tfds.depth.inference import NetworkTeacher, enlarge, resolve_precision
from fgbg_tfds.depth.teacher import TeacherCard
from fgbg_tfds.errors import InputError

_NEAREST, _FARTHEST = 1.0, MAX_DEPTH  # metres; bounds of every picture
_MEAN = (0.485, 0.456, 0.406)  # ImageNet's, as DINOv2 was trained with.
_DEVIATION = (0.229, 0.224, 0.225)


class DepthAnything(NetworkTeacher):
    """Depth Anything V2 with one set of weights."""

    def disparity(self, images: np.ndarray) -> np.ndarray:
        """Estimates inverse depth up to scale and shift.

        Args:
          images: uint8 [N, H, W, 3], RGB, any H and W.

        Returns:
          float32 [N, height, width] of the feed size, growing with nearness.
        """
        return self.compute_output(images)


def _keras_hub() -> Any:
    try:
        import keras_hub
    except ImportError as error:
        raise InputError(
            "teacher 'depth_anything' needs keras-hub; expected `pip install keras-hub`"
        ) from error
    return keras_hub


def _load_model(preset: str, precision: str) -> Any:
    models = _keras_hub().models
    try:
        return models.DepthAnythingBackbone.from_preset(preset, dtype=precision)
    # Each layer of keras-hub has its own way to fail on a damaged preset.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"preset {preset} cannot be loaded: {reason[0]}; expected one of Depth "
            "Anything V2 for keras-hub"
        ) from error


def save_preset(name: str, folder: pathlib.Path) -> None:
    """Lets keras-hub download a preset, and saves it.

    Args:
      name: keras-hub's name of the preset.
      folder: Folder to save to; it exists.

    Raises:
      InputError: If keras-hub is not installed or the preset cannot be fetched.
    """
    _load_model(name, "float32").save_to_preset(str(folder))


def load(weights: str | pathlib.Path | None, precision: str) -> DepthAnything:
    """Loads a preset of keras-hub.

    Args:
      weights: A folder saved by keras-hub's `save_to_preset`, or
        'depth_anything_v2_small', downloaded.
      precision: 'float32', 'bfloat16' or 'auto'.

    Returns:
      The teacher.

    Raises:
      InputError: If the preset is missing or damaged, or keras-hub is not installed.
    """
    _keras_hub()
    path = catalogue.locate("depth_anything", weights).resolve()
    if not (path / "config.json").is_file():
        raise InputError(
            f"{path} holds no config.json; expected a folder saved by keras-hub"
        )
    precision = resolve_precision(precision)
    model = _load_model(str(path), precision)
    if not hasattr(model, "head_in_index"):
        raise InputError(
            f"{path} holds a {type(model).__name__}; expected Depth Anything V2"
        )
    card = TeacherCard(
        name="depth_anything",
        weights=path.name,
        weights_sha256=_digest(path),
        precision=precision,
        feed_size=tuple(model.image_encoder.image_shape[:2]),
        metric=False,
        rule=(
            "1 / metres is the output, stretched in each picture from 1 / "
            f"{_FARTHEST:g} to 1 / {_NEAREST:g}"
        ),
        licence=catalogue.LICENCES["depth_anything"],
    )

    def network(images: tf.Tensor) -> tf.Tensor:
        scaled = (tf.cast(images, tf.float32) / 255 - _MEAN) / _DEVIATION
        output = model(scaled, training=False)
        # The original ends in ReLU, which keras-hub leaves to its training task.
        return tf.nn.relu(tf.cast(output[..., 0], tf.float32))

    return DepthAnything(card, network, _convert_to_metres, Image.Resampling.BICUBIC)


def _convert_to_metres(output: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Converts inverse depth [N, h, w] to metres [N, H, W] between fixed bounds."""
    least = tf.reduce_min(output, (1, 2), keepdims=True)
    most = tf.reduce_max(output, (1, 2), keepdims=True)
    nearness = tf.math.divide_no_nan(enlarge(output - least, size), most - least)
    return 1 / (1 / _FARTHEST + (1 / _NEAREST - 1 / _FARTHEST) * nearness)


def _digest(folder: pathlib.Path) -> str:
    """Computes the hex SHA-256 over the weight files in order of their names."""
    sha256 = hashlib.sha256()
    for file in sorted(folder.glob("*.weights.h5")):
        sha256.update(file.read_bytes())
    return sha256.hexdigest()
