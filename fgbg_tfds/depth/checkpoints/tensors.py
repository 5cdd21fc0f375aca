"""A check that a checkpoint holds the tensors of a network."""

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
    """Checks that tensors are present, have their shapes and are finite.

    Args:
      arrays: The checkpoint's tensors by name.
      shapes: The shapes that it has to hold, by name.
      where: Name of the file, for errors.
      prefix: Prefix of a tensor's name, for errors.

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
