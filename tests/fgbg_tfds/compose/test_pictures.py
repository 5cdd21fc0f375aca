import logging as python_logging
import os
import pathlib
import tempfile

import numpy as np
import pytest
from absl import logging
from PIL import Image

from fgbg_tfds.compose import pictures
from fgbg_tfds.errors import InputError


def write_cutout(path, size=(40, 30), box=(10, 5, 30, 25), alpha=255):
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    image.paste((200, 30, 40, alpha), box)
    image.save(path)
    return path


def write_photo(path, size=(64, 48), mode="RGB", **options):
    rows = np.linspace(0, 255, size[0] * size[1]).reshape(size[::-1])
    Image.fromarray(rows.astype(np.uint8)).convert(mode).save(path, **options)
    return path


def test_real_folders_are_read_in_order(picture_folder):
    foregrounds = pictures.read_foregrounds(picture_folder / "foregrounds", 224)
    backgrounds = pictures.read_backgrounds(picture_folder / "backgrounds", 96)
    for read in (foregrounds, backgrounds):
        assert [picture.name for picture in read] == sorted(p.name for p in read)
    for picture in foregrounds:
        alpha = picture.pixels[..., 3]
        assert picture.pixels.dtype == np.uint8
        assert alpha[0].any() and alpha[-1].any()
        assert alpha[:, 0].any() and alpha[:, -1].any()
        assert not ((alpha > 0) & (alpha < pictures.HALO_ALPHA * 255)).any()
    for picture in backgrounds:
        assert picture.pixels.shape == (96, 96, 3)


def test_cutout_is_trimmed_and_cleaned_of_halo(tmp_path):
    path = tmp_path / "car.png"
    image = Image.new("RGBA", (50, 50), (255, 255, 255, 12))  # 4.7 %
    image.paste((9, 9, 9, 255), (20, 10, 40, 25))
    image.putpixel((5, 5), (255, 255, 255, 14))  # 5.5 % stays
    image.save(path)
    pixels = pictures.read_foreground(path, 224)
    assert pixels.shape == (20, 35, 4)
    assert np.count_nonzero(pixels[..., 3]) == 20 * 15 + 1


def test_palette_cutout_keeps_its_transparency(tmp_path):
    path = tmp_path / "palette.png"
    image = Image.new("P", (32, 32), 0)
    image.putpalette([0, 0, 0, 250, 10, 10])
    image.paste(1, (8, 8, 24, 20))
    image.save(path, transparency=0)
    pixels = pictures.read_foreground(path, 224)
    assert pixels.shape == (12, 16, 4)
    assert (pixels == (250, 10, 10, 255)).all()


def test_large_cutout_is_reduced_without_dark_fringe(tmp_path):
    path = tmp_path / "large.png"
    image = Image.new("RGBA", (900, 600), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (100, 100, 800, 500))
    image.save(path)
    pixels = pictures.read_foreground(path, 224)
    assert max(pixels.shape) == 224
    assert (pixels[pixels[..., 3] > 0][:, :3] >= 250).all()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "CMYK", "1", "RGBA", "YCbCr"])
def test_photos_of_any_mode_become_rgb(tmp_path, mode):
    suffix = ".jpg" if mode in ("CMYK", "YCbCr") else ".png"
    path = write_photo(tmp_path / f"photo{suffix}", mode=mode)
    grey = pictures.read_background(path, 32)
    assert grey.shape == (32, 32, 3)
    assert grey[0].mean() < 60 and grey[-1].mean() > 190


def test_sixteen_bit_photo_keeps_its_tones(tmp_path):
    path = tmp_path / "deep.png"
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(path)
    read = pictures.read_background(path, 64)
    assert np.abs(read[..., 0].astype(int) - ramp / 257).max() <= 1


def test_photo_is_turned_as_its_exif_says(tmp_path):
    path = tmp_path / "turned.jpg"
    image = Image.new("RGB", (60, 40), "black")
    image.paste("white", (0, 0, 60, 10))
    exif = image.getexif()
    exif[0x0112] = 3  # upside down
    image.save(path, exif=exif, quality=95)
    read = pictures.read_background(path, 32)
    assert read[0].mean() < 20 and read[-1].mean() > 200


def test_photo_is_cut_to_its_centre_not_squashed(tmp_path):
    path = tmp_path / "wide.png"
    image = Image.new("RGB", (120, 40), "red")
    image.paste("blue", (40, 0, 80, 40))
    image.save(path)
    assert (pictures.read_background(path, 40) == (0, 0, 255)).all()


