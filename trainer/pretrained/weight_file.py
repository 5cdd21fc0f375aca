"""A network's weights in one file: an .npz of float16, without pickle."""

from __future__ import annotations

import dataclasses
import io
import json
import pathlib
import zipfile

import numpy as np

from trainer.errors import UserError, summarise
from trainer.files import write_atomically
from trainer.models import Network
from trainer.settings import Settings

# Settings that decide which weights a network has.
_OF_REFINE = ("refine_without", "spread")
_OF_OTHERS = ("image_size", "padding", "coarse_units", "fine_rows")
SHAPING = ("model", *_OF_REFINE, *_OF_OTHERS)
_SETTINGS = "settings"  # name of the array that holds these as JSON
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


@dataclasses.dataclass(frozen=True)
class Weights:
    """The weights of a trained network.

    Attributes:
      source: Where they are from, for messages.
      settings: Settings of their training; those of `SHAPING` count.
      arrays: Path of each variable to its values, float32.
    """

    source: str
    settings: Settings
    arrays: dict[str, np.ndarray]

    def assign_to(self, network: Network, settings: Settings) -> None:
        """Gives them to a network.

        Args:
          network: A network.
          settings: The settings that it was made with.

        Raises:
          UserError: If they are those of another network.
        """
        variables = {weight.path: weight for weight in network.model.weights}
        shapes = {path: tuple(weight.shape) for path, weight in variables.items()}
        if shapes != {path: array.shape for path, array in self.arrays.items()}:
            raise UserError(
                f"{self.source} has the weights of another network, "
                f"{_describe_difference(self.settings, settings)}"
            )
        for path, variable in variables.items():
            variable.assign(self.arrays[path])


def list_weights(network: Network) -> dict[str, np.ndarray]:
    """Lists a network's weights: path of each variable to its values, float32."""
    return {
        weight.path: np.asarray(weight.numpy(), np.float32)
        for weight in network.model.weights
    }


def write_weights(path: pathlib.Path, weights: Weights) -> None:
    """Writes weights atomically, as float16.

    Raises:
      UserError: If the file cannot be written, or a weight is no number that float16
        has.
    """
    halves = {name: array.astype(np.float16) for name, array in weights.arrays.items()}
    for name, array in halves.items():
        if not np.isfinite(array).all():
            raise UserError(f"{weights.source}: {name} has no finite float16 values")
    shaping = {name: getattr(weights.settings, name) for name in SHAPING}
    memory = io.BytesIO()
    text = np.array(json.dumps(shaping))
    np.savez_compressed(memory, allow_pickle=False, **{_SETTINGS: text}, **halves)
    write_atomically(path, memory.getvalue())


def read_weights(path: pathlib.Path, source: str) -> Weights:
    """Reads what `write_weights` wrote.

    Args:
      path: The file.
      source: What messages call it, such as --init=street.npz.

    Raises:
      UserError: If it is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        shaping = json.loads(str(arrays.pop(_SETTINGS)))
        settings = Settings(**{name: shaping[name] for name in SHAPING})
    except _DAMAGED as error:
        raise UserError(
            f"{source} cannot be read ({summarise(error)}); give a file that "
            "python -m trainer.pretrained wrote"
        ) from error
    values = {name: array.astype(np.float32) for name, array in arrays.items()}
    return Weights(source, settings, values)


def _describe_difference(theirs: Settings, ours: Settings) -> str:
    names = _OF_REFINE if theirs.model == "refine" else _OF_OTHERS
    for name in ("model", *names):
        value = getattr(theirs, name)
        if value != getattr(ours, name):
            return f"with --{name}={value}; give that"
    return "of another version of this program; train it anew"
