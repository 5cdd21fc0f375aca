"""monodepth2 once more, in numpy and as the paper tells it, to compare with.

Godard et al., ICCV 2019. Nothing is folded, merged or packed: BatchNorm, ELU,
enlargement, concatenation and reflection each stand where the paper has them.
Arrays are float64 [channels, height, width].
"""

import functools

import numpy as np
import torch_writer

ENCODER = (64, 64, 128, 256, 512)
DECODER = (16, 32, 64, 128, 256)


def convolve(x, weight, bias=None, stride=1):
    """Convolves without padding; `weight` is [out, in, height, width]."""
    size = weight.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    y = np.tensordot(weight, windows, axes=((1, 2, 3), (0, 3, 4)))
    return y if bias is None else y + bias[:, None, None]


def pad(x, size, **mode):
    return np.pad(x, [(0, 0), (size, size), (size, size)], **mode)


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def encode(image, w):
    """Returns the features of five scales for a uint8 [H, W, 3] picture."""

    def norm(x, name):
        part = {
            key: w[f"{name}.{key}"][:, None, None]
            for key in ("weight", "bias", "running_mean", "running_var")
        }
        x = (x - part["running_mean"]) / np.sqrt(part["running_var"] + 1e-5)
        return x * part["weight"] + part["bias"]

    x = (image.transpose(2, 0, 1) / 255 - 0.45) / 0.225
    x = convolve(pad(x, 3), w["encoder.conv1.weight"], stride=2)
    features = [np.maximum(norm(x, "encoder.bn1"), 0)]
    windows = np.lib.stride_tricks.sliding_window_view(
        pad(features[0], 1, constant_values=-np.inf), (3, 3), axis=(1, 2)
    )
    x = windows[:, ::2, ::2].max((3, 4))
    for layer in range(1, 5):
        for block in range(2):
            name = f"encoder.layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = convolve(pad(x, 1), w[f"{name}.conv1.weight"], stride=stride)
            y = np.maximum(norm(y, f"{name}.bn1"), 0)
            y = norm(convolve(pad(y, 1), w[f"{name}.conv2.weight"]), f"{name}.bn2")
            if stride == 2:
                x = convolve(x, w[f"{name}.downsample.0.weight"], stride=2)
                x = norm(x, f"{name}.downsample.1")
            x = np.maximum(x + y, 0)
        features.append(x)
    return features


def disparity_logits(image, w):
    """Returns [H, W], disparity before the sigmoid."""
    features = encode(image, w)
    x = features[-1]

    def layer(x, index):
        name = f"decoder.{index}.conv.conv"
        x = convolve(pad(x, 1, mode="reflect"), w[f"{name}.weight"], w[f"{name}.bias"])
        return elu(x)

    for step, level in enumerate(range(4, -1, -1)):
        x = layer(x, 2 * step).repeat(2, axis=1).repeat(2, axis=2)
        if level:
            x = np.concatenate([x, features[level - 1]])
        x = layer(x, 2 * step + 1)
    name = "decoder.10.conv"
    x = convolve(pad(x, 1, mode="reflect"), w[f"{name}.weight"], w[f"{name}.bias"])
    return x[0]


def disparity(image, w):
    """Returns float64 [H, W] in 0..1 for a uint8 [H, W, 3] picture."""
    return 1 / (1 + np.exp(-disparity_logits(image, w)))


def random_images(count, height, width, seed=0):
    """Returns uint8 [count, height, width, 3]: soft blotches of all sizes."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, height, width, 3))
    for cells in (2, 5, 11, 23):
        coarse = rng.normal(size=(count, cells, cells, 3))
        rows = np.linspace(0, cells - 1, height).round().astype(int)
        columns = np.linspace(0, cells - 1, width).round().astype(int)
        images += coarse[:, rows][:, :, columns]
    return np.clip(images * 40 + 120, 0, 255).astype(np.uint8)


def random_weights(seed=0):
    """Returns (encoder, decoder) of `_draw_weights`, new dictionaries of new arrays."""
    return tuple(
        {name: array.copy() for name, array in part.items()}
        for part in _draw_weights(seed)
    )


@functools.cache
def _draw_weights(seed):
    """Returns (encoder, decoder) as the original files hold them, at random.

    BatchNorm's statistics are random as well, and the last convolution is scaled
    so that disparity fills most of 0..1.
    """
    rng = np.random.default_rng(seed)

    def kernel(*shape):
        return rng.normal(0, np.sqrt(1.6 / np.prod(shape[1:])), shape).astype("f4")

    encoder = {}

    def convolution(name, norm, *shape):
        count = shape[0]
        encoder[f"{name}.weight"] = kernel(*shape)
        encoder[f"{norm}.weight"] = rng.uniform(0.5, 1.5, count).astype("f4")
        encoder[f"{norm}.bias"] = rng.normal(0, 0.3, count).astype("f4")
        encoder[f"{norm}.running_mean"] = rng.normal(0, 0.5, count).astype("f4")
        encoder[f"{norm}.running_var"] = rng.uniform(0.3, 3, count).astype("f4")
        encoder[f"{norm}.num_batches_tracked"] = np.array(7, "i8")

    convolution("encoder.conv1", "encoder.bn1", 64, 3, 7, 7)
    depth = 64
    for layer, filters in enumerate(ENCODER[1:], start=1):
        for block in range(2):
            name = f"encoder.layer{layer}.{block}"
            convolution(f"{name}.conv1", f"{name}.bn1", filters, depth, 3, 3)
            convolution(f"{name}.conv2", f"{name}.bn2", filters, filters, 3, 3)
            if depth != filters:
                short = f"{name}.downsample"
                convolution(f"{short}.0", f"{short}.1", filters, depth, 1, 1)
            depth = filters
    encoder["encoder.fc.weight"] = kernel(1000, 512)
    encoder["encoder.fc.bias"] = kernel(1000, 1)[:, 0]

    decoder = {}
    for step, level in enumerate(range(4, -1, -1)):
        filters = DECODER[level]
        skip = ENCODER[level - 1] if level else 0
        for part, inputs in ((0, depth), (1, filters + skip)):
            name = f"decoder.{2 * step + part}.conv.conv"
            decoder[f"{name}.weight"] = kernel(filters, inputs, 3, 3)
            decoder[f"{name}.bias"] = rng.normal(0, 0.2, filters).astype("f4")
        depth = filters
    for scale in range(4):
        name = f"decoder.{10 + scale}.conv"
        decoder[f"{name}.weight"] = kernel(1, DECODER[scale], 3, 3)
        decoder[f"{name}.bias"] = np.zeros(1, "f4")
    logits = disparity_logits(random_images(1, 64, 96)[0], {**encoder, **decoder})
    scale = np.float32(2 / logits.std())
    decoder["decoder.10.conv.weight"] *= scale
    decoder["decoder.10.conv.bias"] -= scale * np.float32(logits.mean())
    return encoder, decoder


def write_folder(
    folder, height, width, use_stereo=True, write=torch_writer.write_rows, seed=0
):
    """Writes random weights in the original's files; returns all tensors by name."""
    encoder, decoder = random_weights(seed)
    settings = {"height": height, "width": width}
    if use_stereo is not None:
        settings["use_stereo"] = use_stereo
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "encoder.pth").write_bytes(write({**encoder, **settings}))
    (folder / "depth.pth").write_bytes(write(decoder))
    return {**encoder, **decoder}
