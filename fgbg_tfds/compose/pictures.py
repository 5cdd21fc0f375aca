"""Folders of pictures, read and checked: cut-outs and photos."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import os
import pathlib
import urllib.parse
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from absl import logging
from etils import epath
from PIL import Image, ImageOps

from fgbg_tfds.contract import MASK_THRESHOLD, MAX_ALPHA
from fgbg_tfds.errors import InputError
from fgbg_tfds.picture_files import (
    SUFFIXES,
    lay_on_black,
    open_picture,
    warn_of_left_out,
)
from fgbg_tfds.storage import is_local

MIN_BACKGROUND_SIDE = 16
MIN_FOREGROUND_SIDE = 8
NAMED_MISTAKES = 5  # of a folder in one message
MAX_ENLARGEMENT = 2  # of a picture, without a warning
HALO_ALPHA = 0.05  # paint programs leave less around erased regions


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of a folder, ready to be composed; of a scene, several photos.

    Attributes:
      name: The name of the file, or of the scene's folder, unique in its folder; see
        `make_label`.
      pixels: uint8, RGB [S, S, 3] of a background, RGBA [h, w, 4] of a
        foreground.
      more: Other photos of the same scene, uint8 [S, S, 3] each.
    """

    name: str
    pixels: np.ndarray
    more: tuple[np.ndarray, ...] = ()

    @property
    def photos(self) -> tuple[np.ndarray, ...]:
        """All photos, one or more."""
        return self.pixels, *self.more

    @property
    def digests(self) -> tuple[str, ...]:
        """The hex digests of the photos' pixels and shapes."""
        return tuple(map(_digest, self.photos))

    @property
    def sha256(self) -> str:
        """The hex digest of all photos' pixels and shapes."""
        if not self.more:
            return self.digests[0]
        return hashlib.sha256(" ".join(self.digests).encode()).hexdigest()


def make_label(file_name: str) -> str:
    """Makes a class label of a file's name: one line of valid Unicode.

    Control characters, undecodable bytes and the percent sign are written as
    in a URL (`%0A`), everything else stays.
    """
    return "".join(
        character
        if character.isprintable() and character != "%"
        else urllib.parse.quote(os.fsencode(character), safe="")
        for character in file_name
    )


def list_pictures(folder: epath.PathLike) -> dict[str, epath.Path]:
    """Lists a folder's pictures without opening them.

    Hidden files, subfolders and files whose suffix is not a picture's are left out,
    with a warning of the number of files.

    Args:
      folder: The folder, here or in a bucket; subfolders are not entered.

    Returns:
      Label to path, sorted by label.

    Raises:
      InputError: If the folder cannot be read or holds no picture.
    """
    scenes = _list(folder, lambda path: ())
    return {label: photos[0] for label, photos in scenes.items()}


def list_scenes(folder: epath.PathLike) -> dict[str, tuple[epath.Path, ...]]:
    """Lists a folder's scenes: photos, and subfolders of several photos of one scene.

    Args:
      folder: The folder, here or in a bucket; subfolders of subfolders are not entered.

    Returns:
      Label to paths, one or more, sorted by label.

    Raises:
      InputError: If the folder cannot be read or holds no picture.
    """

    def list_photos(path: epath.Path) -> tuple[epath.Path, ...]:
        if path.name.startswith(".") or not path.is_dir() or _leads_back(path):
            return ()
        return tuple(sorted(filter(_is_picture, path.iterdir())))

    return _list(folder, list_photos)


