"""The file of the embedded teacher's weights: an .npz of float16, without pickle."""

from __future__ import annotations

import hashlib
import io
import pathlib
import zipfile

import numpy as np

from fgbg_tfds.depth.weights_folder import EMBEDDED_WEIGHTS
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import write_atomically


def write_weights(path: str | pathlib.Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes weights atomically.

    Args:
      path: The file, *.npz.
      arrays: Name to float array; stored as float16.

    Raises:
      InputError: If the file cannot be written.
    """
    memory = io.BytesIO()
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    np.savez(memory, allow_pickle=False, **halves)
    write_atomically(pathlib.Path(path), memory.getvalue())


def read_weights(
    path: str | pathlib.Path | None, shapes: dict[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """Reads weights and checks that they are complete.

    Args:
      path: The file; None is the embedded one.
      shapes: Name and shape of every array that the network needs.

    Returns:
      Name to float32 array.

    Raises:
      InputError: If the file is missing, damaged or of another network.
    """
    path = EMBEDDED_WEIGHTS if path is None else pathlib.Path(path)
    wanted = "a file that `python -m fgbg_tfds.depth train` wrote is wanted"
    if path.is_dir() or not path.exists():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"weights {path} {kind}; {wanted}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        TypeError,
        zipfile.BadZipFile,
    ) as e:
        raise InputError(f"weights {path} cannot be read ({e}); {wanted}") from e
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            raise InputError(
                f"weights {path} are not the embedded teacher's: {name} of shape "
                f"{list(shape)} is missing; {wanted}"
            )
        if not np.isfinite(arrays[name]).all():
            raise InputError(
                f"weights {path} hold no finite numbers in {name}; {wanted}"
            )
    return arrays


def compute_digest(path: str | pathlib.Path | None) -> str:
    """Computes a file's SHA-256, hexadecimal; None is the embedded file."""
    path = EMBEDDED_WEIGHTS if path is None else pathlib.Path(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
