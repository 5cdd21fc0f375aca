"""Loading of depth networks by their names."""

from __future__ import annotations

import importlib
import pathlib

from fgbg_tfds.depth.teacher import Teacher
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import expand

TEACHERS = ("embedded", "monodepth2", "densedepth", "depth_anything")
PRECISIONS = ("auto", "float32", "bfloat16")


def load_teacher(
    name: str,
    weights: str | pathlib.Path | None = None,
    precision: str = "auto",
) -> Teacher:
    """Loads a depth network with its weights.

    Args:
      name: One of `TEACHERS`.
      weights: A file, folder or zip in the network's original format, or the name
        of weights that `python -m fgbg_tfds.depth download` fetched; `~` is the home
        folder. None takes the embedded weights, for the embedded teacher only.
      precision: 'float32', 'bfloat16', or 'auto': bfloat16 where the machine
        computes in it natively.

    Returns:
      The teacher: `teacher(uint8 [N, H, W, 3]) -> float32 [N, H, W]`, metres.

    Raises:
      InputError: If the name, the weights or the precision cannot be used.
    """
    if name not in TEACHERS:
        raise InputError(
            f"teacher {name!r} is unknown; use one of: {', '.join(TEACHERS)}"
        )
    if precision not in PRECISIONS:
        raise InputError(
            f"precision {precision!r} is unknown; use one of: {', '.join(PRECISIONS)}"
        )
    module = importlib.import_module(f"fgbg_tfds.depth.{name}")
    if weights is not None:
        weights = expand(weights)
    return module.load(weights=weights, precision=precision)
