"""The original project's network: two shared convolutions, then three for the pair.

S15-A of the EVA course (2020): https://github.com/DrVenkataRajeshKumar/S15-A. A shared
3x3 convolution and a depthwise separable one look at either picture; a 3x3 convolution
over both, and another one, give the maps at the picture's own size. It learns depth as
a fraction of its maximum, with the same cross-entropy as the mask.
"""

from __future__ import annotations

import keras
from keras import layers

from trainer.models.grid import Grid
from trainer.models.network import Network


def dnn15(
    size: tuple[int, int] = (128, 128), dtype: str = "float32", seed: int = 0
) -> Network:
    """Builds the network: 305,728 trainable parameters at every picture size.

    Its third output channel is the original's; no label belongs to it here.

    Args:
      size: Height and width of the pictures; the original's are 128 x 128.
      dtype: Keras dtype policy, such as 'mixed_bfloat16'. Maps are always float32.
      seed: Seed of the initial weights.

    Returns:
      The network; its head is 'full', float32 [N, H, W, 2], its depth code 'share'.
    """
    seeds = iter(range(1000 * seed, 1000 * seed + 1000))

    def initializer():
        return keras.initializers.HeNormal(seed=next(seeds))

    def normalise(name):
        # Statistics over all devices, so that results do not depend on their number.
        # PyTorch's momentum, in which the original is: with Keras's 0.99, statistics
        # take hundreds of steps to settle.
        return [
            layers.BatchNormalization(
                momentum=0.9, synchronized=True, dtype=dtype, name=f"{name}_normalised"
            ),
            layers.ReLU(dtype=dtype, name=f"{name}_relu"),
        ]

    def convolution(name, filters, dtype=dtype):
        return layers.Conv2D(
            filters, 3, padding="same", use_bias=False,
            kernel_initializer=initializer(), dtype=dtype, name=name,
        )  # fmt: skip

    # === Layers ===
    scale = layers.Rescaling(1 / 255, dtype="float32", name="scale")
    shared = [
        convolution("shared_1", 32),
        *normalise("shared_1"),
        layers.SeparableConv2D(
            64, 3, padding="same", use_bias=False,
            depthwise_initializer=initializer(), pointwise_initializer=initializer(),
            dtype=dtype, name="shared_2",
        ),
        *normalise("shared_2"),
    ]  # fmt: skip
    both = [
        convolution("both_1", 256),
        *normalise("both_1"),
        convolution("both_2", 3, dtype="float32"),
    ]

    # === Functional Model ===
    inputs = {
        name: keras.Input((*size, 3), name=name, dtype="float32")
        for name in ("bg", "fgbg")
    }
    seen = []
    for picture in inputs.values():
        x = scale(picture)  # [N, H, W, 3]
        for layer in shared:
            x = layer(x)
        seen.append(x)  # [N, H, W, 64]
    x = layers.Concatenate(dtype=dtype, name="pair")(seen)  # [N, H, W, 128]
    for layer in both:
        x = layer(x)
    model = keras.Model(inputs, {"full": x[..., :2]}, name="dnn15")

    # === Config ===
    grid = Grid(picture=size, cells=size, top=0.0, left=0.0, stride=1.0)
    return Network(
        model=model,
        grid=grid,
        heads=("full",),
        depth_code="share",
    )