def test_first_picture_of_an_animation_is_taken(tmp_path):
    path = tmp_path / "moving.gif"
    first, second = (Image.new("RGB", (32, 32), colour) for colour in ("red", "blue"))
    first.save(path, save_all=True, append_images=[second])
    assert (pictures.read_background(path, 32) == (255, 0, 0)).all()


def truncated(path):
    write_photo(path, size=(200, 200))
    path.write_bytes(path.read_bytes()[:300])


def text(path):
    path.write_text("not a picture")


def bomb(path):
    import struct
    import zlib

    def chunk(name, data):
        crc = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", b"")
        + chunk(b"IEND", b"")
    )


def dot(path):
    Image.new("RGBA", (1, 1), (1, 2, 3, 200)).save(path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncated, "not a picture that can be read"),
        (text, "not a picture that can be read"),
        (lambda path: path.write_bytes(b""), "not a picture that can be read"),
        (bomb, "pixels"),
        (dot, "pixel"),
    ],
)
@pytest.mark.parametrize("kind", ["foreground", "background"])
def test_bad_file_is_refused_by_name(tmp_path, damage, said, kind):
    path = tmp_path / "bad one.png"
    damage(path)
    read = {
        "foreground": lambda: pictures.read_foregrounds(tmp_path, 224),
        "background": lambda: pictures.read_backgrounds(tmp_path, 64),
    }[kind]
    with pytest.raises(InputError, match=r"bad one\.png") as caught:
        read()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("alpha", "said"), [(0, "fully transparent"), (9, "fully transparent")]
)
def test_unseen_cutout_is_refused(tmp_path, alpha, said):
    path = write_cutout(tmp_path / "ghost.png", alpha=alpha)
    with pytest.raises(InputError, match=said):
        pictures.read_foreground(path, 224)


def test_cutout_whose_mask_would_be_empty_is_refused(tmp_path):
    path = write_cutout(tmp_path / "glass.png", alpha=127)
    with pytest.raises(
        InputError, match=r"glass\.png: alpha of the cut-out is at most"
    ):
        pictures.read_foreground(path, 224)
    assert pictures.read_foreground(write_cutout(path, alpha=128), 224).shape


def test_all_files_that_cannot_be_used_are_named_at_once(tmp_path):
    write_photo(tmp_path / "good.png")
    for number in range(7):
        text(tmp_path / f"bad_{number}.jpg")
    with pytest.raises(InputError, match="7 files cannot be used") as raised:
        pictures.read_backgrounds(tmp_path, 32)
    message = str(raised.value)
    assert all(f"bad_{number}.jpg: not a pict" in message for number in range(5))
    assert message.endswith("; and 2 more") and "good.png" not in message


def test_equal_pictures_are_one_identity_with_a_warning(tmp_path, caplog):
    for name in ("a.png", "b.png", "d.png"):
        write_photo(tmp_path / name)
    write_photo(tmp_path / "c.png", size=(48, 64))
    logging.use_absl_handler()
    with caplog.at_level(python_logging.WARNING):
        found = pictures.identify(pictures.read_backgrounds(tmp_path, 32))
    assert found == ("a.png", "a.png", "c.png", "a.png")
    assert "a.png, b.png, d.png: equal pixels" in caplog.text


def test_small_photos_are_warned_of_once(tmp_path, caplog):
    for name, size in (("a.png", (64, 64)), ("b.png", (20, 40)), ("c.png", (30, 64))):
        write_photo(tmp_path / name, size=size)
    logging.use_absl_handler()
    with caplog.at_level(python_logging.WARNING):
        for _ in range(2):
            pictures.read_backgrounds(tmp_path, 64)
    (record,) = [r for r in caplog.records if "enlarged" in r.getMessage()]
    assert "2 of 3 photos are enlarged more than 2 times" in record.getMessage()
    assert "b.png 3.2 times" in record.getMessage()


def test_small_photos_of_scenes_are_counted_each(tmp_path, caplog):
    """Two scenes' photos of one name were counted as one."""
    for scene in ("court", "yard"):
        (tmp_path / scene).mkdir()
        write_photo(tmp_path / scene / "noon.png", size=(20, 20))
    logging.use_absl_handler()
    with caplog.at_level(python_logging.WARNING):
        pictures.read_backgrounds(tmp_path, 64)
    assert "2 of 2 photos are enlarged" in caplog.text


def test_cutout_without_alpha_is_refused(tmp_path):
    opaque = write_cutout(tmp_path / "opaque.png", box=(0, 0, 40, 30))
    photo = write_photo(tmp_path / "photo.png")
    disguised = tmp_path / "really_a.png"
    write_photo(disguised, format="JPEG")
    for path in (opaque, photo, disguised):
        with pytest.raises(InputError, match=f"{path.name}: cut-out has no alpha"):
            pictures.read_foreground(path, 224)
    assert pictures.read_background(disguised, 32).shape == (32, 32, 3)


