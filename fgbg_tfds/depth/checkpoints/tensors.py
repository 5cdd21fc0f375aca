"""Whether a checkpoint holds the tensors that a network needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fgbg_tfds.errors import InputError


def require_tensors(
    arrays: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    where: str,
    prefix: str = "",
) -> None:
    """Checks that tensors are there, of their shapes and finite.

    Args:
      arrays: What the checkpoint holds, by name.
      shapes: What it must hold, by name.
      where: What errors call the file.
      prefix: What errors put before a tensor's name.

    Raises:
      InputError: If a tensor is missing, of another shape or not finite.
    """
    for name, shape in shapes.items():
        called = f"{where}: tensor {prefix}{name}"
        if name not in arrays:
            raise InputError(f"{called} is missing; expected {list(shape)}")
        if arrays[name].shape != shape:
            raise InputError(
                f"{called} is {list(arrays[name].shape)}; expected {list(shape)}"
            )
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{called} holds NaN; expected finite numbers")
