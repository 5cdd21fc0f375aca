"""The networks, by the names that `--model` knows."""

from __future__ import annotations

import numpy as np

from trainer.errors import UserError
from trainer.models.dnn15 import dnn15
from trainer.models.eigen import eigen
from trainer.models.network import Network
from trainer.settings import Settings, parts


def make_network(
    settings: Settings,
    size: tuple[int, int],
    mean_log_depth: np.ndarray | None = None,
    dtype: str = "float32",
) -> Network:
    """Makes the network that the settings name.

    Args:
      settings: Read are `model`, `seed` and what the network has of its own.
      size: Height and width of the pictures that are fed.
      mean_log_depth: float [H, W], log metres, where training starts from.
      dtype: Keras dtype policy.

    Returns:
      The network.

    Raises:
      UserError: If the network cannot take pictures of this size, or a setting is
        for another network.
    """
    if settings.small_size and settings.model != "refine":
        raise UserError(
            f"--model={settings.model} is made for one size; --small_size is for refine"
        )
    if settings.coarse_weights and settings.model != "eigen":
        raise UserError(
            f"--model={settings.model} has no convolutions for --coarse_weights; "
            "--coarse_weights is for eigen"
        )
    if settings.refine_without and settings.model != "refine":
        raise UserError(
            f"--model={settings.model} has none of the parts of --refine_without; it "
            "is for refine"
        )
    if settings.model == "dnn15":
        return dnn15(size=size, dtype=dtype, seed=settings.seed)
    if settings.model == "refine":
        # Needs TensorFlow, which the others do without.
        from trainer.models.refine import MULTIPLE, PARTS, refine

        for _, trained in settings.sizes:
            _check_multiple(trained, MULTIPLE)
        _check_multiple(size, MULTIPLE)
        mean = None if mean_log_depth is None else float(np.mean(mean_log_depth))
        without = parts("refine_without", settings.refine_without, PARTS)
        return refine(mean, without, dtype=dtype, seed=settings.seed)
    return eigen(
        size=size,
        padding=settings.padding,
        coarse_units=settings.coarse_units,
        dropout=settings.dropout,
        fine_rows=settings.fine_rows or None,
        mean_log_depth=mean_log_depth,
        dtype=dtype,
        seed=settings.seed,
    )


def _check_multiple(size: tuple[int, int], multiple: int) -> None:
    if any(side % multiple for side in size):
        raise UserError(
            f"pictures of {size[0]} x {size[1]} pixels do not fit the network refine; "
            f"sizes must be a multiple of {multiple}, such as 160 or 224"
        )


__all__ = ["Network", "dnn15", "eigen", "make_network"]
