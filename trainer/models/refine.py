"""Our network: it registers the background first; two stacks learn the rest.

A coarse stack sees the whole pair at a quarter of its size and below, and estimates
mask and depth; a fine stack at half the size sharpens both and gives them at full size.
The two stacks are those of Eigen et al. 2014, https://arxiv.org/abs/1406.2283, the
coarse one built like a U-Net, https://arxiv.org/abs/1505.04597. Kernels are
standardised in place of batches (https://arxiv.org/abs/1903.10520), so that the result
for a picture does not depend on the others in its batch.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from trainer.models.network import Network
from trainer.registration import Registration, compute_local_contrast
from trainer.windows import find_greatest, find_least

MULTIPLE = 32  # of which the sides of pictures have to be multiples
FILTERS = (32, 56, 96, 128, 160)  # at a half, a quarter … of the picture's size
CONTRAST_WINDOW = 9  # pixels
WILDEST = 128.0  # grey levels of spread that are told from more
BLOCKS = (1, 1, 2, 2, 1)  # residual blocks on the way down
FAINTEST = 1.5 / 255  # change that the rest's is taken for at least
COMPONENTS = ("registration", "colours", "outside", "contrast", "relative", "scale")


def refine(
    mean_log_depth: float | None = None,
    without: frozenset[str] = frozenset(),
    spread: bool = False,
    dtype: str = "float32",
    seed: int = 0,
) -> Network:
    """Builds the network: 2.4 million parameters for pictures of every size.

    Args:
      mean_log_depth: Log metres where training starts from; 0 if None.
      without: Those of `COMPONENTS` to leave out, for an ablation: 'registration', so
        that the background is compared as it is; 'colours', so that only its place is
        registered; 'outside', 'contrast' and 'relative', inputs of the stacks;
        'scale', the scale of depth that is estimated from the whole picture.
      spread: Whether it also takes how much the empty scene varies; see `Network`.
      dtype: Keras dtype policy, such as 'mixed_bfloat16'. Registration and maps are
        always float32.
      seed: Seed of the initial weights.

    Returns:
      The network; its heads are 'coarse', float32 [N, H/4, W/4, 2], and 'fine',
      float32 [N, H, W, 2].

    Example:
    ```python
    network = refine()
    maps = network.model({"bg": bg, "fgbg": fgbg})["fine"]  # [N, H, W, 2]
    ```
    """
    seeds = iter(range(1000 * seed, 1000 * seed + 1000))

    def convolution(name, filters, kernel=3, strides=1, relu=True, gain=1.0):
        return Convolution(
            filters, kernel, strides, padding="same", name=name, gain=gain,
            activation="relu" if relu else None, dtype=dtype,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
        )  # fmt: skip

    def blocks(name, x, number=1):
        for index in range(number):
            block = f"{name}_{'abcd'[index]}"
            y = convolution(f"{block}_1", x.shape[-1])(x)
            # Gain 0: every block begins as the identity.
            y = convolution(f"{block}_2", x.shape[-1], relu=False, gain=0.0)(y)
            x = layers.Add(dtype=dtype, name=f"{block}_sum")([x, y])
            x = layers.ReLU(dtype=dtype, name=block)(x)
        return x

    def join(name, deep, skip):
        deep = convolution(f"{name}_up", skip.shape[-1], 1, relu=False)(deep)
        deep = Doubled(dtype=dtype, name=f"{name}_enlarged")(deep)
        x = layers.Add(dtype=dtype, name=f"{name}_sum")([deep, skip])
        return blocks(name, layers.ReLU(dtype=dtype, name=f"{name}_relu")(x))

    def head(name, filters, kernel):
        return layers.Conv2D(
            filters, kernel, padding="same", dtype="float32", name=name,
            kernel_initializer=keras.initializers.VarianceScaling(
                0.1, seed=next(seeds)
            ),
        )  # fmt: skip

    # === Functional Model ===
    inputs = {
        name: keras.Input((None, None, 3), name=name, dtype="float32")
        for name in ("bg", "fgbg")
    }
    if spread:
        inputs["spread"] = keras.Input((None, None, 1), name="spread", dtype="float32")
    pair = Comparison(without, name="comparison")(
        inputs["bg"], inputs["fgbg"], inputs.get("spread")
    )
    x = convolution("fine_1", FILTERS[0], 4, 2)(pair)  # [N, H/2, W/2, 32]
    x = fine = blocks("fine_2", x, BLOCKS[0])
    skips = []
    for level, (filters, number) in enumerate(
        zip(FILTERS[1:], BLOCKS[1:], strict=True), 1
    ):
        x = convolution(f"coarse_{level}_down", filters, 3, 2)(x)
        x = blocks(f"coarse_{level}", x, number)
        skips.append(x)
    x = skips.pop()  # [N, H/32, W/32, 160]
    # The scale of depth is estimated from the whole picture.
    whole = layers.GlobalAveragePooling2D(
        keepdims=True, dtype=dtype, name="whole_mean"
    )(x)
    whole = convolution("whole_1", FILTERS[-1], 1)(whole)
    x = layers.Add(dtype=dtype, name="whole_sum")(
        [x, convolution("whole_2", FILTERS[-1], 1, relu=False, gain=0.0)(whole)]
    )
    scale = head("whole_scale", 1, 1)(whole)  # [N, 1, 1, 1], log metres
    if "scale" in without:
        scale = layers.Rescaling(0.0, dtype="float32")(scale)
    for level, skip in zip((5, 6, 7), reversed(skips), strict=True):
        x = join(f"coarse_{level}", x, skip)
    coarse_head, fine_head = head("coarse_8", 2, 3), head("fine_4", 8, 3)
    coarse_maps = Maps(1, name="coarse")(coarse_head(x), scale)  # [N, H/4, W/4, 2]
    x = join("fine_3", x, fine)  # [N, H/2, W/2, 32]
    fine_maps = Maps(2, name="fine")(fine_head(x), scale)  # [N, H, W, 2]
    model = keras.Model(
        inputs, {"coarse": coarse_maps, "fine": fine_maps}, name="refine"
    )

    # === Config ===
    if mean_log_depth is not None:
        coarse_head.bias.assign([0.0, mean_log_depth])
        fine_head.bias.assign(np.tile([0.0, mean_log_depth], 4))
    return Network(
        model=model,
        grid=None,
        heads=("coarse", "fine"),
        multiple=MULTIPLE,
        spread=spread,
    )


@keras.saving.register_keras_serializable("trainer")
class Convolution(layers.Conv2D):
    """A convolution with standardised kernels, each multiplied by a learned gain."""

    def __init__(self, *arguments, gain: float = 1.0, **settings):
        """Makes the layer.

        Args:
          *arguments: As of `keras.layers.Conv2D`.
          gain: Initial gain; at 1 the variance is kept: a ReLU halves it, and the
            standardised kernel doubles it.
          **settings: As of `keras.layers.Conv2D`.
        """
        super().__init__(*arguments, **settings)
        self._first_gain = gain
        self._folded = False

    def build(self, input_shape):
        """Makes kernel, bias and gains."""
        super().build(input_shape)
        self._gains = self.add_weight(
            name="gain",
            shape=(self.filters,),
            initializer=keras.initializers.Constant(self._first_gain),
        )

    def call(self, inputs):
        """Convolves float [N, h, w, C] with the standardised kernels."""
        kernel = self.kernel if self._folded else self._standardise()
        kernel = ops.cast(kernel, self.compute_dtype)
        outputs = self.convolution_op(inputs, kernel)
        outputs = ops.add(outputs, ops.cast(self.bias, self.compute_dtype))
        return self.activation(outputs)

    def fold(self):
        """Puts the standardised kernel in the kernel's place, before any call."""
        if not self._folded:
            self.kernel.assign(self._standardise())
            self._folded = True

    def _standardise(self):
        kernel = ops.cast(self.kernel, "float32")
        mean = ops.mean(kernel, (0, 1, 2), keepdims=True)
        variance = ops.mean((kernel - mean) ** 2, (0, 1, 2), keepdims=True)
        number = kernel.shape[0] * kernel.shape[1] * kernel.shape[2]
        factor = ops.cast(self._gains, "float32") * ops.rsqrt(
            variance * number / 2 + 1e-6
        )
        return (kernel - mean) * factor

    def save_own_variables(self, store):
        """Saves the gains too; Keras's convolution saves kernel and bias alone."""
        super().save_own_variables(store)
        store["gain"] = self._gains

    def load_own_variables(self, store):
        """Loads the gains too."""
        super().load_own_variables(store)
        self._gains.assign(store["gain"])