def test_foreign_files_are_left_out_and_counted_once(tmp_path, caplog):
    write_photo(tmp_path / "a.PNG")
    for name in (".DS_Store", "Thumbs.db", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "around.png").symlink_to(tmp_path)
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(tmp_path / "pipe.png")
    logging.use_absl_handler()
    with caplog.at_level(python_logging.INFO):
        assert list(pictures.list_pictures(tmp_path)) == ["a.PNG"]
        assert len(pictures.read_backgrounds(tmp_path, 32)) == 1
    (record,) = [r for r in caplog.records if "left out" in r.getMessage()]
    assert record.levelno == python_logging.WARNING
    assert record.getMessage().startswith(
        f"{tmp_path}: left out 7, not pictures: .png (5), .db (1), .txt (1); such as "
    )


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), text])
def test_folder_without_pictures_is_refused(tmp_path, make):
    folder = tmp_path / "pictures"
    make(folder)
    with pytest.raises(InputError, match="pictures"):
        pictures.list_pictures(folder)


def test_labels_are_single_lines_and_unique(tmp_path):
    names = ["line\nbreak.png", "line%0Abreak.png", "sp ace.png", "ünï.png", "Ünï.png"]
    undecodable = os.fsdecode(b"\xff.png")
    for name in [*names, undecodable]:
        write_photo(tmp_path / "x.png").rename(tmp_path / name)
    labels = list(pictures.list_pictures(tmp_path))
    assert len(labels) == len(names) + 1
    assert labels == sorted(labels)
    assert "line%0Abreak.png" in labels and "line%250Abreak.png" in labels
    for label in labels:
        assert label.isprintable()
        label.encode()


@pytest.fixture
def not_root():
    """A folder of somebody whom permissions bind."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        write_photo(folder / "good.png")
        pictures.read_backgrounds(folder, 32)  # all that Pillow loads is loaded
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(65534)
        try:
            yield folder, was_root
        finally:
            if was_root:
                os.seteuid(0)


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        ("secret.png", 0o000, "not a picture that can be read"),
        (".", 0o000, "not a folder that can be read"),
        (".", 0o444, "not a folder that can be read"),
    ],
)
def test_what_may_not_be_read_is_named(not_root, name, mode, said):
    folder, was_root = not_root
    if was_root:
        os.seteuid(0)
    if name != ".":
        write_photo(folder / name)
    (folder / name).chmod(mode)
    if was_root:
        os.seteuid(65534)
    with pytest.raises(InputError, match=said) as caught:
        pictures.read_backgrounds(folder, 32)
    assert str(folder / name) in str(caught.value)
    assert "Permission denied" in str(caught.value)


def test_cutouts_of_any_mode_with_alpha(tmp_path):
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    image.paste((200, 200, 200, 255), (10, 5, 30, 25))
    image.convert("LA").save(tmp_path / "grey.png")
    image.save(tmp_path / "lossless.webp", lossless=True)
    image.save(tmp_path / "animated.png", save_all=True, append_images=[image])
    exif = image.getexif()
    exif[0x0112] = 6  # lies on its side
    image.crop((5, 5, 30, 15)).save(tmp_path / "turned.png", exif=exif)
    read = {p.name: p.pixels for p in pictures.read_foregrounds(tmp_path, 224)}
    assert {name: pixels.shape for name, pixels in read.items()} == {
        "animated.png": (20, 20, 4),
        "grey.png": (20, 20, 4),
        "lossless.webp": (20, 20, 4),
        "turned.png": (20, 10, 4),
    }
    for pixels in read.values():
        assert (pixels == (200, 200, 200, 255)).all()


def test_pictures_are_read_from_a_bucket(bucket, tmp_path):
    photo = write_photo(tmp_path / "photo.png")
    (bucket / "photo.png").write_bytes(photo.read_bytes())
    (bucket / "notes.txt").write_text("x")
    (read,) = pictures.read_backgrounds(str(bucket), 32)
    assert (read.pixels == pictures.read_background(photo, 32)).all()
    (bucket / "bad.png").write_bytes(b"text")
    with pytest.raises(InputError, match=r"ram://bucket/data/bad\.png: not a pict"):
        pictures.read_backgrounds(str(bucket), 32)
    with pytest.raises(InputError, match="not a folder"):
        pictures.read_backgrounds(str(bucket / "nowhere"), 32)
