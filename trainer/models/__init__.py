"""The networks, by the names that `--model` knows."""

from __future__ import annotations

import numpy as np

from trainer.models.dnn15 import dnn15
from trainer.models.eigen import eigen
from trainer.models.network import Network
from trainer.settings import Settings


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
      UserError: If the network cannot take pictures of this size.
    """
    if settings.model == "dnn15":
        return dnn15(size=size, dtype=dtype, seed=settings.seed)
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


__all__ = ["Network", "dnn15", "eigen", "make_network"]
