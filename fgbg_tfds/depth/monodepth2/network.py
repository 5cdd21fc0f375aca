"""monodepth2's network in Keras, computed with less work than it was written.

Godard, Mac Aodha, Firman, Brostow: Digging Into Self-Supervised Monocular Depth
Estimation, ICCV 2019, https://arxiv.org/abs/1806.01260. A ResNet-18 (He et al.,
2016) encodes; five levels decode, each a 3x3 convolution, nearest-neighbour
enlargement by two, the encoder's features of that size, and another 3x3
convolution, all with reflection padding and ELU; a sigmoid ends it.

The numbers are the original's. They are computed in other places:

- BatchNorm is folded into the convolution before it.
- After nearest-neighbour enlargement, a 3x3 window sees only 2x2 different pixels.
  So one 2x2 convolution at the low resolution makes the four pixels that each low
  pixel becomes, as channels: 4/9 of the work. The encoder's features get their own
  convolution, and the two are added.
- The last convolution has one channel, and a CPU's vector has 16 places. So it makes
  4x4 pixels at once, as channels. It reads the enlarged map where the convolution
  before it left it, four pixels in one: 3x3 of those are the 6x6 that it needs.
"""

from __future__ import annotations

import keras
import numpy as np

from fgbg_tfds.depth.monodepth2.tensors import (
    DECODER_FILTERS,
    blocks,
    encoder_convolutions,
    level_name,
)

_BATCHNORM_EPSILON = 1e-5
_BLOCK = 4  # Side of the squares of pixels that the last convolution makes at once.


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
    for name, _, filters, stride in blocks():
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


def _surround(x, before: int, after: int):
    """Puts a row and a column of x itself before and after it.

    Slices and concatenation, since they copy whole rows where `pad` copies numbers.

    Args:
      x: [N, H, W, C].
      before: Index of the row or column to put before.
      after: Index of the one to put after, from the end.

    Returns:
      [N, H + 2, W + 2, C].
    """
    for axis in (1, 2):
        last = x.shape[axis] - 1 - after
        parts = [_slice(x, axis, before), x, _slice(x, axis, last)]
        x = keras.layers.concatenate(parts, axis=axis, dtype=x.dtype)
    return x


def _slice(x, axis: int, start: int, stop: int | None = None):
    stop = start + 1 if stop is None else stop
    return x[:, start:stop] if axis == 1 else x[:, :, start:stop]


def _reflect(x):
    return _surround(x, 1, 1)


def _reflect_enlarged(x):
    """Reflects a map of which each pixel holds 2x2 as channels, in reading order.

    Args:
      x: [N, H, W, 4 C]; the outermost of all pixels are there to be replaced.

    Returns:
      The same with the reflection of what is next to their neighbours in their place.
    """
    for axis, first, second in ((1, (0, 1), (2, 3)), (2, (0, 2), (1, 3))):
        last = x.shape[axis] - 1
        before = _mix(_slice(x, axis, 0), _slice(x, axis, 1), first)
        after = _mix(_slice(x, axis, last), _slice(x, axis, last - 1), second)
        parts = [before, _slice(x, axis, 1, last), after]
        x = keras.layers.concatenate(parts, axis=axis, dtype=x.dtype)
    return x


def _mix(own, other, taken: tuple[int, int]):
    """Returns `own` with two of its four groups of channels taken from `other`."""
    count = own.shape[3] // 4
    parts = [
        (other if index in taken else own)[..., index * count : (index + 1) * count]
        for index in range(4)
    ]
    return keras.layers.concatenate(parts, axis=3, dtype=own.dtype)


def _convolve_padded(x, name: str, filters: int, size, dtype: str, **kw):
    return keras.layers.Conv2D(
        filters, size, dtype=dtype, kernel_initializer="zeros", name=name, **kw
    )(x)


def _decode(features: list, dtype: str):
    """Returns disparity, float32 [N, height, width]."""
    x = features[4]
    for level in reversed(range(5)):
        filters = DECODER_FILTERS[level]
        name = _layer_name(level_name(level, 0))
        x = _convolve_padded(_reflect(x), name, filters, 3, dtype, activation="elu")
        # Reflection of enlarged pixels is repetition of the pixels themselves.
        x = _surround(x, 0, 0)
        name = _layer_name(level_name(level, 1))
        if level == 0:
            break
        enlarging = f"{name}_enlarging"
        x = _convolve_padded(x, enlarging, 4 * filters, 2, dtype, use_bias=False)
        x = keras.layers.Cropping2D(1, dtype=dtype)(keras.ops.depth_to_space(x, 2))
        skip = _reflect(features[level - 1])
        skip = _convolve_padded(skip, f"{name}_skip", filters, 3, dtype)
        x = keras.layers.Add(dtype=dtype)([skip, x])
        x = keras.layers.Activation("elu", dtype=dtype)(x)
    x = _convolve_padded(x, name, 4 * filters, 2, dtype, activation="elu")
    x = _reflect_enlarged(x)
    name = _layer_name("decoder.10.conv")
    x = _convolve_padded(x, name, _BLOCK**2, 3, "float32", strides=_BLOCK // 2)
    x = keras.ops.depth_to_space(x, _BLOCK)
    return keras.layers.Activation("sigmoid", dtype="float32")(x[..., 0])


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
        name = level_name(level, 0)
        assign(name, _kernel(tensors, name), tensors[f"{name}.bias"])
        name = level_name(level, 1)
        kernel, bias = _kernel(tensors, name), tensors[f"{name}.bias"]
        filters = DECODER_FILTERS[level]
        enlarging = _enlarging_kernel(kernel[:, :, :filters])
        if level:
            assign(f"{name}_enlarging", enlarging)
            assign(f"{name}_skip", kernel[:, :, filters:], bias)
        else:
            assign(name, enlarging, np.tile(bias, 4))
    name = "decoder.10.conv"
    kernel = _block_kernel(_kernel(tensors, name))
    assign(name, kernel, np.repeat(tensors[f"{name}.bias"], _BLOCK**2))


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


def _block_kernel(kernel: np.ndarray) -> np.ndarray:
    """Returns the kernel that makes 4x4 pixels at once.

    Args:
      kernel: [3, 3, in, 1].

    Returns:
      [3, 3, 4 in, 16], for a map of which each pixel holds 2x2 as channels.
    """
    depth = kernel.shape[2]
    wide = np.zeros((_BLOCK + 2, _BLOCK + 2, depth, _BLOCK**2), kernel.dtype)
    for index in range(_BLOCK**2):
        row, column = divmod(index, _BLOCK)
        wide[row : row + 3, column : column + 3, :, index] = kernel[..., 0]
    pairs = wide.reshape(3, 2, 3, 2, depth, _BLOCK**2).transpose(0, 2, 1, 3, 4, 5)
    return pairs.reshape(3, 3, 4 * depth, _BLOCK**2)
