"""The networks, by the names that `--model` knows.

`refine` needs TensorFlow; the others run on any Keras backend, so it is imported late.
"""

from __future__ import annotations

import numpy as np

from trainer.errors import UserError
from trainer.models.dnn15 import dnn15
from trainer.models.eigen import eigen
from trainer.models.network import Network
from trainer.settings import Settings, parse_names


def make_network(
    settings: Settings,
    size: tuple[int, int],
    mean_log_depth: np.ndarray | None = None,
    dtype: str = "float32",
) -> Network:
    """Makes the network that the settings name.

    Args:
      settings: `model`, `seed` and the network's own settings are used.
      size: Height and width of the network's input.
      mean_log_depth: float [H, W], log metres, where training starts from.
      dtype: Keras dtype policy.

    Returns:
      The network.

    Raises:
      UserError: If the network cannot take pictures of this size, or a setting is
        for another network.
    """
    check_settings(settings)
    if settings.model == "dnn15":
        return dnn15(size=size, dtype=dtype, seed=settings.seed)
    if settings.model == "refine":
        from trainer.models.refine import COMPONENTS, MULTIPLE, refine

        _check_multiple(size, MULTIPLE)
        mean = None if mean_log_depth is None else float(np.mean(mean_log_depth))
        without = parse_names("refine_without", settings.refine_without, COMPONENTS)
        return refine(mean, without, settings.spread, dtype, settings.seed)
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


def check_settings(settings: Settings) -> None:
    """Checks the settings of networks, without making one.

    Raises:
      UserError: If a setting is for another network, or no value of this one.
    """
    model, sizes = settings.model, [size for _, size in settings.sizes]
    if settings.small_size and model != "refine":
        raise UserError(
            f"--model={model} is made for one size; --small_size is for refine"
        )
    if settings.coarse_weights and model != "eigen":
        raise UserError(
            f"--model={model} has no convolutions for --coarse_weights; "
            "--coarse_weights is for eigen"
        )
    if settings.refine_without and model != "refine":
        raise UserError(
            f"--model={model} has none of the components of --refine_without; it "
            "is for refine"
        )
    if settings.spread and model != "refine":
        raise UserError(f"--model={model} takes no --spread; it is for refine")
    if model == "refine":
        from trainer.models.refine import COMPONENTS, MULTIPLE

        parse_names("refine_without", settings.refine_without, COMPONENTS)
        for size in sizes:
            _check_multiple(size, MULTIPLE)


def _check_multiple(size: tuple[int, int], multiple: int) -> None:
    if any(side % multiple for side in size):
        raise UserError(
            f"pictures of {size[0]} x {size[1]} pixels do not fit the network refine; "
            f"sizes must be a multiple of {multiple}, such as 160 or 224"
        )
