"""ImageNet weights for the coarse convolutions, from a file of the user.

Eigen et al. 2014 start their coarse stack from the network of Krizhevsky et al. 2012,
trained on ImageNet, whose five convolutions have the same kernels. `keras.applications`
has no such network, so its weights come from a file; docs/training.md says which and
how to make one.
"""

from __future__ import annotations

import pathlib
import zipfile
import zlib

import numpy as np

from trainer.errors import UserError
from trainer.models.network import Network

LAYERS = tuple(f"coarse_{number}" for number in range(1, 6))
COLOURS = 3  # of the composite, which come first of the network's six channels
_UNREADABLE = (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)
MEAN = (123.68, 116.779, 103.939)  # of ImageNet's colours, red, green, blue


def load_alexnet(network: Network, path: str) -> None:
    """Replaces the coarse stack's five convolutions by those of a file.

    The file holds, as `numpy.savez` writes them, `conv1_kernel` to `conv5_kernel`,
    float [height, width, channels in, channels out], and `conv1_bias` to `conv5_bias`,
    float [channels out]. `conv1` expects red, green and blue in 0 to 255 minus
    `mean`, float [3], ImageNet's where the file has none. Kernels with half of the
    channels in are of two groups, as in the original: each half of the channels out
    sees its own half of those in.

    The first kernel is scaled to the composite in -1 to 1. The channels of the
    difference from the background keep their random kernel.

    Args:
      network: The network eigen.
      path: The file.

    Raises:
      UserError: If the file cannot be read, or an array is missing, of another shape
        or not finite.
    """
    arrays = _read(path)
    convolutions = [network.model.get_layer(name).layers[0] for name in LAYERS]
    loaded = []
    for number, convolution in enumerate(convolutions, 1):
        started, bias = (weight.numpy() for weight in convolution.weights)
        shape = started.shape
        if number == 1:
            shape = (*shape[:2], COLOURS, shape[3])
        groups = (*shape[:2], shape[2] // 2, shape[3])
        shapes = (shape,) if number == 1 else (shape, groups)
        kernel = _get_array(arrays, path, f"conv{number}_kernel", *shapes)
        bias = _get_array(arrays, path, f"conv{number}_bias", bias.shape)
        if kernel.shape != shape:
            kernel = _spread_groups(kernel)
        if number == 1:
            mean = np.array(MEAN, np.float32)
            if "mean" in arrays:
                mean = _get_array(arrays, path, "mean", (COLOURS,))
            # colour - mean = 127.5 * ours + 127.5 - mean
            bias = bias + kernel.sum((0, 1)).T @ (127.5 - mean)
            kernel = np.concatenate([127.5 * kernel, started[:, :, COLOURS:]], 2)
        loaded.append((kernel, bias))
    for convolution, weights in zip(convolutions, loaded, strict=True):
        for variable, value in zip(convolution.weights, weights, strict=True):
            variable.assign(value)


def _read(path: str) -> dict[str, np.ndarray]:
    try:
        with np.load(pathlib.Path(path).expanduser(), allow_pickle=False) as file:
            return dict(file)
    except _UNREADABLE as error:
        raise UserError(
            f"--coarse_weights={path} cannot be read as what numpy.savez writes "
            f"({str(error).splitlines()[0] or type(error).__name__})"
        ) from error


def _get_array(arrays, path: str, name: str, *shapes: tuple[int, ...]) -> np.ndarray:
    """Returns an array of the file, which has to have one of the shapes."""
    listed = " or ".join(str(list(shape)) for shape in shapes)
    if name not in arrays:
        raise UserError(
            f"--coarse_weights={path} has no {name}, {listed}; it has "
            f"{', '.join(sorted(arrays)) or 'nothing'}"
        )
    values = arrays[name]
    if values.shape not in shapes or values.dtype.kind != "f":
        raise UserError(
            f"--coarse_weights={path}: {name} is {values.dtype} {list(values.shape)}; "
            f"it has to be float {listed}"
        )
    if not np.isfinite(values).all():
        raise UserError(
            f"--coarse_weights={path}: {name} has values that are no number"
        )
    return values.astype(np.float32)


def _spread_groups(kernel: np.ndarray) -> np.ndarray:
    """Spreads a kernel of two groups to all channels, with zeros in between."""
    zeros = np.zeros_like(kernel)
    half = kernel.shape[3] // 2
    first = np.concatenate([kernel[..., :half], zeros[..., half:]], 3)
    second = np.concatenate([zeros[..., :half], kernel[..., half:]], 3)
    return np.concatenate([first, second], 2)
