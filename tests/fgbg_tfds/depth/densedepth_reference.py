"""DenseDepth once more, in numpy and as its paper tells it, and files of its format.

Alhashim, Wonka 2018 on DenseNet (Huang et al., 2017). Arrays are float64 [channels,
height, width]; nothing is folded.
"""

import json

import h5py
import numpy as np
from monodepth2_reference import convolve, pad

EPSILON = 1.001e-5


class Shape:
    """Width and depth of a DenseDepth; the default is the released one."""

    def __init__(
        self,
        blocks=(6, 12, 32, 32),
        stem=64,
        growth=32,
        inner_slope=None,
        slope=0.2,
        own_enlarging=True,
    ):
        self.blocks, self.stem, self.growth = blocks, stem, growth
        self.inner_slope, self.slope = inner_slope, slope
        self.own_enlarging = own_enlarging


SMALL = {"blocks": (1, 2, 2, 1), "stem": 8, "growth": 4}


# === The network ===


def enlarge(x, own):
    """Doubles the size, bilinearly; `own` lets corners meet corners."""
    for axis in (1, 2):
        n = x.shape[axis]
        place = np.arange(2 * n)
        place = place * (n - 1) / (2 * n - 1) if own else (place + 0.5) / 2 - 0.5
        place = np.clip(place, 0, n - 1)
        low = np.minimum(place.astype(int), n - 2)
        part = (place - low).reshape([-1 if a == axis else 1 for a in range(3)])
        x = x.take(low, axis) * (1 - part) + x.take(low + 1, axis) * part
    return x