def read_backgrounds(folder: epath.PathLike, image_size: int) -> tuple[Picture, ...]:
    """Reads a folder of photos of any mode, turned upright by their EXIF data.

    Each is cropped to its central square and resized.

    Args:
      folder: The folder of photos, and of subfolders of several photos of one scene.
      image_size: The side of the square, in pixels.

    Returns:
      The scenes in the order of their labels; photos uint8 [S, S, 3].

    Raises:
      InputError: If files cannot be used; the message names them.
    """
    sides = {}

    def read(path: epath.Path) -> np.ndarray:
        square, sides[path] = _read_square(path, image_size)
        return square

    pictures = _read_all(folder, list_scenes(folder), read)
    small = {p: s for p, s in sides.items() if MAX_ENLARGEMENT * s < image_size}
    if small:
        path = min(small, key=lambda path: small[path])
        factor = image_size / small[path]
        _warn_of_small(folder, len(small), len(sides), path.name, factor)
    return pictures


def read_background(path: epath.Path, image_size: int) -> np.ndarray:
    """Reads one photo as uint8 [image_size, image_size, 3]; see `read_backgrounds`."""
    return _read_square(path, image_size)[0]


def _read_square(path: epath.Path, image_size: int) -> tuple[np.ndarray, int]:
    """Reads a photo's central square, and finds the side that it had."""
    image = _open(path)
    if min(image.size) < MIN_BACKGROUND_SIDE:
        raise InputError(
            f"{path}: {image.width}x{image.height} pixels are too few for a "
            f"background; both sides have to have at least {MIN_BACKGROUND_SIDE}"
        )
    square = ImageOps.fit(
        lay_on_black(image), (image_size, image_size), method=Image.Resampling.LANCZOS
    )
    return np.asarray(square), min(image.size)


@functools.cache
def _warn_of_small(
    folder: epath.PathLike, small: int, number: int, name: str, factor: float
) -> None:
    """Warns once of photos that are much smaller than their composites."""
    logging.warning(
        "%s: %d of %d photos are enlarged more than %d times, and will look blurred; "
        "%s %.1f times; give larger ones, or a smaller image_size",
        *(folder, small, number, MAX_ENLARGEMENT, name, factor),
    )


def read_foregrounds(folder: epath.PathLike, longest_side: int) -> tuple[Picture, ...]:
    """Reads a folder of cut-outs: RGBA, grey with alpha, palette with transparency.

    Each is trimmed to its visible part; alpha below `HALO_ALPHA` becomes 0.

    Args:
      folder: The folder of cut-outs.
      longest_side: Larger cut-outs are reduced to this many pixels.

    Returns:
      The cut-outs in the order of their labels; pixels uint8 [h, w, 4].

    Raises:
      InputError: If files cannot be used; the message names them.
    """
    cutouts = {label: (path,) for label, path in list_pictures(folder).items()}
    return _read_all(folder, cutouts, lambda path: read_foreground(path, longest_side))


def read_foreground(path: epath.Path, longest_side: int) -> np.ndarray:
    """Reads one cut-out as uint8 [h, w, 4]; see `read_foregrounds`."""
    rgba = _open(path)
    if rgba.mode != "RGBA":
        raise InputError(
            f"{path}: cut-out has no alpha; save it as a PNG with a transparent ground"
        )
    alpha = np.asarray(rgba.getchannel("A"))
    if alpha.min() == MAX_ALPHA:
        raise InputError(
            f"{path}: cut-out has no alpha: every pixel is opaque; erase its ground"
        )
    cleaned = np.where(alpha < HALO_ALPHA * MAX_ALPHA, 0, alpha).astype(np.uint8)
    rgba.putalpha(Image.fromarray(cleaned))
    box = rgba.getchannel("A").getbbox()
    if box is None:
        raise InputError(
            f"{path}: cut-out is fully transparent; a part of it has to be visible"
        )
    trimmed = rgba.crop(box)
    if max(trimmed.size) < MIN_FOREGROUND_SIDE:
        raise InputError(
            f"{path}: only {trimmed.width}x{trimmed.height} pixels of the cut-out can "
            f"be seen; its longest side has to have at least {MIN_FOREGROUND_SIDE}"
        )
    trimmed.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    pixels = np.asarray(trimmed)
    opaque = pixels[..., 3].max()
    if opaque < MASK_THRESHOLD:
        raise InputError(
            f"{path}: alpha of the cut-out is at most {opaque}, which makes empty "
            f"masks; a part of it has to have at least {MASK_THRESHOLD}"
        )
    return pixels


