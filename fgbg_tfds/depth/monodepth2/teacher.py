"""The teacher monodepth2: original weights in, metres out.

Godard, Mac Aodha, Firman, Brostow: Digging Into Self-Supervised Monocular Depth
Estimation, ICCV 2019, https://arxiv.org/abs/1806.01260. The network stands in
`network`; here are its weights' files and the conversion of disparity to metres.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any

import numpy as np
import tensorflow as tf

from fgbg_tfds.depth import catalogue
from fgbg_tfds.depth.checkpoints import sources, torch_files
from fgbg_tfds.depth.inference import NetworkTeacher, enlarge, resolve_precision
from fgbg_tfds.depth.monodepth2 import network as monodepth2_network
from fgbg_tfds.depth.monodepth2 import tensors as monodepth2_tensors
from fgbg_tfds.depth.teacher import TeacherCard
from fgbg_tfds.errors import InputError

_FILES = ("encoder.pth", "depth.pth")
# Disparity 0 and 1 in the inverse of training's unit: depth 100 and 0.1.
_LEAST, _GREATEST = 0.01, 10.0
_UNIT = 5.4  # Metres: KITTI's baseline of 0.54 m stood as 0.1 in training.


class Monodepth2(NetworkTeacher):
    """monodepth2 with one set of weights."""

    def disparity(self, images: np.ndarray) -> np.ndarray:
        """Estimates disparity.

        Args:
          images: uint8 [N, H, W, 3], RGB, any H and W.

        Returns:
          float32 [N, height, width] of the feed size: the sigmoid's output in 0..1,
          growing with nearness.
        """
        return self.compute_output(images)


def load(weights: str | pathlib.Path | None, precision: str) -> Monodepth2:
    """Loads original weights.

    Args:
      weights: A folder or zip with `encoder.pth` and `depth.pth`, or the name of
        downloaded weights. The feed size is read from `encoder.pth`.
      precision: 'float32', 'bfloat16' or 'auto'.

    Returns:
      The teacher.

    Raises:
      InputError: If the weights are missing, damaged or another network's.
    """
    path = catalogue.locate("monodepth2", weights).resolve()
    name = path.stem if path.is_file() else path.name
    files = sources.read_files(path, _FILES)
    encoder, decoder = (
        torch_files.read_state_dict(content, str(path / file))
        for file, content in files.items()
    )
    tensors = {
        **monodepth2_tensors.check(
            encoder, monodepth2_tensors.encoder_shapes(), path / _FILES[0]
        ),
        **monodepth2_tensors.check(
            decoder, monodepth2_tensors.decoder_shapes(), path / _FILES[1]
        ),
    }
    size = _find_feed_size(encoder, name, path)
    metric = _is_metric(encoder, name)
    precision = resolve_precision(precision)
    network = monodepth2_network.build_network(*size, precision)
    monodepth2_network.assign_weights(network, tensors)
    rule = f"metres = {_UNIT} / ({_LEAST} + {_GREATEST - _LEAST} * disparity)"
    if not metric:
        rule += ", right up to a factor only: trained on one camera"
    card = TeacherCard(
        name="monodepth2",
        weights=name,
        weights_sha256=sources.compute_digest(files),
        precision=precision,
        feed_size=size,
        metric=metric,
        rule=rule,
        licence=catalogue.LICENCES["monodepth2"],
    )
    return Monodepth2(
        card, lambda images: network(images, training=False), _convert_to_metres
    )


def _convert_to_metres(disparity: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Converts disparity [N, h, w] to metres [N, H, W]; it resizes disparity."""
    disparity = enlarge(disparity, size)
    return _UNIT / (_LEAST + (_GREATEST - _LEAST) * disparity)


def _find_feed_size(
    encoder: dict[str, Any], name: str, path: pathlib.Path
) -> tuple[int, int]:
    """Finds (height, width) in the checkpoint, else in its name."""
    height, width = encoder.get("height"), encoder.get("width")
    named = re.search(r"(\d+)x(\d+)", name)
    if height is None and width is None and named:
        height, width = int(named[2]), int(named[1])
    sides = [
        side
        for side in (height, width)
        if isinstance(side, int) and side >= 64 and not side % 32
    ]
    if len(sides) < 2:
        raise InputError(
            f"{path / _FILES[0]}: the feed's height and width are {height!r} and "
            f"{width!r}; expected multiples of 32 from 64 up"
        )
    return sides[0], sides[1]


def _is_metric(encoder: dict[str, Any], name: str) -> bool:
    """Tells by checkpoint or name whether training saw two cameras, and so a scale."""
    recorded = encoder.get("use_stereo")
    return bool(recorded) if recorded is not None else "stereo" in name
