"""Pairs of pixels on real pictures, of which the nearer one is marked."""

from __future__ import annotations

import csv
import dataclasses
import pathlib

import numpy as np
from PIL import Image, ImageFilter

from fgbg_tfds.compose import paste_at
from fgbg_tfds.contract import MASK_THRESHOLD
from fgbg_tfds.errors import InputError
from fgbg_tfds.picture_files import open_picture, read_picture

COLUMNS = (
    "picture",
    "cutout",
    "left",
    "top",
    "side",
    "near_x",
    "near_y",
    "far_x",
    "far_y",
)


@dataclasses.dataclass(frozen=True)
class MarkedPair:
    """Two pixels of a picture, or of a composite, of which one is nearer.

    Attributes:
      picture: File of the picture, relative to the pictures' folder.
      cutout: File of the cut-out pasted onto it, or ''.
      box: (left, top, longer side) of the pasted cut-out, in pixels.
      near: (x, y) of the nearer pixel.
      far: (x, y) of the farther pixel.
    """

    picture: str
    cutout: str
    box: tuple[int, int, int]
    near: tuple[int, int]
    far: tuple[int, int]


def read_pairs(path: str | pathlib.Path) -> list[MarkedPair]:
    """Reads marked pairs.

    Args:
      path: A CSV file with the columns `COLUMNS`.

    Returns:
      The pairs, in the file's order.

    Raises:
      InputError: If the file cannot be read as such.
    """
    try:
        # Notepad and Excel put a byte order mark before UTF-8.
        with pathlib.Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if absent:
                raise ValueError(f"no column {', '.join(absent)}")
            pairs = [_parse_pair(row, reader.line_num) for row in reader]
            if not pairs:
                raise ValueError("no pairs")
            return pairs
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f"marked pairs {path} cannot be read ({error}); "
            f"a CSV in UTF-8 with the columns {','.join(COLUMNS)} is wanted"
        ) from error


def _parse_pair(row: dict[str, str | None], line: int) -> MarkedPair:
    cells = {name: row[name] or "" for name in COLUMNS}
    try:
        numbers = [int(cells[name]) for name in COLUMNS[2:]]
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from error
    left, top, side, near_x, near_y, far_x, far_y = numbers
    return MarkedPair(
        cells["picture"],
        cells["cutout"],
        (left, top, side),
        (near_x, near_y),
        (far_x, far_y),
    )


def check_pairs(pairs: list[MarkedPair], pictures: str | pathlib.Path) -> None:
    """Checks that the pictures of pairs can be read, and that the pixels are in them.

    Args:
      pairs: The pairs.
      pictures: The folder of their files.

    Raises:
      InputError: If that is not so.
    """
    sizes: dict[tuple, tuple[int, ...]] = {}
    for pair in pairs:
        key = (pair.picture, pair.cutout, pair.box)
        if key not in sizes:
            sizes[key] = _compose(pair, pathlib.Path(pictures)).shape
        height, width = sizes[key][:2]
        for x, y in (pair.near, pair.far):
            if not (0 <= x < width and 0 <= y < height):
                raise InputError(
                    f"marked pairs: the pixel {x},{y} is not in {pair.picture}, which "
                    f"is {width}x{height}"
                )


def _compose(pair: MarkedPair, folder: pathlib.Path) -> np.ndarray:
    """Reads the picture of a pair, with its cut-out, uint8 [H, W, 3]."""
    image = read_picture(folder / pair.picture)
    if not pair.cutout:
        return image
    left, top, side = pair.box
    cutout = read_trimmed(folder / pair.cutout, max(1, side))
    height, width = image.shape[:2]
    bottom, right = top + cutout.shape[0], left + cutout.shape[1]
    if min(side - 1, left, top, width - right, height - bottom) < 0:
        raise InputError(
            f"marked pairs: {pair.cutout} with a side of {side} at {left},{top} is not "
            f"inside {pair.picture}, which is {width}x{height}"
        )
    return paste_at(image, cutout, left, top).fgbg


def read_trimmed(path: str | pathlib.Path, side: int) -> np.ndarray:
    """Reads a cut-out, trims it to its alpha, and resizes its longer side.

    Args:
      path: A picture with transparency.
      side: Pixels of the longer side.

    Returns:
      uint8 [h, w, 4].

    Raises:
      InputError: If it cannot be read or is fully transparent.
    """
    picture = open_picture(pathlib.Path(path)).convert("RGBA")
    opaque = np.asarray(picture)[..., 3] > MASK_THRESHOLD
    seen = Image.fromarray(opaque).getbbox()
    if seen is None:
        raise InputError(f"cut-out {path} is transparent; a PNG with a shape is wanted")
    picture = picture.crop(seen)
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def judge_pairs(
    teacher, pairs: list[MarkedPair], pictures: str | pathlib.Path
) -> np.ndarray:
    """Finds the pairs of which a teacher sees the nearer pixel nearer.

    Args:
      teacher: uint8 [N, H, W, 3] to float32 [N, H, W].
      pairs: The pairs, as `check_pairs` wants them.
      pictures: The folder of their files.

    Returns:
      bool [n].

    Raises:
      InputError: If a picture cannot be read.
    """
    folder = pathlib.Path(pictures)
    depths: dict[tuple, np.ndarray] = {}
    right = []
    for pair in pairs:
        key = (pair.picture, pair.cutout, pair.box)
        if key not in depths:
            depths[key] = teacher(_compose(pair, folder)[None])[0]
        (x0, y0), (x1, y1) = pair.near, pair.far
        right.append(depths[key][y0, x0] < depths[key][y1, x1])
    return np.array(right, bool)


def judge_by_row(pairs: list[MarkedPair]) -> np.ndarray:
    """Judges pairs by 'lower in the picture is nearer', bool [n]."""
    return np.array([pair.near[1] > pair.far[1] for pair in pairs], bool)


def _grow(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Grows a mask [H, W] by a number of pixels in all directions."""
    filtered = Image.fromarray(mask).filter(ImageFilter.MaxFilter(2 * pixels + 1))
    return np.asarray(filtered)


def compute_object_ratio(depth: np.ndarray, alpha: np.ndarray) -> float:
    """Computes how much nearer a pasted object is than the ring around it.

    Args:
      depth: float [H, W], metres.
      alpha: uint8 [H, W], alpha of the object.

    Returns:
      Median depth of a ring 3 to 12 pixels outside the object over the median
      depth of the object without its edge; above 1 is nearer.
    """
    inside = ~_grow(alpha < 250, 3)
    ring = _grow(alpha > 0, 12) & ~_grow(alpha > 0, 3)
    if not inside.any():
        inside = alpha > MASK_THRESHOLD
    return float(np.median(depth[ring]) / np.median(depth[inside]))
