"""monodepth2's tensors by the names and shapes of its checkpoints.

Godard et al., ICCV 2019, https://arxiv.org/abs/1806.01260: a ResNet-18 (He et al.,
2016) and a decoder of five levels.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fgbg_tfds.depth.checkpoints.tensors import require_tensors
from fgbg_tfds.errors import InputError

ENCODER_FILTERS = (64, 64, 128, 256, 512)
DECODER_FILTERS = (16, 32, 64, 128, 256)


class EncoderConvolution(NamedTuple):
    """A convolution and its BatchNorm, by the names of the checkpoint.

    Attributes:
      name: The convolution's name.
      norm: The name of the BatchNorm after it.
      shape: The kernel's shape in PyTorch's order: out, in, height, width.
    """

    name: str
    norm: str
    shape: tuple[int, int, int, int]


class DecoderConvolution(NamedTuple):
    """A convolution of the decoder, by the name of the checkpoint.

    Attributes:
      name: The convolution's name.
      shape: The kernel's shape in PyTorch's order: out, in, height, width.
    """

    name: str
    shape: tuple[int, int, int, int]


def blocks() -> Iterator[tuple[str, int, int, int]]:
    """Yields the residual blocks: name, channels in, channels out, stride."""
    channels = ENCODER_FILTERS[0]
    for layer, filters in enumerate(ENCODER_FILTERS[1:], start=1):
        for block in range(2):
            stride = 2 if layer > 1 and block == 0 else 1
            yield f"encoder.layer{layer}.{block}", channels, filters, stride
            channels = filters


def encoder_convolutions() -> Iterator[EncoderConvolution]:
    """Yields the encoder's convolutions."""
    yield EncoderConvolution("encoder.conv1", "encoder.bn1", (64, 3, 7, 7))
    for name, channels, filters, stride in blocks():
        for number, depth in ((1, channels), (2, filters)):
            shape = (filters, depth, 3, 3)
            yield EncoderConvolution(
                f"{name}.conv{number}", f"{name}.bn{number}", shape
            )
        if stride == 2:
            short = f"{name}.downsample"
            shape = (filters, channels, 1, 1)
            yield EncoderConvolution(f"{short}.0", f"{short}.1", shape)


def decoder_convolutions() -> Iterator[DecoderConvolution]:
    """Yields the decoder's convolutions: two a level from the lowest, then scales."""
    channels = ENCODER_FILTERS[4]
    for level in reversed(range(5)):
        filters = DECODER_FILTERS[level]
        skip = ENCODER_FILTERS[level - 1] if level else 0
        for part, depth in ((0, channels), (1, filters + skip)):
            shape = (filters, depth, 3, 3)
            yield DecoderConvolution(level_name(level, part), shape)
        channels = filters
    for scale, filters in enumerate(DECODER_FILTERS[:4]):
        yield DecoderConvolution(f"decoder.{10 + scale}.conv", (1, filters, 3, 3))


def level_name(level: int, part: int) -> str:
    """Returns the name of the first (0) or second (1) convolution of a level."""
    return f"decoder.{2 * (4 - level) + part}.conv.conv"


def encoder_shapes() -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the tensors in `encoder.pth`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for convolution in encoder_convolutions():
        shapes[f"{convolution.name}.weight"] = convolution.shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{convolution.norm}.{part}"] = convolution.shape[:1]
    return shapes


def decoder_shapes() -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the tensors in `depth.pth`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for convolution in decoder_convolutions():
        shapes[f"{convolution.name}.weight"] = convolution.shape
        shapes[f"{convolution.name}.bias"] = convolution.shape[:1]
    return shapes


def check(
    content: dict[str, Any], shapes: dict[str, tuple[int, ...]], file: pathlib.Path
) -> dict[str, np.ndarray]:
    """Picks a file's tensors.

    Args:
      content: Content of the file by name; other values than arrays are passed over.
      shapes: Shapes that it has to hold.
      file: Name of the file, for errors.

    Returns:
      float32 arrays by the names in `shapes`.

    Raises:
      InputError: If a tensor is missing, of another shape, not finite, or unknown.
    """
    arrays = {
        key: each for key, each in content.items() if isinstance(each, np.ndarray)
    }
    require_tensors(arrays, shapes, str(file))
    for name, array in arrays.items():
        # Counters of BatchNorm, and ImageNet's classifier.
        unused = name.endswith(".num_batches_tracked") or name.startswith("encoder.fc.")
        if name not in shapes and not unused:
            raise InputError(
                f"{file}: tensor {name} {list(array.shape)} is unknown; expected only "
                "the tensors of monodepth2 with ResNet-18"
            )
    return {name: arrays[name].astype(np.float32) for name in shapes}
