import io

import numpy as np
import picture_cases
import pytest
import tensorflow as tf
from PIL import Image

from trainer.export.decoding import decode_upright
from trainer.picture_files import read_picture

SUFFIXES = (".bmp", ".gif", ".jfif", ".jpg", ".png", ".webp")
READ = [
    name
    for name in picture_cases.CASES
    if name.endswith(SUFFIXES) and "profile" not in name
]


@pytest.mark.parametrize("name", READ)
def test_the_saved_model_reads_as_the_trainer_does(tmp_path, name):
    path = tmp_path / name
    picture_cases.CASES[name][0](path)
    decoded = decode_upright(tf.constant(path.read_bytes())).numpy()
    expected = read_picture(path)
    assert decoded.shape == expected.shape and decoded.dtype == np.uint8
    most = 4 if name.endswith((".jpg", ".jfif")) else 1
    assert np.abs(decoded.astype(int) - expected).max() <= most


def big_endian_exif(orientation):
    """EXIF as many cameras write it: big-endian, orientation after other entries."""
    entries = [(0x010F, 2, 4, b"Cam\0"), (0x0112, 3, 1, bytes([0, orientation, 0, 0]))]
    content = b"MM\0*\0\0\0\x08" + len(entries).to_bytes(2, "big")
    for tag, kind, count, value in entries:
        content += tag.to_bytes(2, "big") + kind.to_bytes(2, "big")
        content += count.to_bytes(4, "big") + value
    return b"Exif\0\0" + content + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_big_endian_cameras_are_turned_too(tmp_path, orientation, kind):
    path = tmp_path / "photo"
    colours = Image.fromarray(picture_cases.COLOURS)
    colours.save(path, kind, exif=big_endian_exif(orientation))
    decoded = decode_upright(tf.constant(path.read_bytes())).numpy()
    expected = read_picture(path)
    assert decoded.shape == expected.shape
    assert np.abs(decoded.astype(int) - expected).max() <= 4


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png_of_every_mode_lies_on_black(tmp_path, mode):
    rgba = np.dstack([picture_cases.COLOURS, picture_cases.draw_grey()])
    Image.fromarray(rgba).convert(mode).save(tmp_path / "picture.png")
    content = (tmp_path / "picture.png").read_bytes()
    decoded = decode_upright(tf.constant(content)).numpy()
    expected = read_picture(tmp_path / "picture.png")
    assert np.abs(decoded.astype(int) - expected).max() <= 1


def test_transparent_colours_of_a_palette_lie_on_black():
    picture = Image.fromarray(picture_cases.COLOURS).quantize(64)
    memory = io.BytesIO()
    corner = picture.getpixel((0, 0))
    picture.save(memory, "PNG", transparency=corner)
    decoded = decode_upright(tf.constant(memory.getvalue())).numpy()
    assert (decoded[:7, :7] == 0).all() and decoded[12:, 12:].all()
