"""Marked pairs on real pictures: which of two pixels is nearer."""

from __future__ import annotations

import csv
import dataclasses
import pathlib

import numpy as np
from PIL import Image

from fgbg_tfds.errors import InputError

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
        with pathlib.Path(path).open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [
            MarkedPair(
                row["picture"],
                row["cutout"],
                (int(row["left"]), int(row["top"]), int(row["side"])),
                (int(row["near_x"]), int(row["near_y"])),
                (int(row["far_x"]), int(row["far_y"])),
            )
            for row in rows
        ]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"marked pairs {path} cannot be read ({error}); "
            f"a CSV with the columns {','.join(COLUMNS)} is wanted"
        ) from error


def trimmed_cutout(path: str | pathlib.Path, side: int) -> np.ndarray:
    """Reads a cut-out, trims it to its alpha, gives its longer side `side` pixels.

    Args:
      path: A picture with transparency.
      side: Pixels.

    Returns:
      uint8 [h, w, 4].

    Raises:
      InputError: If it cannot be read or is fully transparent.
    """
    try:
        picture = Image.open(path).convert("RGBA")
    except OSError as error:
        raise InputError(
            f"cut-out {path} cannot be read ({error}); a PNG with alpha is wanted"
        ) from error
    seen = Image.fromarray(np.uint8(np.asarray(picture)[..., 3] > 128)).getbbox()
    if seen is None:
        raise InputError(f"cut-out {path} is transparent; a PNG with a shape is wanted")
    picture = picture.crop(seen)
    scale = side / max(picture.size)
    shape = [max(1, round(length * scale)) for length in picture.size]
    return np.asarray(picture.resize(shape, Image.Resampling.BILINEAR))


def paste(
    picture: np.ndarray, cutout: np.ndarray, left: int, top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pastes a cut-out that lies fully inside.

    Args:
      picture: uint8 [H, W, 3].
      cutout: uint8 [h, w, 4].
      left: Column of its upper left corner.
      top: Row of it.

    Returns:
      The composite, uint8 [H, W, 3], and the alpha, uint8 [H, W].
    """
    canvas = Image.fromarray(picture)
    shape = Image.fromarray(cutout)
    canvas.paste(shape, (left, top), shape)
    alpha = Image.new("L", canvas.size, 0)
    alpha.paste(shape.getchannel("A"), (left, top))
    return np.asarray(canvas), np.asarray(alpha)


def _open(path: pathlib.Path) -> np.ndarray:
    try:
        return np.asarray(Image.open(path).convert("RGB"))
    except OSError as error:
        raise InputError(
            f"picture {path} cannot be read ({error}); "
            "give --pictures the folder that the marked pairs were made on"
        ) from error


def judge_pairs(
    teacher, pairs: list[MarkedPair], pictures: str | pathlib.Path
) -> np.ndarray:
    """Finds for which pairs a teacher sees the nearer pixel nearer.

    Args:
      teacher: uint8 [N, H, W, 3] to float32 [N, H, W].
      pairs: The pairs.
      pictures: The folder that their files lie in.

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
            image = _open(folder / pair.picture)
            if pair.cutout:
                left, top, side = pair.box
                cutout = trimmed_cutout(folder / pair.cutout, side)
                image, _ = paste(image, cutout, left, top)
            depths[key] = teacher(image[None])[0]
        (x0, y0), (x1, y1) = pair.near, pair.far
        right.append(depths[key][y0, x0] < depths[key][y1, x1])
    return np.array(right, bool)


def row_prior(pairs: list[MarkedPair]) -> np.ndarray:
    """What 'lower in the picture is nearer' says of the pairs, bool [n]."""
    return np.array([pair.near[1] > pair.far[1] for pair in pairs], bool)


def _spread(mask: np.ndarray, times: int) -> np.ndarray:
    """Grows a mask by `times` pixels in the four directions."""
    for _ in range(times):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        mask = grown
    return mask


def object_ratio(depth: np.ndarray, alpha: np.ndarray) -> float:
    """How much nearer a pasted object is than the ring around it.

    Args:
      depth: float [H, W], metres.
      alpha: uint8 [H, W], of the object.

    Returns:
      Median depth of a ring 3 to 12 pixels outside the object over the median
      depth of the object without its edge; above 1 is nearer.
    """
    inside = ~_spread(alpha < 250, 3)
    ring = _spread(alpha > 0, 12) & ~_spread(alpha > 0, 3)
    if not inside.any():
        inside = alpha > 128
    return float(np.median(depth[ring]) / np.median(depth[inside]))