def identify(pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Identifies equal pictures, and warns of them.

    Args:
      pictures: Pictures of one folder; scenes that share a photo are equal.

    Returns:
      For each picture the name of the first one with the same pixels.
    """
    identities: dict[str, str] = {}
    owners: dict[str, str] = {}
    for picture in pictures:
        digests = picture.digests
        first = next((owners[d] for d in digests if d in owners), picture.name)
        identities[picture.name] = first
        # A scene may share photos with several that were different until now.
        for joined in {owners[d] for d in digests if d in owners} - {first}:
            for names in (owners, identities):
                names |= {k: first for k, name in names.items() if name == joined}
        owners |= dict.fromkeys(digests, first)
    for first in dict.fromkeys(identities.values()):
        names = [name for name, identity in identities.items() if identity == first]
        if len(names) > 1:
            logging.warning(
                "%s: equal pixels, so that they are one identity and share a split",
                ", ".join(names),
            )
    return tuple(identities[picture.name] for picture in pictures)


def _digest(pixels: np.ndarray) -> str:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def _list(
    folder: epath.PathLike, list_inside: Callable[[epath.Path], tuple[epath.Path, ...]]
) -> dict[str, tuple[epath.Path, ...]]:
    """Lists a folder's pictures, and those in what `list_inside` can list."""
    folder = epath.Path(folder).expanduser()
    try:
        if not is_local(folder) and not folder.is_dir():
            raise FileNotFoundError(f"no such folder: {folder}")
        entries = sorted(folder.iterdir())
        found = {
            path: (path,) if _is_picture(path) else list_inside(path)
            for path in entries
        }
    except OSError as error:
        raise InputError(
            f"{folder}: not a folder that can be read ({error.strerror or error}); "
            "give the path of a folder of pictures"
        ) from error
    left_out = [path.name for path, photos in found.items() if not photos]
    warn_of_left_out(folder, tuple(sorted(n for n in left_out if n[0] != ".")))
    scenes = {make_label(p.name): photos for p, photos in found.items() if photos}
    if not scenes:
        raise InputError(
            f"{folder}: holds no pictures; put files ending in "
            f"{', '.join(SUFFIXES)} there"
        )
    return dict(sorted(scenes.items()))


def _read_all(
    folder: epath.PathLike,
    scenes: Mapping[str, Sequence[epath.Path]],
    read: Callable[[epath.Path], np.ndarray],
) -> tuple[Picture, ...]:
    """Reads all pictures of a folder; an error names all that cannot be used."""
    pictures, mistakes = [], []
    for label, paths in scenes.items():
        photos = []
        for path in paths:
            try:
                photos.append(read(path))
            except InputError as error:
                mistakes.append(str(error))
        if photos:
            pictures.append(Picture(label, photos[0], tuple(photos[1:])))
    if len(mistakes) > 1:
        more = len(mistakes) - NAMED_MISTAKES
        raise InputError(
            f"{folder}: {len(mistakes)} files cannot be used: "
            + "; ".join(mistakes[:NAMED_MISTAKES])
            + (f"; and {more} more" if more > 0 else "")
        )
    if mistakes:
        raise InputError(mistakes[0])
    return tuple(pictures)


def _leads_back(path: epath.Path) -> bool:
    """Tells whether a link leads to a folder that it is in."""
    if not is_local(path):
        return False
    here = pathlib.Path(path)
    return here.parent.resolve().is_relative_to(here.resolve())


def _is_picture(path: epath.Path) -> bool:
    if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
        return False
    # epath takes pipes and devices for files, and opening one may block for ever.
    return pathlib.Path(path).is_file() if is_local(path) else path.is_file()


def _open(path: epath.Path) -> Image.Image:
    return open_picture(path, None if is_local(path) else io.BytesIO(path.read_bytes()))
