"""monodepth2's network in Keras, computed with less work than it was written.

Godard, Mac Aodha, Firman, Brostow: Digging Into Self-Supervised Monocular Depth
Estimation, ICCV 2019, https://arxiv.org/abs/1806.01260. A ResNet-18 (He et al.,
2016) encodes; five levels decode, each a 3x3 convolution, nearest-neighbour
enlargement by two, the encoder's features of that size, and another 3x3
convolution, all with reflection padding and ELU; a sigmoid ends it.

The numbers are the original's. What differs is where they are computed:

- BatchNorm is folded into the convolution before it.
- After nearest-neighbour enlargement, a 3x3 window sees only 2x2 different pixels.
  So one 2x2 convolution at the low resolution makes the four pixels that each low
  pixel becomes, as channels: 4/9 of the work. The encoder's features get their own
  convolution, and the two are added.
- The last convolution has one channel, and a CPU's vector has 16 places. So it makes
  16 pixels of a row at once, as channels, with a kernel of 18 columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np

ENCODER_FILTERS = (64, 64, 128, 256, 512)
DECODER_FILTERS = (16, 32, 64, 128, 256)
_BATCHNORM_EPSILON = 1e-5
_PACK = 16  # Pixels that the last convolution makes at once.


# === Tensors of the original ===


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


def _blocks() -> Iterator[tuple[str, int, int, int]]:
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
    for name, channels, filters, stride in _blocks():
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
            yield DecoderConvolution(_level_name(level, part), shape)
        channels = filters
    for scale, filters in enumerate(DECODER_FILTERS[:4]):
        yield DecoderConvolution(f"decoder.{10 + scale}.conv", (1, filters, 3, 3))


def _level_name(level: int, part: int) -> str:
    return f"decoder.{2 * (4 - level) + part}.conv.conv"


# === Network ===


def build_network(height: int, width: int, precision: str) -> keras.Model:
    """Builds the network with zero weights.

    Args:
      height: Of the feed, a multiple of 32 from 64 up.
      width: Likewise.
      precision: 'float32' or 'bfloat16'. The last convolution is always float32:
        in bfloat16, the disparity of far things would come in steps.

    Returns:
      A model from uint8 [N, height, width, 3], RGB, to disparity, float32
      [N, height, width], in 0..1.
    """
    images = keras.Input((height, width, 3), dtype="uint8", name="images")
    scaled = keras.layers.Rescaling(1 / (255 * 0.225), -0.45 / 0.225)(images)
    features = _encode(scaled, precision)
    return keras.Model(images, _decode(features, precision), name="monodepth2")


def _convolution(x, name: str, filters: int, size: int, stride: int, dtype: str, **kw):
    """Convolves with zeros around, as PyTorch does: on both sides alike."""
    if stride > 1 and size > 1:
        x = keras.layers.ZeroPadding2D(size // 2, dtype=dtype)(x)
    return keras.layers.Conv2D(
        filters,
        size,
        stride,
        padding="same" if stride == 1 else "valid",
        dtype=dtype,
        kernel_initializer="zeros",
        name=_layer_name(name),
        **kw,
    )(x)


def _encode(x, dtype: str) -> list:
    """Returns the features of the five scales, [N, h / 2, w / 2, 64] first."""
    x = _convolution(x, "encoder.conv1", 64, 7, 2, dtype, activation="relu")
    features = [x]
    # Zeros are as good as nothing around what ReLU made.
    x = keras.layers.ZeroPadding2D(1, dtype=dtype)(x)
    x = keras.layers.MaxPooling2D(3, 2, dtype=dtype)(x)
    for name, _, filters, stride in _blocks():
        short = x
        if stride == 2:
            features.append(x)
            short = _convolution(x, f"{name}.downsample.0", filters, 1, 2, dtype)
        x = _convolution(
            x, f"{name}.conv1", filters, 3, stride, dtype, activation="relu"
        )
        x = _convolution(x, f"{name}.conv2", filters, 3, 1, dtype)
        x = keras.layers.Add(dtype=dtype)([x, short])
        x = keras.layers.ReLU(dtype=dtype)(x)
    return [*features, x]


def _surround(x, rows: tuple[int, int], crop: int = 0):
    """Puts a row or column of x itself before and after it, along both axes.

    Slices and concatenation, since they copy whole rows where `pad` copies numbers.

    Args:
      x: [N, H, W, C].
      rows: Which row goes before, and which after, counted from the end.
      crop: How many rows at either end are dropped beforehand.

    Returns:
      [N, H + 2 - 2 crop, W + 2 - 2 crop, C].
    """
    before, after = rows
    for axis in (1, 2):
        size = x.shape[axis]
        parts = [
            _slice(x, axis, crop + before, crop + before + 1),
            _slice(x, axis, crop, size - crop),
            _slice(x, axis, size - crop - after, size - crop - after + 1),
        ]
        x = keras.layers.concatenate(parts, axis=axis, dtype=x.dtype)
    return x


def _slice(x, axis: int, start: int, stop: int):
    return x[:, start:stop] if axis == 1 else x[:, :, start:stop]


def _reflect(x, crop: int = 0):
    return _surround(x, (1, 2), crop)


def _convolve_padded(x, name: str, filters: int, size, dtype: str, **kw):
    return keras.layers.Conv2D(
        filters, size, dtype=dtype, kernel_initializer="zeros", name=name, **kw
    )(x)


def _decode(features: list, dtype: str):
    """Returns disparity, float32 [N, height, width]."""
    x = features[4]
    for level in reversed(range(5)):
        filters = DECODER_FILTERS[level]
        name = _layer_name(_level_name(level, 0))
        x = _convolve_padded(_reflect(x), name, filters, 3, dtype, activation="elu")
        # Reflection of enlarged pixels is repetition of the pixels themselves.
        x = _surround(x, (0, 1))
        name = _layer_name(_level_name(level, 1))
        whole = level == 0
        x = _convolve_padded(
            x,
            f"{name}_enlarging",
            4 * filters,
            2,
            dtype,
            use_bias=whole,
            activation="elu" if whole else None,
        )
        x = keras.ops.depth_to_space(x, 2)
        if not whole:
            x = keras.layers.Cropping2D(1, dtype=dtype)(x)
            skip = _reflect(features[level - 1])
            skip = _convolve_padded(skip, f"{name}_skip", filters, 3, dtype)
            x = keras.layers.Add(dtype=dtype)([skip, x])
            x = keras.layers.Activation("elu", dtype=dtype)(x)
    x = _reflect(x, crop=1)
    name = _layer_name("decoder.10.conv")
    x = _convolve_padded(x, name, _PACK, (3, _PACK + 2), "float32", strides=(1, _PACK))
    x = keras.layers.Reshape((x.shape[1], x.shape[2] * _PACK), dtype="float32")(x)
    return keras.layers.Activation("sigmoid", dtype="float32")(x)


def _layer_name(name: str) -> str:
    return name.replace(".", "_")


# === Weights ===


def assign_weights(network: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Gives a network of `build_network` the original's weights.

    Args:
      network: The network.
      tensors: float32, in PyTorch's order, by the names of `encoder_convolutions`
        and `decoder_convolutions`. Scales 1 to 3 are for training and not used.
    """

    def assign(name: str, *arrays: np.ndarray) -> None:
        network.get_layer(_layer_name(name)).set_weights(arrays)

    for name, norm, _ in encoder_convolutions():
        assign(name, *_fold(tensors, name, norm))
    for level in range(5):
        name = _level_name(level, 0)
        assign(name, _kernel(tensors, name), tensors[f"{name}.bias"])
        name = _level_name(level, 1)
        kernel, bias = _kernel(tensors, name), tensors[f"{name}.bias"]
        filters = DECODER_FILTERS[level]
        enlarging = _enlarging_kernel(kernel[:, :, :filters])
        if level:
            assign(f"{name}_enlarging", enlarging)
            assign(f"{name}_skip", kernel[:, :, filters:], bias)
        else:
            assign(f"{name}_enlarging", enlarging, np.tile(bias, 4))
    name = "decoder.10.conv"
    packed = _packed_kernel(_kernel(tensors, name))
    assign(name, packed, np.repeat(tensors[f"{name}.bias"], _PACK))