@keras.saving.register_keras_serializable("trainer")
class Comparison(layers.Layer):
    """Computes the input of the stacks from a pair, float32 [N, H, W, 14].

    Frame and registered background in -1 to 1; three times their difference; the
    maximum difference of the three colours; the distance of the frame from the range of
    the background within one pixel, which tolerates errors of the registration; the
    difference of local contrast, which shadows do not change; the maximum difference
    beside that of the rest of the picture, which tells what is faint in fog; and a map
    of where the background is known. With a spread, float32 [N, H, W, 15]: a share of
    `WILDEST`.
    """

    def __init__(self, without: frozenset[str] = frozenset(), **settings):
        """Makes the layer; see `refine`."""
        super().__init__(**{**settings, "dtype": "float32"})
        self._without = without
        if "registration" not in without:
            self._registration = Registration("colours" not in without)

    def build(self, bg_shape, fgbg_shape, spread_shape=None):
        """Builds the registration; Keras would register pictures to find its state."""
        if "registration" not in self._without:
            self._registration.build(bg_shape)

    def call(self, bg, fgbg, spread=None):
        """Compares a background with a frame.

        Args:
          bg: float32 [N, H, W, 3], 0 to 255.
          fgbg: The same.
          spread: float32 [N, H, W, 1], grey levels, or None.

        Returns:
          float32 [N, H, W, 14], one channel more with a spread, or fewer where
          components are left out.
        """
        frame, there = fgbg / 255.0, bg / 255.0
        inside = ops.ones_like(there[..., :1])
        if "registration" not in self._without:
            there, inside = self._registration(there, frame)
        change = frame - there
        largest = ops.max(ops.abs(change), -1, keepdims=True)
        seen = [2 * frame - 1, 2 * there - 1, 3 * change, ops.minimum(6 * largest, 1.0)]
        if "outside" not in self._without:
            seen.append(ops.clip(6 * _compute_distance(frame, there), 0.0, 1.0))
        if "contrast" not in self._without:
            seen.append(ops.minimum(_compare_contrast(frame, there) / 2, 1.0))
        if "relative" not in self._without:
            seen.append(ops.minimum(_compare_with_rest(largest) / 8, 1.0))
        if spread is not None:
            seen.append(ops.minimum(spread / WILDEST, 1.0))
        return ops.concatenate([*seen, inside], -1)

    def compute_output_shape(self, bg_shape, fgbg_shape, spread_shape=None):
        """Computes the result's shape."""
        left_out = {"outside", "contrast", "relative"} & self._without
        return *fgbg_shape[:3], 14 - len(left_out) + (spread_shape is not None)