def predict(image, w, shape):
    """Returns float64 [H / 2, W / 2], the greatest depth over the depth."""

    def conv(x, name, size, stride=1):
        kernel = w[name, "kernel"].transpose(3, 2, 0, 1)
        x = pad(x, size // 2) if size else x
        return convolve(x, kernel, w.get((name, "bias")), stride)

    def norm_relu(x, name):
        gamma, beta, mean, variance = (
            w[name, part][:, None, None]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return np.maximum((x - mean) / np.sqrt(variance + EPSILON) * gamma + beta, 0)

    def leaky(x, slope):
        return x if slope is None else np.where(x > 0, x, slope * x)

    x = image.transpose(2, 0, 1) / 255
    x = norm_relu(conv(x, "conv1/conv", 7, 2), "conv1/bn")
    skips = [x]
    windows = np.lib.stride_tricks.sliding_window_view(pad(x, 1), (3, 3), axis=(1, 2))
    x = windows[:, ::2, ::2].max((3, 4))
    for stage, count in enumerate(shape.blocks, start=2):
        skips.append(x)
        for block in range(1, count + 1):
            name = f"conv{stage}_block{block}"
            y = conv(norm_relu(x, f"{name}_0_bn"), f"{name}_1_conv", 0)
            y = conv(norm_relu(y, f"{name}_1_bn"), f"{name}_2_conv", 3)
            x = np.concatenate([x, y])
        if stage < 5:
            x = conv(norm_relu(x, f"pool{stage}_bn"), f"pool{stage}_conv", 0)
            halves = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2)
            x = halves.mean((2, 4))
    x = conv(norm_relu(x, "bn"), "conv2", 0)
    for level in range(1, 5):
        x = np.concatenate([enlarge(x, shape.own_enlarging), skips[4 - level]])
        x = leaky(conv(x, f"up{level}_convA", 3), shape.inner_slope)
        x = leaky(conv(x, f"up{level}_convB", 3), shape.slope)
    return conv(x, "conv3", 3)[0]


# === The file ===


class Writer:
    """Collects layers and random weights as Keras 2 would have them."""

    def __init__(self, shape, seed):
        self.rng = np.random.default_rng(seed)
        self.layers, self.weights, self.channels = [], {}, {}
        self.shape = shape

    def add(self, kind, name, inputs, channels=None, **settings):
        nodes = [[[each, 0, 0, {}] for each in inputs]] if inputs else []
        if channels is None:
            channels = sum(self.channels[each] for each in inputs)
        self.channels[name] = channels
        self.layers.append(
            {
                "class_name": kind,
                "name": name,
                "config": {"name": name, "trainable": True, **settings},
                "inbound_nodes": nodes,
            }
        )
        return name

    def conv(self, name, x, filters, size, stride=1, padding="same", bias=False):
        depth = self.channels[x]
        kernel = self.rng.normal(
            0, np.sqrt(1.6 / (size * size * depth)), (size, size, depth, filters)
        )
        self.weights[name] = {"kernel": kernel}
        if bias:
            self.weights[name]["bias"] = self.rng.normal(0, 0.2, filters)
        return self.add(
            "Conv2D",
            name,
            [x],
            filters,
            filters=filters,
            kernel_size=[size, size],
            strides=[stride, stride],
            padding=padding,
            data_format="channels_last",
            dilation_rate=[1, 1],
            activation="linear",
            use_bias=bias,
        )

    def norm_relu(self, name, x, relu):
        count = self.channels[x]
        self.weights[name] = {
            "gamma": self.rng.uniform(0.5, 1.5, count),
            "beta": self.rng.normal(0, 0.3, count),
            "moving_mean": self.rng.normal(0, 0.3, count),
            "moving_variance": self.rng.uniform(0.3, 2, count),
        }
        x = self.add("BatchNormalization", name, [x], axis=3, epsilon=EPSILON)
        return self.add("Activation", relu, [x], activation="relu")

    def pool(self, kind, name, x, size):
        settings = {"strides": [2, 2], "padding": "valid"}
        return self.add(kind, name, [x], pool_size=[size, size], **settings)

    def encode(self):
        """Adds the encoder; returns its end and the features for the decoder."""
        shape = self.shape
        x = self.add("InputLayer", "input_1", [], 3, dtype="float32")
        x = self.add("ZeroPadding2D", "zero_padding2d_1", [x], padding=[[3, 3]] * 2)
        x = self.conv("conv1/conv", x, shape.stem, 7, 2, "valid")
        x = self.norm_relu("conv1/bn", x, "conv1/relu")
        skips = [x]
        x = self.add("ZeroPadding2D", "zero_padding2d_2", [x], padding=[[1, 1]] * 2)
        x = self.pool("MaxPooling2D", "pool1", x, 3)
        for stage, count in enumerate(shape.blocks, start=2):
            skips.append(x)
            for block in range(1, count + 1):
                name = f"conv{stage}_block{block}"
                y = self.norm_relu(f"{name}_0_bn", x, f"{name}_0_relu")
                y = self.conv(f"{name}_1_conv", y, 4 * shape.growth, 1)
                y = self.norm_relu(f"{name}_1_bn", y, f"{name}_1_relu")
                y = self.conv(f"{name}_2_conv", y, shape.growth, 3)
                x = self.add("Concatenate", f"{name}_concat", [x, y], axis=3)
            if stage < 5:
                x = self.norm_relu(f"pool{stage}_bn", x, f"pool{stage}_relu")
                half = self.channels[x] // 2
                x = self.conv(f"pool{stage}_conv", x, half, 1)
                x = self.pool("AveragePooling2D", f"pool{stage}_pool", x, 2)
        return self.norm_relu("bn", x, "relu"), skips

    def decode(self, x, skips):
        """Adds the decoder; returns the output's name."""
        shape, filters = self.shape, max(self.channels[x], 32)
        x = self.conv("conv2", x, filters, 1, bias=True)
        for level in range(1, 5):
            name = f"up{level}"
            kind, how = "BilinearUpSampling2D", {"data_format": "channels_last"}
            if not shape.own_enlarging:
                kind, how = "UpSampling2D", {"interpolation": "bilinear"}
            x = self.add(kind, f"{name}_upsampling2d", [x], size=[2, 2], **how)
            x = self.add(
                "Concatenate", f"{name}_concat", [x, skips[4 - level]], axis=-1
            )
            for part, slope in (("A", shape.inner_slope), ("B", shape.slope)):
                count = filters // 2**level
                x = self.conv(f"{name}_conv{part}", x, count, 3, bias=True)
                if slope is not None:
                    leaky = f"leaky_{level}{part}"
                    x = self.add("LeakyReLU", leaky, [x], alpha=slope)
        return self.conv("conv3", x, 1, 3, bias=True)

    def config(self, output):
        return {
            "name": "model_1",
            "layers": self.layers,
            "input_layers": [["input_1", 0, 0]],
            "output_layers": [[output, 0, 0]],
        }


def make(shape, seed=0):
    """Returns (model_config, weights by layer) at random; the output is near 5."""
    writer = Writer(shape, seed)
    output = writer.decode(*writer.encode())
    weights = {
        layer: {name: array.astype("f4") for name, array in arrays.items()}
        for layer, arrays in writer.weights.items()
    }
    image = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    found = predict(image, by_pair(weights), shape)
    scale = np.float32(1 / found.std())
    weights["conv3"]["kernel"] *= scale
    bias = weights["conv3"]["bias"]
    bias += np.float32(5 - scale * (found.mean() - bias[0])) - bias
    return {"class_name": "Model", "config": writer.config(output)}, weights


def by_pair(weights):
    """Returns weights by (layer, name)."""
    return {
        (layer, name): array
        for layer, arrays in weights.items()
        for name, array in arrays.items()
    }


def write(path, model, weights):
    """Writes a full model as Keras 2 did."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.2.4"
        if model is not None:
            file.attrs["model_config"] = json.dumps(model).encode()
        group = file.create_group("model_weights")
        names = [layer["name"] for layer in model["config"]["layers"]] if model else []
        names += [name for name in weights if name not in names]
        group.attrs["layer_names"] = [name.encode() for name in names]
        for layer in names:
            part = group.create_group(layer)
            paths = [f"{layer}/{name}:0" for name in weights.get(layer, {})]
            part.attrs["weight_names"] = np.array([p.encode() for p in paths], "S")
            for name, array in weights.get(layer, {}).items():
                part.create_dataset(f"{layer}/{name}:0", data=array)
    return path
