"""Keras 2 models in HDF5, read as a configuration and arrays.

Keras 3 neither loads such models (their layers' names hold slashes) nor says which
layers `load_weights(by_name=True)` passed over. Here nothing is instantiated and
nothing is passed over: the caller gets every layer and every array, or an error.
"""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple

import h5py
import numpy as np

from fgbg_tfds.errors import InputError

_ENTRIES = {"name", "class_name", "config", "inbound_nodes"}


class KerasFile(NamedTuple):
    """A Keras 2 model as it stands in its file.

    Attributes:
      config: The model's own configuration, as `model.get_config()` gave it.
      weights: Arrays by layer and by short name, such as 'kernel' or 'gamma'.
    """

    config: dict[str, Any]
    weights: dict[str, dict[str, np.ndarray]]


def read_keras_file(data: bytes, name: str) -> KerasFile:
    """Reads a full model saved by Keras 2 as HDF5.

    Args:
      data: The whole file.
      name: Name of the file, for errors.

    Returns:
      The model's configuration and all its weights.

    Raises:
      InputError: If the file is truncated, damaged, or holds no full model.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            config = _read_config(file, name)
            return KerasFile(config, _read_weights(file, name))
    # h5py answers to damage with OSError, KeyError, RuntimeError or ValueError.
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        raise InputError(
            f"{name} is truncated, damaged or no Keras HDF5 file: {error}"
        ) from error


def _read_config(file: h5py.File, name: str) -> dict[str, Any]:
    text = file.attrs.get("model_config")
    if text is None:
        raise InputError(
            f"{name} holds no model_config; expected a full model, not weights alone"
        )
    try:
        model = json.loads(text)
        config = model["config"]
        whole = all(set(layer) >= _ENTRIES for layer in config["layers"])
        whole = whole and config["layers"] and config["output_layers"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{name}: its model_config cannot be read") from error
    if model.get("class_name") not in ("Model", "Functional") or not whole:
        raise InputError(
            f"{name} holds a {model.get('class_name')!r}; expected a functional model"
        )
    return config


def _read_weights(file: h5py.File, name: str) -> dict[str, dict[str, np.ndarray]]:
    group = file.get("model_weights")
    if group is None:
        raise InputError(f"{name} holds no model_weights; expected a full model")
    weights = {}
    for layer in map(_text, group.attrs["layer_names"]):
        arrays = {}
        for path in map(_text, group[layer].attrs["weight_names"]):
            short = path.rsplit("/", 1)[-1].split(":")[0]
            if path not in group[layer]:
                raise InputError(f"{name}: tensor {path!r} is listed but missing")
            arrays[short] = np.asarray(group[layer][path], np.float32)
        weights[layer] = arrays
    return weights


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