@keras.saving.register_keras_serializable("trainer")
class Maps(layers.Layer):
    """Arranges a head's channels as a map and adds the scene's log scale."""

    def __init__(self, side: int, **settings):
        """Makes the layer.

        Args:
          side: Pixels of the map in each direction of a cell.
          **settings: As of `keras.layers.Layer`.
        """
        super().__init__(**{**settings, "dtype": "float32"})
        self._side = side

    def call(self, cells, scale):
        """Converts float32 [N, h, w, 2 * side**2] to [N, h * side, w * side, 2]."""
        _, rows, columns, _ = ops.shape(cells)
        side = self._side
        if side > 1:
            x = ops.reshape(cells, (-1, rows, columns, side, 2 * side))
            x = ops.transpose(x, (0, 1, 3, 2, 4))  # [N, h, side, w, side * 2]
            cells = ops.reshape(x, (-1, rows * side, columns * side, 2))
        return cells + scale * np.array([0.0, 1.0], np.float32)

    def compute_output_shape(self, cells_shape, scale_shape):
        """Computes the map's shape."""
        number, rows, columns, _ = cells_shape
        side = self._side
        return number, rows and side * rows, columns and side * columns, 2


@keras.saving.register_keras_serializable("trainer")
class Doubled(layers.Layer):
    """Doubles the size of maps bilinearly, and repeats the border's half cells.

    It multiplies by a matrix for each axis. That works on maps of unknown size, as in a
    served model; Keras's UpSampling2D does not.
    """

    def call(self, maps):
        """Resizes float [N, h, w, C] to [N, 2h, 2w, C]."""
        _, height, width, channels = ops.shape(maps)
        rows = ops.cast(_weigh_doubled(height), self.compute_dtype)
        columns = ops.cast(_weigh_doubled(width), self.compute_dtype)
        maps = ops.reshape(maps, (-1, height, width * channels))
        maps = ops.reshape(ops.matmul(rows, maps), (-1, 2 * height, width, channels))
        return ops.matmul(columns, maps)

    def compute_output_shape(self, shape):
        """Doubles height and width."""
        number, height, width, channels = shape
        return number, height and 2 * height, width and 2 * width, channels


def _weigh_doubled(number):
    """Computes the weights of cells for twice as many, [2 * number, number]."""
    wanted = (ops.arange(2 * number, dtype="float32") - 0.5) / 2
    wanted = ops.clip(wanted, 0.0, ops.cast(number - 1, "float32"))
    cells = ops.arange(number, dtype="float32")
    return ops.maximum(1.0 - ops.abs(wanted[:, None] - cells), 0.0)


def _compute_distance(frame, there):
    """Computes the frame's distance from the background's range around a pixel."""
    above = frame - find_greatest(there, 3)
    below = find_least(there, 3) - frame
    return ops.max(ops.maximum(above, below), -1, keepdims=True)


def _compare_contrast(frame, there):
    """Computes the difference of the greys' local contrast, float32 [N, H, W, 1]."""
    grey = ops.concatenate([ops.mean(p, -1, keepdims=True) for p in (frame, there)], -1)
    one, other = ops.split(compute_local_contrast(grey, CONTRAST_WINDOW), 2, -1)
    return ops.abs(one - other)


def _compare_with_rest(change):
    """Divides change by its mean where nothing stands out, float32 [N, H, W, 1]."""
    rest = ops.mean(change, (1, 2), keepdims=True)
    for _ in range(4):
        rest = ops.mean(ops.minimum(change, 2 * rest), (1, 2), keepdims=True)
    return change / ops.maximum(rest, FAINTEST)
