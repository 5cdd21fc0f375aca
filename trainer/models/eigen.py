"""The two-stack network of Eigen, Puhrsch and Fergus, for a pair of pictures.

Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, NIPS 2014,
https://arxiv.org/abs/1406.2283. Ours are the six input channels instead of three, a
mask beside the depth in both stacks, and padding for other picture sizes.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from trainer.errors import UserError
from trainer.models.dense import Dense
from trainer.models.grid import Grid, reduce_map
from trainer.models.network import Network

MASK, DEPTH = 0, 1  # channels of every map


def eigen(
    size: tuple[int, int] = (224, 224),
    padding: str = "same",
    coarse_units: int = 4096,
    dropout: float = 0.5,
    fine_rows: int | None = None,
    mean_log_depth: np.ndarray | None = None,
    dtype: str = "float32",
    seed: int = 0,
) -> Network:
    """Builds the network; layers bear the names of the paper's Figure 1.

    `coarse_1` to `coarse_7` see the whole picture and end in two dense layers;
    `fine_1` to `fine_4` work at a quarter of the picture's size and take the coarse
    maps in at `fine_2`. Both stacks give a mask logit and a log depth for each cell.

    Args:
      size: Height and width of the pictures.
      padding: 'valid' for the paper's sizes (304 x 228 gives 74 x 55), 'same' for
        maps of exactly a quarter of the picture (224 x 224 gives 56 x 56).
      coarse_units: Width of `coarse_6`; the paper's is 4096.
      dropout: Fraction of the units of `coarse_6` that are dropped in training.
      fine_rows: Number of rows at the bottom of the picture that the fine stack sees
        and the maps cover; all if None. The paper's for KITTI is 116 of 172.
      mean_log_depth: float [H, W], log metres, where training starts from; 0 if None.
      dtype: Keras dtype policy, such as 'mixed_bfloat16'. Maps are always float32.
      seed: Seed of the initial weights and of dropout.

    Returns:
      The network; its heads are 'coarse' and 'fine', each float32 [N, h, w, 2].

    Raises:
      UserError: If pictures of this size are too small for the last layers.

    Example:
    ```python
    network = eigen(size=(228, 304), padding="valid")
    maps = network.model({"bg": bg, "fgbg": fgbg})["fine"]  # [N, 55, 74, 2]
    ```
    """
    grid = _find_grid(size, padding, fine_rows)
    seeds = iter(range(1000 * seed, 1000 * seed + 1000))

    def convolution(filters, kernel, strides=1, padding="same", relu=True):
        return layers.Conv2D(
            filters,
            kernel,
            strides,
            padding=padding,
            activation="relu" if relu else None,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            dtype=dtype,
            # Keras would number it, anew in every network: files of weights go by name.
            name="convolution",
        )

    def stage(name, *stack):
        block = keras.Sequential(list(stack), name=name)
        block.dtype_policy = dtype  # else it would cast to float32 and back
        return block

    def pool(size, strides, padding="valid"):
        return layers.MaxPooling2D(size, strides, padding=padding, dtype=dtype)

    # === Layers ===
    coarse = [
        stage(
            "coarse_1",
            convolution(96, 11, 4, padding),
            pool(2, 2),
        ),
        stage("coarse_2", convolution(256, 5), pool(3, 2, padding)),
        stage("coarse_3", convolution(384, 3)),
        stage("coarse_4", convolution(384, 3)),
        stage("coarse_5", convolution(256, 3, 2, padding)),
        stage(
            "coarse_6",
            layers.Flatten(dtype=dtype),
            Dense(
                coarse_units,
                activation="relu",
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                dtype=dtype,
                name="units",
            ),
            layers.Dropout(dropout, seed=next(seeds), dtype=dtype),
        ),
        stage(
            "coarse_7",
            Dense(
                grid.cells[0] * grid.cells[1] * 2,
                kernel_initializer=keras.initializers.VarianceScaling(
                    0.01, seed=next(seeds)
                ),
                dtype="float32",
                name="maps",
            ),
            layers.Reshape((*grid.cells, 2)),
        ),
    ]
    fine_1 = stage("fine_1", convolution(63, 9, 2, padding), pool(2, 2))
    fine_2 = layers.Concatenate(name="fine_2", dtype=dtype)
    fine_3 = stage("fine_3", convolution(64, 5))
    fine_4 = layers.Conv2D(
        2,
        5,
        padding="same",
        kernel_initializer=keras.initializers.VarianceScaling(0.01, seed=next(seeds)),
        dtype="float32",
        name="fine_4",
    )

    # === Functional Model ===
    inputs = {
        name: keras.Input((*size, 3), name=name, dtype="float32")
        for name in ("bg", "fgbg")
    }
    pair = normalise(inputs["bg"], inputs["fgbg"])  # [N, H, W, 6]
    x = pair
    try:
        for layer in coarse:
            x = layer(x)
    except ValueError as error:
        raise UserError(
            f"pictures of {size[0]} x {size[1]} pixels are too small for the network "
            "eigen; --image_size must be at least 64"
        ) from error
    coarse_maps = x  # [N, h, w, 2]
    seen = pair if fine_rows is None else pair[:, -fine_rows:]
    x = fine_1(seen)  # [N, h, w, 63]
    x = fine_2([x, coarse_maps])  # [N, h, w, 65]
    x = fine_3(x)  # [N, h, w, 64]
    fine_maps = fine_4(x)  # [N, h, w, 2]
    model = keras.Model(
        inputs, {"coarse": coarse_maps, "fine": fine_maps}, name="eigen"
    )

    # === Config ===
    if mean_log_depth is not None:
        start = np.zeros((*grid.cells, 2), np.float32)
        start[..., DEPTH] = reduce_map(mean_log_depth, grid)
        coarse[-1].layers[0].bias.assign(start.reshape(-1))
        fine_4.bias.assign(start.mean((0, 1)))
    return Network(model=model, grid=grid, heads=("coarse", "fine"))


def normalise(bg, fgbg):
    """Computes the six channels that the network sees.

    They are linear in the colours: the composite, and its difference from the
    background, amplified since most differences are small.

    Args:
      bg: float [N, H, W, 3], background, 0 to 255.
      fgbg: float [N, H, W, 3], composite, 0 to 255.

    Returns:
      float32 [N, H, W, 6]; the composite in -1 to 1, then the difference in -4 to 4.
    """
    colours = layers.Rescaling(1 / 127.5, -1.0, dtype="float32")(fgbg)
    change = layers.Subtract(dtype="float32")([fgbg, bg])
    change = layers.Rescaling(4 / 255, dtype="float32")(change)
    return layers.Concatenate(dtype="float32")([colours, change])


def _find_grid(size: tuple[int, int], padding: str, fine_rows: int | None) -> Grid:
    """Finds the grid of the map after `fine_1`: 9x9 of stride 2, then a 2x2 pool."""
    height, width = size
    rows = height if fine_rows is None else fine_rows
    if padding == "same" and (height % 32 or width % 32 or fine_rows is not None):
        raise UserError(
            f"pictures of {height} x {width} pixels do not fit the network eigen with "
            "--padding=same; --image_size must be a multiple of 32, such as 128 or 224"
        )
    if padding == "same":
        # 7 pixels of padding, 3 of them before the first: cells lie on 2, 6, 10 …
        return Grid(size, (height // 4, width // 4), 2.0, 2.0, 4.0)
    down, across = ((((side - 9) // 2) + 1) // 2 for side in (rows, width))
    if min(down, across) < 1 or rows > height:
        raise UserError(
            f"pictures of {height} x {width} pixels, {rows} rows of them seen by the "
            "fine stack, are too small for the network eigen"
        )
    return Grid(size, (down, across), height - rows + 5.0, 5.0, 4.0)
