"""The embedded teacher's network: a small encoder and decoder for log depth.

An encoder of strided convolutions with residual blocks (He et al. 2016,
https://arxiv.org/abs/1512.03385), the pooled picture added back at its end, a
decoder with lateral connections (Lin et al. 2017, feature pyramids,
https://arxiv.org/abs/1612.03144) and a last step from a quarter to half the
resolution by depth-to-space (Shi et al. 2016, https://arxiv.org/abs/1609.05158).
"""

from __future__ import annotations

import numpy as np

ENCODER = ((24, 0), (40, 1), (80, 1), (128, 2), (128, 1))  # (channels, residual blocks)
DECODER = 48
DETAIL = 16
_EPSILON = 1e-3  # of the batch normalisation


def build_network(train: bool, policy: str = "float32"):
    """Builds the network.

    Args:
      train: Whether convolutions have batch normalisation; if not, they have a bias
        instead, from `fold`.
      policy: Keras dtype policy of all layers but the last.

    Returns:
      A Keras model from [N, H, W, 4] (RGB in -1 .. 1 and the row in -1 .. 1) to
      log metres [N, H/2, W/2], float32; H and W are multiples of 32.
    """
    import keras  # Slow to import; users of other teachers do without it.

    layers = keras.layers

    def conv(x, name, filters, size=3, stride=1, relu=True):
        x = layers.Conv2D(
            filters, size, stride, "same", use_bias=not train, name=name, dtype=policy
        )(x)
        if train:
            x = layers.BatchNormalization(
                momentum=0.98, epsilon=_EPSILON, name=f"{name}_norm", dtype=policy
            )(x)
        return layers.ReLU(name=f"{name}_relu", dtype=policy)(x) if relu else x

    # === Encoder ===
    pictures = keras.Input((None, None, 4), name="pictures")
    x = pictures
    levels = []  # H/2, H/4, H/8, H/16, H/32
    for stage, (channels, blocks) in enumerate(ENCODER, start=1):
        x = conv(x, f"down_{stage}", channels, stride=2)
        for block in range(blocks):
            name = f"residual_{stage}_{block}"
            y = conv(conv(x, f"{name}_a", channels), f"{name}_b", channels, relu=False)
            x = layers.ReLU(name=f"{name}_relu", dtype=policy)(
                layers.Add(name=f"{name}_add", dtype=policy)([x, y])
            )
        levels.append(x)
    pooled = layers.GlobalAveragePooling2D(keepdims=True, dtype=policy)(x)
    x = layers.Add(dtype=policy)([x, conv(pooled, "whole", ENCODER[-1][0], 1)])

    # === Decoder ===
    x = conv(x, "lateral_5", DECODER, 1)
    for level in (4, 3, 2):
        x = layers.UpSampling2D(2, dtype=policy)(x)
        lateral = conv(levels[level - 1], f"lateral_{level}", DECODER, 1)
        x = layers.Add(dtype=policy)([x, lateral])
        x = conv(x, f"up_{level}", DECODER)

    # === Detail ===
    x = conv(x, "detail", 4 * DETAIL, 1)
    x = make_depth_to_space(dtype=policy, name="depth_to_space")(x)
    lateral = conv(levels[0], "lateral_1", DETAIL, 1)
    x = conv(layers.Add(dtype=policy)([x, lateral]), "up_1", DETAIL)
    x = layers.Conv2D(1, 3, padding="same", name="log_depth", dtype="float32")(x)
    return keras.Model(pictures, x[..., 0], name="embedded")


def make_depth_to_space(**settings):
    """Makes a layer from [N, H, W, 4 C] to [N, 2 H, 2 W, C]."""
    import keras
    import tensorflow as tf

    return keras.layers.Lambda(
        lambda x: tf.nn.depth_to_space(x, 2),
        output_shape=lambda shape: (shape[0], None, None, shape[3] // 4),
        **settings,
    )


def fold(model) -> dict[str, np.ndarray]:
    """Folds the batch normalisation of a trained network into its convolutions.

    Args:
      model: A model of `build_network(train=True)`.

    Returns:
      '<layer>/kernel' and '<layer>/bias', float32, for the network of
      `build_network(train=False)`.
    """
    arrays = {}
    norms = {
        layer.name: layer for layer in model.layers if layer.name.endswith("_norm")
    }
    for layer in model.layers:
        weights = layer.get_weights()
        if f"{layer.name}_norm" in norms:
            gamma, beta, mean, variance = norms[f"{layer.name}_norm"].get_weights()
            factor = gamma / np.sqrt(variance + _EPSILON)
            arrays[f"{layer.name}/kernel"] = weights[0] * factor
            arrays[f"{layer.name}/bias"] = beta - mean * factor
        elif weights and layer.name not in norms:
            arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"] = weights
    return arrays
