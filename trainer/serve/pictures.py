"""Picture files of a request, looked at before the network decodes them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence

import PIL.Image
import tensorflow as tf

from trainer.errors import summarise
from trainer.serve.limits import MEGA, Refusal

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_UNREADABLE = (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError)


def check_headers(files: Mapping[str, bytes], pixels: int) -> int:
    """Checks what the headers of picture files say, without decoding them.

    A picture of few bytes may have so many pixels that they fill the memory.

    Args:
      files: The files, by what messages call them.
      pixels: Pixels that one may have.

    Returns:
      Pixels of the largest one; 0 for no files.

    Raises:
      Refusal: If one is no picture, too large, or an animation.
    """
    return max((_read_pixels(n, file, pixels) for n, file in files.items()), default=0)


def _read_pixels(name: str, file: bytes, pixels: int) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(io.BytesIO(file), formats=FORMATS) as image:
                width, height = image.size
                # TensorFlow decodes all pictures of such a GIF at once, and none of
                # such a WebP.
                moving = image.format in ("GIF", "WEBP") and getattr(
                    image, "is_animated", False
                )
    except PIL.Image.DecompressionBombError as error:
        raise Refusal(
            400, f"{name}: has more than {pixels / MEGA:g} megapixels; shrink it"
        ) from error
    except _UNREADABLE as error:
        raise Refusal(
            400,
            f"{name}: is no picture that can be read ({len(file)} bytes); give a JPEG, "
            "PNG, WebP, BMP or GIF",
        ) from error
    if width * height > pixels:
        raise Refusal(
            400,
            f"{name}: has {width} x {height} pixels, and {pixels / MEGA:g} megapixels "
            "are served; shrink it",
        )
    if moving:
        raise Refusal(400, f"{name}: is an animation; give one picture of it")
    return width * height


def check_pixels(shapes: Sequence[tuple[int, ...]], pixels: int) -> None:
    """Checks how many pixels a network is to look at together.

    Args:
      shapes: Shapes of the inputs, [N, h, w, channels].
      pixels: Pixels that there may be.

    Raises:
      Refusal: If there are more.
    """
    for number, height, width, _ in shapes:
        if number * height * width > pixels:
            raise Refusal(
                400,
                f"{number} pictures of {width} x {height} pixels: {pixels / MEGA:g} "
                "megapixels are looked at together; ask for fewer at a time, for "
                "smaller ones, or the signature compact, which looks at one at a time",
            )


def find_damaged(files: Mapping[str, bytes]) -> str | None:
    """Finds the first picture file that cannot be decoded.

    Args:
      files: The files, by what messages call them.

    Returns:
      A line about it; None if all can be.
    """
    for name, file in files.items():
        try:
            tf.io.decode_image(file, channels=3, expand_animations=False)
        except (tf.errors.OpError, ValueError) as error:
            return f"{name}: is damaged ({summarise(error)}); send it again"
    return None
