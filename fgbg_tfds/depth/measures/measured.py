"""Photos with measured depth: LiDAR, structured light."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
from PIL import Image

from fgbg_tfds.contract import DEPTH_UNITS, MAX_DEPTH
from fgbg_tfds.errors import InputError
from fgbg_tfds.picture_files import SUFFIXES, read_picture

DEPTH_NAME = "{}_depth.png"


@dataclasses.dataclass(frozen=True)
class MeasuredPhoto:
    """A photo with measured depth.

    Attributes:
      source: Where it is from: its name up to the first underscore.
      image: uint8 [H, W, 3], RGB.
      depth: float32 [H, W], metres; 0 is not measured, or farther than 80 m.
    """

    source: str
    image: np.ndarray
    depth: np.ndarray


def read_measured(folder: pathlib.Path) -> list[MeasuredPhoto]:
    """Reads the photos of a folder that have measured depth beside them.

    Args:
      folder: With 'SOURCE_NAME.jpg' or of another format, and
        'SOURCE_NAME_depth.png' of 16 bits in 1/256 m, 0 where nothing was measured.

    Returns:
      The photos, sorted by name.

    Raises:
      InputError: If there is none, or one cannot be used.
    """
    if not folder.is_dir():
        raise InputError(f"--measured {folder} is no folder; give that of the photos")
    tail = DEPTH_NAME.format("")
    paths = {
        path.stem: path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES and not path.name.endswith(tail)
    }
    measured = []
    for path in sorted(folder.glob(DEPTH_NAME.format("*"))):
        name = path.name.removesuffix(tail)
        if name not in paths:
            raise InputError(f"{path} has no photo beside it; {name}.jpg is wanted")
        measured.append(_read(name.partition("_")[0], paths[name], path))
    if not measured:
        raise InputError(
            f"--measured {folder} holds no measured depth; NAME.jpg and NAME{tail}, 16 "
            "bits in 1/256 m, are wanted"
        )
    return measured


def _read(source: str, photo: pathlib.Path, path: pathlib.Path) -> MeasuredPhoto:
    image = read_picture(photo)
    try:
        with Image.open(path) as file:
            mode, units = file.mode, np.asarray(file)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read ({error}); a PNG of 16 bits is wanted"
        ) from error
    if not mode.startswith("I"):
        raise InputError(
            f"{path} is of mode {mode}; metres x 256 in 16 bits are wanted"
        )
    if units.shape != image.shape[:2]:
        height, width = units.shape
        raise InputError(
            f"{path} is {width}x{height}, its photo {image.shape[1]}x{image.shape[0]}; "
            "the same size is wanted"
        )
    depth = units.astype(np.float32) / DEPTH_UNITS
    depth[depth > MAX_DEPTH] = 0
    if not depth.any():
        raise InputError(f"{path} holds no depth up to {MAX_DEPTH:.0f} m")
    return MeasuredPhoto(source, image, depth)


def stretch(depth: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resizes depth, bilinearly.

    Args:
      depth: float [h, w], metres.
      shape: H and W.

    Returns:
      float32 [H, W], metres.
    """
    height, width = shape
    small = Image.fromarray(np.ascontiguousarray(depth, np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
