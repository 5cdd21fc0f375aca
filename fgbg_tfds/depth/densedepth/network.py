"""DenseDepth's network, built from the configuration in its own file.

Alhashim, Wonka: High Quality Monocular Depth Estimation via Transfer Learning, 2018,
https://arxiv.org/abs/1812.11941: a DenseNet-169 (Huang et al., 2017) encodes; four
levels decode, each bilinear enlargement by two, the encoder's features of that size
and two 3x3 convolutions. Filters, slopes and which layers there are differ between
the released files, so nothing of it is written down here: a Keras 2 configuration of
the few kinds of layers below is followed to the letter, and any other is refused.

BatchNorm that follows a convolution is folded into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from fgbg_tfds.depth.checkpoints.keras_files import KerasFile
from fgbg_tfds.depth.checkpoints.tensors import require_tensors
from fgbg_tfds.errors import InputError

_Arrays = dict[str, np.ndarray]
_POOLING = ("pool_size", "strides", "padding")
_NEEDED = {
    "Activation": ("activation",),
    "AveragePooling2D": _POOLING,
    "BatchNormalization": ("epsilon",),
    "BilinearUpSampling2D": ("size",),
    "Conv2D": (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "use_bias",
        "activation",
    ),
    "MaxPooling2D": _POOLING,
    "UpSampling2D": ("size", "interpolation"),
    "ZeroPadding2D": ("padding",),
}


class _Layer(NamedTuple):
    """A layer of the configuration.

    Attributes:
      name: Its name, slashes and all.
      kind: Its Keras class.
      settings: Its own configuration.
      inputs: The names of the layers that it reads.
      channels: Number of its output channels.
      arrays: Its weights by short name.
    """

    name: str
    kind: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]
    channels: int
    arrays: _Arrays


# === Reading ===


def _read_layers(file: KerasFile, where: str) -> Iterator[_Layer]:
    """Yields the layers in order, each with the weights that it must have."""
    channels: dict[str, int] = {}
    for entry in file.config["layers"]:
        name, kind, settings = entry["name"], entry["class_name"], entry["config"]
        if kind not in _KINDS:
            raise InputError(
                f"{where}: layer {name} is a {kind}; expected one of: "
                f"{', '.join(_KINDS)}"
            )
        inputs = _inputs(entry, where)
        for each in inputs:
            if each not in channels:
                raise InputError(f"{where}: layer {name} reads {each}, not yet made")
        _check_settings(name, kind, settings, where)
        depths = [channels[each] for each in inputs]
        channels[name] = settings.get("filters", sum(depths) if inputs else 3)
        shapes = _shapes(kind, settings, sum(depths))
        arrays = _take(file.weights.get(name, {}), shapes, name, where)
        yield _Layer(name, kind, settings, inputs, channels[name], arrays)
    for name in file.weights:
        if name not in channels and file.weights[name]:
            raise InputError(
                f"{where}: tensor {name}/{next(iter(file.weights[name]))} is unknown; "
                "expected only tensors of the layers in model_config"
            )


def _inputs(entry: dict[str, Any], where: str) -> tuple[str, ...]:
    nodes = entry["inbound_nodes"]
    if len(nodes) > 1:
        raise InputError(f"{where}: layer {entry['name']} is used twice; expected once")
    return tuple(node[0] for node in nodes[0]) if nodes else ()


def _check_settings(name: str, kind: str, settings: dict[str, Any], where: str) -> None:
    """Refuses settings that are missing, or that the code below does not follow."""
    for setting in _NEEDED.get(kind, ()):
        if setting not in settings:
            raise InputError(f"{where}: layer {name} has no {setting}; expected one")
    known = {
        "data_format": ("channels_last", None),
        "dilation_rate": ([1, 1],),
        "groups": (1,),
        "activation": ("linear", "relu"),
        "axis": (3, -1, [3]),
        "max_value": (None,),
        "threshold": (0, 0.0, None),
        "interpolation": ("bilinear",),
    }
    for setting, values in known.items():
        if setting in settings and settings[setting] not in values:
            raise InputError(
                f"{where}: layer {name} has {setting} {settings[setting]!r}; expected "
                f"{values[0]!r}"
            )


def _shapes(kind: str, settings: dict[str, Any], depth: int) -> dict[str, tuple]:
    """Returns the shapes of the weights that a layer must have."""
    if kind == "Conv2D":
        kernel = (*settings["kernel_size"], depth, settings["filters"])
        bias = {"bias": (settings["filters"],)} if settings["use_bias"] else {}
        return {"kernel": kernel, **bias}
    if kind == "BatchNormalization":
        names = ["moving_mean", "moving_variance"]
        names += ["gamma"] if settings.get("scale", True) else []
        names += ["beta"] if settings.get("center", True) else []
        return dict.fromkeys(names, (depth,))
    return {}


def _take(arrays: _Arrays, shapes: dict[str, tuple], layer: str, where: str) -> _Arrays:
    """Returns the arrays if they are exactly those of `shapes`."""
    require_tensors(arrays, shapes, where, f"{layer}/")
    for name, array in arrays.items():
        if name not in shapes:
            raise InputError(
                f"{where}: tensor {layer}/{name} {list(array.shape)} is unknown; "
                f"expected only: {', '.join(shapes) or 'none'}"
            )
    return arrays


# === Computing ===


def _affine(layer: _Layer) -> tuple[np.ndarray, np.ndarray]:
    """Returns what BatchNorm multiplies with and adds."""
    arrays = layer.arrays
    deviation = np.sqrt(arrays["moving_variance"] + layer.settings["epsilon"])
    scale = arrays.get("gamma", 1) / deviation
    return scale, arrays.get("beta", 0) - arrays["moving_mean"] * scale


def _convolution(layer: _Layer, x: tf.Tensor) -> tf.Tensor:
    kernel = tf.constant(layer.arrays["kernel"], x.dtype)
    strides, padding = layer.settings["strides"], layer.settings["padding"]
    x = tf.nn.conv2d(x, kernel, strides, padding.upper())
    if "bias" in layer.arrays:
        x = tf.nn.bias_add(x, tf.constant(layer.arrays["bias"], x.dtype))
    return tf.nn.relu(x) if layer.settings["activation"] == "relu" else x


def _batch_norm(layer: _Layer, x: tf.Tensor) -> tf.Tensor:
    scale, offset = _affine(layer)
    # One fused operation, unlike a multiplication and an addition.
    return tf.compat.v1.nn.fused_batch_norm(
        x,
        tf.constant(scale, tf.float32),
        tf.constant(offset, tf.float32),
        tf.zeros(layer.channels),
        tf.ones(layer.channels),
        epsilon=0.0,
        is_training=False,
    )[0]


def _activation(layer: _Layer, x: tf.Tensor) -> tf.Tensor:
    relu = layer.kind == "ReLU" or layer.settings["activation"] == "relu"
    return tf.nn.relu(x) if relu else x


def _leaky_relu(layer: _Layer, x: tf.Tensor) -> tf.Tensor:
    slope = layer.settings.get("alpha", layer.settings.get("negative_slope", 0.3))
    if isinstance(slope, dict):  # Some Keras 2 wrote it as a numpy scalar.
        slope = slope["value"]
    return tf.nn.leaky_relu(x, float(slope))


def _zero_padding(layer: _Layer, x: tf.Tensor) -> tf.Tensor:
    return tf.pad(x, [[0, 0], *layer.settings["padding"], [0, 0]])


def _pooling(layer: _Layer, x: tf.Tensor) -> tf.Tensor:
    settings = layer.settings
    pool = tf.nn.max_pool2d if layer.kind == "MaxPooling2D" else tf.nn.avg_pool2d
    padding = settings["padding"].upper()
    return pool(x, settings["pool_size"], settings["strides"], padding)


def _enlarging(layer: _Layer, x: tf.Tensor) -> tf.Tensor:
    # DenseDepth's own layer lets corners meet corners; Keras's has half pixels.
    own = layer.kind == "BilinearUpSampling2D"
    size = tf.shape(x)[1:3] * tf.constant(layer.settings["size"], tf.int32)
    enlarged = tf.raw_ops.ResizeBilinear(
        images=x, size=size, align_corners=own, half_pixel_centers=not own
    )
    return tf.cast(enlarged, x.dtype)


_KINDS: dict[str, Callable[..., tf.Tensor]] = {
    "InputLayer": lambda layer, x: x,
    "Conv2D": _convolution,
    "BatchNormalization": _batch_norm,
    "Activation": _activation,
    "ReLU": _activation,
    "LeakyReLU": _leaky_relu,
    "ZeroPadding2D": _zero_padding,
    "MaxPooling2D": _pooling,
    "AveragePooling2D": _pooling,
    "Concatenate": lambda layer, *parts: tf.concat(parts, 3),
    "UpSampling2D": _enlarging,
    "BilinearUpSampling2D": _enlarging,
}


def _fold(layers: dict[str, _Layer]) -> dict[str, _Layer]:
    """Folds each BatchNorm that alone reads a linear convolution into it."""
    readers = Counter(name for layer in layers.values() for name in layer.inputs)
    folded = dict(layers)
    for layer in layers.values():
        before = layers[layer.inputs[0]] if layer.inputs else layer
        if (
            layer.kind != "BatchNormalization"
            or before.kind != "Conv2D"
            or before.settings["activation"] != "linear"
            or readers[before.name] > 1
        ):
            continue
        scale, offset = _affine(layer)
        arrays = {
            "kernel": before.arrays["kernel"] * scale,
            "bias": before.arrays.get("bias", 0) * scale + offset,
        }
        # The convolution moves to the place of its BatchNorm.
        folded[layer.name] = before._replace(name=layer.name, arrays=arrays)
        del folded[before.name]
    return folded


def build_network(
    file: KerasFile, where: str, precision: str
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Builds the network that a Keras 2 file describes.

    Args:
      file: The configuration and the weights.
      where: Name of the file, for errors.
      precision: 'float32' or 'bfloat16'; the last layer is always float32.

    Returns:
      A function from uint8 [N, H, W, 3], RGB, to the network's own output, float32
      [N, H / 2, W / 2] for DenseDepth.

    Raises:
      InputError: If a layer is not of the known kinds, or a tensor is missing, of
        another shape, or used by no layer.
    """
    layers = {layer.name: layer for layer in _read_layers(file, where)}
    outputs = [node[0] for node in file.config["output_layers"]]
    sources = [layer for layer in layers.values() if layer.kind == "InputLayer"]
    if len(outputs) != 1 or len(sources) != 1 or layers[outputs[0]].channels != 1:
        raise InputError(
            f"{where}: the model has {len(sources)} inputs and the outputs {outputs}; "
            "expected one picture in and one channel out"
        )
    layers = _fold(layers)

    def network(images: tf.Tensor) -> tf.Tensor:
        results = {}
        for layer in layers.values():
            inputs = [results[name] for name in layer.inputs]
            if not inputs:
                inputs = [tf.cast(tf.cast(images, tf.float32) / 255, precision)]
            if layer.name == outputs[0]:
                inputs = [tf.cast(x, tf.float32) for x in inputs]
            results[layer.name] = _KINDS[layer.kind](layer, *inputs)
        return results[outputs[0]][..., 0]

    return network
