"""Picture files of any kind, read as the eye sees them: upright, sRGB, 8 bits.

`fgbg_tfds/picture_files.py` reads alike, as `tests/test_picture_files.py` checks.
"""

from __future__ import annotations

import collections
import functools
import io
import logging
import os
import pathlib
import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from trainer.errors import UserError

LOG = logging.getLogger("trainer")

SUFFIXES = (
    ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pgm", ".png",
    ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip
MAX_PIXELS = 100_000_000
MAX_FLOAT = 2  # floats up to here are fractions, with highlights above 1
_HEIC = (b"heic", b"heix", b"heif", b"hevc", b"mif1", b"msf1")  # brands in its header
_HEIC_ADVICE = "it is HEIC, which cannot be read; convert it to JPEG or PNG"
_PROFILE_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")
_ORIENTATION = 0x0112  # EXIF's tag


def read_picture(path: os.PathLike) -> np.ndarray:
    """Reads a picture as it is to be seen; what is transparent is black.

    Args:
      path: A file that Pillow reads; see `open_picture`.

    Returns:
      uint8 [H, W, 3], sRGB.

    Raises:
      UserError: If it cannot be read.
    """
    return np.asarray(lay_on_black(open_picture(path)))


def open_picture(path: os.PathLike) -> Image.Image:
    """Reads a picture: upright, in sRGB, with 8 bits for each channel.

    It is turned as its EXIF orientation says, and its colours are converted from its
    ICC profile. Grey of 16 bits is scaled. Whole numbers of 32 bits and floats do not
    say what white is: it is 255, 65535 or the largest whole number, whichever is the
    least that none exceeds; floats up to `MAX_FLOAT` are fractions of white. Of an
    animation the first picture is taken, with a warning.

    Args:
      path: A file that Pillow reads, of any mode.

    Returns:
      A picture of the mode RGB, or RGBA if it has transparency.

    Raises:
      UserError: If it cannot be read, or has more than `MAX_PIXELS`.
    """
    try:
        with _open(path) as image:
            number = getattr(image, "n_frames", 1)
            if number > 1 and image.format != "MPO":
                LOG.warning("%s: has %d pictures; only the first is read", path, number)
            image.load()
            return _convert(ImageOps.exif_transpose(image), image.format, path)
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise UserError(
            f"{path}: not a picture that can be read ({error}); replace or remove it"
        ) from error


def read_size(path: os.PathLike) -> tuple[int, int]:
    """Reads height and width of a picture held upright, without decoding it.

    Raises:
      UserError: If it cannot be read.
    """
    try:
        with _open(path) as image:
            # Pillow reads a whole PNG to look for EXIF behind its pixels.
            exif = image.format != "PNG" or "exif" in image.info
            sideways = exif and image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
            width, height = image.size[::-1] if sideways else image.size
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(
            f"{path}: not a picture that can be read ({error}); replace or remove it"
        ) from error
    return height, width


def lay_on_black(image: Image.Image) -> Image.Image:
    """Lays a picture of the mode RGB or RGBA on black; RGB stays as it is."""
    if image.mode != "RGBA":
        return image
    black = Image.new("RGBA", image.size, "black")
    return Image.alpha_composite(black, image).convert("RGB")


@functools.cache
def warn_of_left_out(folder: os.PathLike, names: tuple[str, ...]) -> None:
    """Warns once of a folder's files that are no pictures: number and suffixes.

    Args:
      folder: The folder, for the message.
      names: The files' names.
    """
    suffixes = collections.Counter(pathlib.PurePath(n).suffix.lower() for n in names)
    if not suffixes:
        return
    counts = ", ".join(
        f"{suffix or 'no suffix'} ({count})" for suffix, count in suffixes.most_common()
    )
    heic = {".heic", ".heif"} & set(suffixes)
    LOG.warning(
        "%s: left out %d, not pictures: %s; such as %r%s",
        folder,
        len(names),
        counts,
        names[0],
        "; convert HEIC to JPEG or PNG" if heic else "",
    )


def _open(path: os.PathLike) -> Image.Image:
    """Opens a picture without decoding it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except Image.UnidentifiedImageError as error:
        header = pathlib.Path(path).read_bytes()[:12]
        is_heic = header[4:8] == b"ftyp" and header[8:12] in _HEIC
        raise UserError(
            f"{path}: {_HEIC_ADVICE}"
            if is_heic
            else f"{path}: not a picture that can be read; replace or remove it"
        ) from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: {_describe_bomb('too many pixels')}") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        size = f"{image.width}x{image.height} pixels are too many"
        raise UserError(f"{path}: {_describe_bomb(size)}")
    return image


def _describe_bomb(reason: str) -> str:
    return (
        f"{reason} (a decompression bomb?); at most {MAX_PIXELS // 10**6} megapixels "
        "are read"
    )


def _convert(image: Image.Image, kind: str | None, path: os.PathLike) -> Image.Image:
    """Converts a picture of any mode to RGB or RGBA of 8 bits in sRGB."""
    profile = image.info.get("icc_profile")
    # Of PGM, which Pillow reads to 32 bits, it has scaled white to 65535.
    if image.mode.startswith("I;16") or (image.mode == "I" and kind == "PPM"):
        image = _scale(image, 2**16 - 1)
    elif image.mode in ("I", "F"):
        image = _scale(image, _find_white(image, path))
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode == "La" else "RGBA").convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("RGB")
    rgb = _convert_colours(image, profile, path)
    if alpha is not None:
        rgb.putalpha(alpha)
    return rgb


def _find_white(image: Image.Image, path: os.PathLike) -> float:
    """Finds the value of white in a picture of 32 bits or floats."""
    most = float(_read_values(image).max())
    if image.mode == "F" and most <= MAX_FLOAT:
        return 1
    for bits in (8, 16) if image.mode == "F" else (8, 16, 32):
        if most <= 2**bits - 1:
            return 2**bits - 1
    raise UserError(
        f"{path}: its floats go up to {most:g}; give fractions of white, or values up "
        "to 255 or 65535"
    )


def _read_values(image: Image.Image) -> np.ndarray:
    values = np.asarray(image)
    if image.mode == "I":
        return values.view(np.uint32)  # Pillow shows them as signed
    return np.nan_to_num(values, nan=0, neginf=0)


def _scale(image: Image.Image, white: float) -> Image.Image:
    values = np.asarray(image) if image.mode.startswith("I;") else _read_values(image)
    grey = np.clip(np.rint(values.astype(np.float64) * 255 / white), 0, 255)
    return Image.fromarray(grey.astype(np.uint8))


def _convert_colours(
    image: Image.Image, profile: bytes | None, path: os.PathLike
) -> Image.Image:
    """Converts L, RGB, CMYK or LAB to RGB, from a profile if it has one."""
    if image.mode == "LAB":
        return _transform(image, _LAB)
    if profile:
        try:
            source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(source):
                mode = _PROFILE_MODES.get(source.profile.xcolor_space.strip())
                return _transform(image.convert(mode), source)
        except (ImageCms.PyCMSError, OSError) as error:
            LOG.warning("%s: its ICC profile is left out: %s", path, error)
    return image.convert("RGB")


def _transform(image: Image.Image, source) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image,
        source,
        _SRGB,
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None, "the picture is not converted in place"
    return converted