def _kernel(tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Returns a kernel as [height, width, in, out]."""
    return tensors[f"{name}.weight"].transpose(2, 3, 1, 0)


def _fold(
    tensors: dict[str, np.ndarray], name: str, norm: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the kernel and bias of a convolution with its BatchNorm in it."""
    deviation = np.sqrt(tensors[f"{norm}.running_var"] + _BATCHNORM_EPSILON)
    scale = tensors[f"{norm}.weight"] / deviation
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
    return _kernel(tensors, name) * scale, bias


def _enlarging_kernel(kernel: np.ndarray) -> np.ndarray:
    """Returns the kernel that enlarges by two and convolves at once.

    Args:
      kernel: [3, 3, in, out], of the convolution after enlargement.

    Returns:
      [2, 2, in, 4 out]. Over a map with one pixel more all round, it makes the
      pixels of the enlarged result, itself with one pixel more all round.
    """
    # Of three enlarged pixels in a row, two are the same low pixel: the last two
    # around the first pixel of a pair, the first two around the second. The pairs
    # are shifted by the one pixel that is more, so the second pixel comes first.
    merge = np.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]], kernel.dtype)
    merged = np.einsum("apr,bqs,rsio->pqiabo", merge, merge, kernel)
    return merged.reshape(*merged.shape[:3], -1)


def _packed_kernel(kernel: np.ndarray) -> np.ndarray:
    """Returns a kernel [3, 3, in, 1] as [3, 18, in, 16], 16 pixels of a row at once."""
    packed = np.zeros((3, _PACK + 2, kernel.shape[2], _PACK), kernel.dtype)
    for pixel in range(_PACK):
        packed[:, pixel : pixel + 3, :, pixel] = kernel[..., 0]
    return packed
