"""Pictures decoded by TensorFlow alone, as `trainer/picture_files.py` reads them."""

from __future__ import annotations

import tensorflow as tf

# Patterns of bytes. Orientation is a short number (3), once, in the first directory of
# EXIF, whose entries are of 12 bytes each: Exif 2.3, 4.6.2. Files hold EXIF behind a
# word of theirs: JPEG, PNG and WebP.
_EXIF = r"\C*?(?:Exif\x00\x00|eXIf|EXIF\C{4}(?:Exif\x00\x00)?)"
_BIG_ENDIAN = (
    r"MM\x00\*\x00\x00\x00\x08\C\C(?:\C{12})*?"
    r"\x01\x12\x00\x03\x00\x00\x00\x01\x00([\x01-\x08])"
)
_LITTLE_ENDIAN = (
    r"II\*\x00\x08\x00\x00\x00\C\C(?:\C{12})*?"
    r"\x12\x01\x03\x00\x01\x00\x00\x00([\x01-\x08])"
)
_ORIENTED = rf"(?s){_EXIF}(?:{_BIG_ENDIAN}|{_LITTLE_ENDIAN})\C*"
# A PNG's 26th byte is 4 or 6 where it has alpha; `tRNS` names transparent colours.
_TRANSPARENT = r"(?s)\CPNG\C{21}(?:[\x04\x06]|\C*?tRNS)\C*"


def decode_upright(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a picture as it is to be seen.

    It is turned as its EXIF orientation says, PNGs of 16 bits are scaled, what is
    transparent in a PNG lies on black, and of an animation in GIF the first picture is
    taken; TensorFlow refuses those in WebP. ICC profiles are not applied.

    Args:
      encoded: string [], JPEG, PNG, WebP, BMP or GIF.

    Returns:
      uint8 [H, W, 3].

    Raises:
      tf.errors.InvalidArgumentError: When it runs, if it is none of these.
    """
    pixels = tf.cond(
        tf.strings.regex_full_match(encoded, _TRANSPARENT),
        lambda: _decode_on_black(encoded),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    pixels.set_shape([None, None, 3])
    orientation = _read_orientation(encoded)
    # TIFF 6.0, section 8: which side of the picture its first row and column are.
    pixels = _change(
        pixels, orientation, (5, 6, 7, 8), lambda p: tf.transpose(p, (1, 0, 2))
    )
    pixels = _change(pixels, orientation, (2, 3, 6, 7), lambda p: tf.reverse(p, (1,)))
    return _change(pixels, orientation, (3, 4, 7, 8), lambda p: tf.reverse(p, (0,)))


def _decode_on_black(encoded: tf.Tensor) -> tf.Tensor:
    values = tf.cast(tf.io.decode_png(encoded, 4, tf.uint16), tf.float32) / 65535
    return tf.cast(tf.round(255 * values[..., :3] * values[..., 3:]), tf.uint8)


def _read_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Finds the orientation, uint8 []: 1, upright, where the picture has none."""
    character = tf.cond(
        tf.strings.regex_full_match(encoded, _ORIENTED),
        lambda: tf.strings.regex_replace(encoded, f"^{_ORIENTED}$", r"\1\2"),
        lambda: tf.constant(b"\x01"),
    )
    return tf.io.decode_raw(character, tf.uint8)[0]


def _change(pixels: tf.Tensor, orientation: tf.Tensor, chosen, change) -> tf.Tensor:
    needed = tf.reduce_any(orientation == tf.constant(chosen, tf.uint8))
    return tf.cond(needed, lambda: change(pixels), lambda: pixels)
