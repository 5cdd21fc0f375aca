"""Photos without depth that teach the embedded teacher: pieces, and composites."""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import numpy as np
from PIL import Image

from fgbg_tfds.compose import list_pictures, paste_at
from fgbg_tfds.errors import InputError
from fgbg_tfds.picture_files import lay_on_black, open_picture
from fgbg_tfds.procedural import SHORTEST, Swatches, cut_swatches


@dataclasses.dataclass(frozen=True)
class Composites:
    """Composites of photos and cut-outs.

    Attributes:
      empty: uint8 [N, S, S, 3], the photos.
      pasted: uint8 [N, S, S, 3], the same with a cut-out.
      alpha: uint8 [N, S, S], the cut-outs' alpha.
    """

    empty: np.ndarray
    pasted: np.ndarray
    alpha: np.ndarray


def _read_photos(folder: pathlib.Path) -> list[Image.Image]:
    paths = list_pictures(folder / "backgrounds").values()
    return [lay_on_black(open_picture(pathlib.Path(path))) for path in paths]


@functools.lru_cache(maxsize=2)
def load_swatches(folder: pathlib.Path) -> Swatches:
    """Cuts pieces out of the photos of a folder, the same in every process.

    Args:
      folder: With 'backgrounds', photos, and 'foregrounds', cut-outs.

    Returns:
      The pieces.

    Raises:
      InputError: If a folder or a picture cannot be read, or no cut-out shows enough.
    """
    paths = list_pictures(folder / "foregrounds").values()
    cutouts = (open_picture(pathlib.Path(path)).convert("RGBA") for path in paths)
    swatches = cut_swatches(
        map(np.asarray, _read_photos(folder)), map(np.asarray, cutouts)
    )
    if not swatches.cutouts:
        raise InputError(
            f"{folder / 'foregrounds'} holds no cut-out of {SHORTEST} pixels or more; "
            "pictures with transparency and a shape are wanted"
        )
    return swatches


def compose_photos(
    folder: pathlib.Path, count: int, size: int, seed: int = 0
) -> Composites:
    """Pastes cut-outs onto the photos of a folder.

    Args:
      folder: With 'backgrounds', photos, and 'foregrounds', cut-outs.
      count: Number of composites.
      size: Pixels of their sides.
      seed: Seed of crops, cut-outs and places.

    Returns:
      The composites.

    Raises:
      InputError: If a folder or a picture cannot be read.
    """
    rng = np.random.default_rng([seed, 0xF070])
    photos, cutouts = _read_photos(folder), load_swatches(folder).cutouts
    empty = np.empty((count, size, size, 3), np.uint8)
    pasted, alpha = np.empty_like(empty), np.empty((count, size, size), np.uint8)
    for index in range(count):
        photo = photos[index % len(photos)]
        part = rng.uniform(0.6, 1.0, 2) if rng.random() < 0.7 else np.ones(2)
        corner = rng.random(2) * (1 - part)
        box = np.concatenate([corner, corner + part]) * np.tile(photo.size, 2)
        picture = photo.resize(
            (size, size), Image.Resampling.BILINEAR, box=tuple(box.tolist())
        )
        empty[index] = np.asarray(picture)
        rgba = cutouts[rng.integers(len(cutouts))].rgba
        if rng.random() < 0.5:
            rgba = rgba[:, ::-1]
        longest = size * np.exp(rng.uniform(np.log(0.2), np.log(0.6)))
        shape = np.array(rgba.shape[1::-1]) * longest / max(rgba.shape)
        wide, high = np.maximum(shape.round().astype(int), 1).tolist()
        cutout = Image.fromarray(np.ascontiguousarray(rgba)).resize((wide, high))
        left, top = (rng.random(2) * (size - np.array([wide, high]))).astype(int)
        whole = paste_at(empty[index], np.asarray(cutout), int(left), int(top))
        pasted[index], alpha[index] = whole.fgbg, whole.mask[..., 0]
    return Composites(empty, pasted, alpha)
