"""The files that `predict` writes for a photo: its depth in metres, and as colour."""

from __future__ import annotations

import io
import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image, PngImagePlugin

from fgbg_tfds.colours import colour_depth
from fgbg_tfds.contract import DEPTH_UNITS
from fgbg_tfds.files import write_together

_MARK = ("Software", "fgbg_tfds.depth predict")  # in the PNG, to know it again


class Answers(NamedTuple):
    """The paths of a photo's answers.

    Attributes:
      depth: `NAME_depth.png`, 16 bits, in 1/256 metre up to 255.996 m.
      colour: `NAME_depth_colour.png`, where near is bright.
    """

    depth: pathlib.Path
    colour: pathlib.Path


def locate_answers(photo: pathlib.Path, out: pathlib.Path | None) -> Answers:
    """Locates the answers of a photo in the folder `out`, or beside it if None."""
    folder = out or photo.parent
    return Answers(
        folder / f"{photo.stem}_depth.png", folder / f"{photo.stem}_depth_colour.png"
    )


def is_answer(path: pathlib.Path) -> bool:
    """Tells whether `write_answers` wrote a file, by its mark rather than its name.

    Measured depth is often called `NAME_depth.png` too.
    """
    if not path.name.endswith(("_depth.png", "_depth_colour.png")):
        return False
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            name, mark = _MARK
            return picture.info.get(name) == mark
    except (OSError, SyntaxError, ValueError):
        return False


def write_answers(answers: Answers, metres: np.ndarray) -> None:
    """Writes depth in metres, float [H, W], as both files or none.

    Raises:
      InputError: If they cannot be written.
    """
    steps = np.clip(np.round(metres * DEPTH_UNITS), 1, 2**16 - 1).astype(np.uint16)
    write_together(
        {
            answers.depth: _encode(steps),
            answers.colour: _encode(colour_depth(metres)),
        }
    )


def _encode(picture: np.ndarray) -> bytes:
    memory, note = io.BytesIO(), PngImagePlugin.PngInfo()
    note.add_text(*_MARK)
    Image.fromarray(picture).save(memory, "PNG", pnginfo=note)
    return memory.getvalue()
