"""A network that is loaded to be served: its signatures, and asking them."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.errors import UserError, summarise
from trainer.shipped import SUFFIX

DEFAULT = "serving_default"
IMAGES = "images"


@dataclasses.dataclass(frozen=True)
class Signature:
    """A way to ask a network.

    Attributes:
      ask: Takes tensors by the names of `inputs`, gives them by those of `outputs`.
      inputs: The inputs' specifications by name.
      outputs: The same of the outputs.
    """

    ask: Callable[..., Mapping[str, Any]]
    inputs: Mapping[str, tf.TensorSpec]
    outputs: Mapping[str, tf.TensorSpec]

    @property
    def takes_files(self) -> bool:
        """Whether it is asked with picture files."""
        return any(spec.dtype == tf.string for spec in self.inputs.values())

    @property
    def gives_files(self) -> bool:
        """Whether it answers with picture files, of one pair after the other."""
        return any(spec.dtype == tf.string for spec in self.outputs.values())

    def __call__(self, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Asks.

        Args:
          given: Arrays, or lists of bytes objects, by the names of `inputs`.

        Raises:
          tf.errors.OpError: If the network cannot answer.
        """
        tensors = {
            name: tf.constant(given[name], spec.dtype)
            for name, spec in self.inputs.items()
        }
        return {name: value.numpy() for name, value in self.ask(**tensors).items()}


@dataclasses.dataclass(frozen=True)
class Servable:
    """A loaded network.

    Attributes:
      number: Its version.
      path: Where it was loaded from.
      signatures: Its signatures by name.
    """

    number: int
    path: pathlib.Path
    signatures: Mapping[str, Signature]


def load_servable(path: pathlib.Path, number: int) -> Servable:
    """Loads a network and asks it once, so that the first client need not wait.

    Args:
      path: A SavedModel with the signature `images`, or a file of weights.
      number: Its version.

    Raises:
      UserError: If it cannot be loaded or asked.
    """
    load = _load_weights if path.suffix == SUFFIX else _load_export
    servable = Servable(number, path, load(path))
    grey = np.full((1, 64, 64, 3), 128, np.uint8)
    try:
        servable.signatures[IMAGES]({"bg": grey, "fgbg": grey})
    except (tf.errors.OpError, TypeError, ValueError, KeyError) as error:
        raise UserError(
            f"--model={path} cannot be asked: {summarise(error)}"
        ) from error
    return servable


def _load_export(path: pathlib.Path) -> dict[str, Signature]:
    try:
        served = tf.saved_model.load(str(path)).signatures
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(
            f"--model={path} cannot be loaded: {summarise(error)}"
        ) from error
    signatures = {
        name: Signature(
            each,
            dict(sorted(each.structured_input_signature[1].items())),
            each.structured_outputs,
        )
        for name, each in served.items()
    }
    if IMAGES not in signatures:
        raise UserError(
            f"--model={path} has not the signature images(bg, fgbg); give a folder "
            "that python -m trainer.main has exported"
        )
    return signatures


def _load_weights(path: pathlib.Path) -> dict[str, Signature]:
    from trainer.export import Signatures  # a SavedModel is loaded without Keras
    from trainer.pretrained import load_network

    network, size = load_network(path, f"--model={path}")
    network.fold()
    signatures = {}
    for name, (answer, specs) in (
        Signatures(network, size, size).list_endpoints().items()
    ):
        traced = tf.function(answer, specs, autograph=False).get_concrete_function()
        inputs = {spec.name: spec for spec in specs}
        signatures[name] = Signature(traced, inputs, traced.structured_outputs)
    return signatures
