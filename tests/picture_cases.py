"""Picture files of every kind that cameras, phones and paint programs leave.

Each shows the same: a ramp from dark to bright, with a red corner at the top left.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

HEIGHT, WIDTH = 24, 32
ORIENTATION = 0x0112  # EXIF's tag


def draw_grey() -> np.ndarray:
    """Draws the ramp, uint8 [24, 32], from 8 to 247."""
    row = np.linspace(8, 247, WIDTH)
    return np.repeat(np.rint(row)[None], HEIGHT, 0).astype(np.uint8)


def draw_colours() -> np.ndarray:
    """Draws the ramp with its red corner, uint8 [24, 32, 3]."""
    colours = np.repeat(draw_grey()[..., None], 3, -1)
    colours[:8, :8] = (220, 30, 40)
    return colours


GREY = np.repeat(draw_grey()[..., None], 3, -1)
COLOURS = draw_colours()


def _save_grey(scale: float, dtype) -> Callable[[pathlib.Path], None]:
    values = (draw_grey().astype(np.float64) * scale).astype(dtype)
    return lambda path: Image.fromarray(values).save(path)


def _save_colours(mode: str = "RGB", **options) -> Callable[[pathlib.Path], None]:
    return lambda path: Image.fromarray(COLOURS).convert(mode).save(path, **options)


def _save_palette(path: pathlib.Path) -> None:
    Image.fromarray(COLOURS).quantize(64, dither=Image.Dither.NONE).save(path)


def _save_turned(orientation: int) -> Callable[[pathlib.Path], None]:
    """Stores the picture as a camera does that was held in another way."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }

    def save(path: pathlib.Path) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        stored = Image.fromarray(COLOURS).transpose(undo[orientation])
        options: dict = {".jpg": {"quality": 98, "subsampling": 0}}.get(path.suffix, {})
        if path.suffix == ".webp":
            options = {"lossless": True}
        stored.save(path, exif=exif, **options)

    return save


def _save_lab(path: pathlib.Path) -> None:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    picture = ImageCms.profileToProfile(
        Image.fromarray(COLOURS), srgb, lab, outputMode="LAB"
    )
    assert picture is not None
    picture.save(path)


def make_swapped_profile() -> bytes:
    """Makes an ICC profile whose red is green and whose green is red."""
    content = bytearray(
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    red, green = content.index(b"rXYZ"), content.index(b"gXYZ")
    content[red : red + 4], content[green : green + 4] = b"gXYZ", b"rXYZ"
    described = content.index("sRGB".encode("utf-16-be"))
    content[described : described + 8] = "Swap".encode("utf-16-be")
    return bytes(content)


def _save_swapped(path: pathlib.Path) -> None:
    swapped = Image.fromarray(COLOURS[..., [1, 0, 2]])
    swapped.save(path, icc_profile=make_swapped_profile())


def _save_transparent(path: pathlib.Path) -> None:
    """Saves it with garbage where it is transparent, on black."""
    rgba = np.dstack([COLOURS, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    rgba[:, 16:] = (90, 200, 10, 0)
    Image.fromarray(rgba).save(path)


BLACK_RIGHT = COLOURS.copy()
BLACK_RIGHT[:, 16:] = 0

# file name: (writes it, uint8 [H, W, 3] that is to be read, grey levels it may be off)
CASES: dict[str, tuple[Callable[[pathlib.Path], None], np.ndarray, int]] = {
    "grey.png": (_save_grey(1, np.uint8), GREY, 0),
    "grey_16_bits.png": (_save_grey(257, np.uint16), GREY, 1),
    "grey_16_bits.tif": (_save_grey(257, np.uint16), GREY, 1),
    "grey_16_bits.pgm": (_save_grey(257, np.uint16), GREY, 1),
    "grey_16_bits_in_32.tif": (_save_grey(257, np.int32), GREY, 1),
    "grey_32_bits.tif": (_save_grey(2**24 + 2**16 + 2**8 + 1, np.uint32), GREY, 1),
    "float_to_1.tif": (_save_grey(1 / 255, np.float32), GREY, 0),
    "float_to_255.tiff": (_save_grey(1, np.float32), GREY, 0),
    "float_to_65535.tif": (_save_grey(257, np.float32), GREY, 0),
    "palette.png": (_save_palette, COLOURS, 0),
    "palette.gif": (_save_palette, COLOURS, 0),
    "bits.bmp": (_save_colours(), COLOURS, 0),
    "cmyk.tif": (_save_colours("CMYK"), COLOURS, 0),
    "cmyk.jpg": (_save_colours("CMYK", quality=98), COLOURS, 25),
    "lab.tif": (_save_lab, COLOURS, 4),
    "phone.jfif": (
        _save_colours(format="JPEG", quality=98, subsampling=0),
        COLOURS,
        25,
    ),
    "small.avif": (_save_colours(quality=98, subsampling="4:4:4"), COLOURS, 25),
    "web.webp": (_save_colours(lossless=True), COLOURS, 0),
    "transparent.png": (_save_transparent, BLACK_RIGHT, 0),
    "swapped_profile.png": (_save_swapped, COLOURS, 3),
    **{f"turned_{n}.jpg": (_save_turned(n), COLOURS, 25) for n in range(2, 9)},
    "turned_6.png": (_save_turned(6), COLOURS, 0),
    "turned_6.webp": (_save_turned(6), COLOURS, 0),
}
