"""The command that writes the depth of photos."""

import pathlib

import monodepth2_reference
import numpy as np
import pytest
from PIL import Image

from fgbg_tfds import colours
from fgbg_tfds.depth import __main__ as command_line
from fgbg_tfds.depth import load_teacher
from fgbg_tfds.picture_files import read_picture

SHARED = pathlib.Path(__file__).parents[3] / ".." / "shared" / "pictures"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mono+stereo_96x64"
    monodepth2_reference.write_folder(path, 64, 96)
    return path


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "street.jpg"
    image = monodepth2_reference.random_images(1, 90, 120, seed=1)[0]
    Image.fromarray(image).save(path)
    return path


def run(*words):
    return command_line.main(["predict", *map(str, words)])


def test_depth_is_written_in_steps_of_a_256th_of_a_metre(weights, photo, capsys):
    assert run("--teacher", "monodepth2", "--weights", weights, photo) == 0
    with Image.open(photo.parent / "street_depth.png") as picture:
        assert picture.mode == "I;16"
        steps = np.asarray(picture)
    teacher = load_teacher("monodepth2", weights)
    metres = teacher(read_picture(photo)[None])[0]
    expected = np.minimum(metres, (2**16 - 1) / 256)
    np.testing.assert_allclose(steps / 256, expected, atol=0.5 / 256 + 1e-4)
    assert steps.min() > 0
    assert "not metric" not in capsys.readouterr().out


def test_the_coloured_picture_shows_the_same_depth(weights, photo):
    run("--teacher", "monodepth2", "--weights", weights, photo)
    colour = np.asarray(Image.open(photo.parent / "street_depth_colour.png"))
    metres = np.asarray(Image.open(photo.parent / "street_depth.png")) / 256
    assert colour.shape == (90, 120, 3) and colour.dtype == np.uint8
    expected = colours.colour_depth(metres).astype(int)
    assert np.abs(colour - expected).max() <= 8
    near, far = colour[metres < 2].mean(), colour[metres > 40].mean()
    assert near > far


def test_many_photos_go_to_one_folder(weights, photo, tmp_path):
    second = tmp_path / "grey.png"
    Image.fromarray(np.full((50, 40), 99, np.uint8)).save(second)
    out = tmp_path / "new" / "folder"
    options = ("--teacher", "monodepth2", "--weights", weights, "--out", out)
    assert run(*options, photo, second) == 0
    assert {path.name for path in out.iterdir()} == {
        "street_depth.png",
        "street_depth_colour.png",
        "grey_depth.png",
        "grey_depth_colour.png",
    }
    assert Image.open(out / "grey_depth.png").size == (40, 50)


def test_photos_are_turned_upright(tmp_path):
    image = Image.fromarray(monodepth2_reference.random_images(1, 60, 80, seed=2)[0])
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn a quarter clockwise to see it upright.
    image.save(tmp_path / "turned.png", exif=exif)
    upright = read_picture(tmp_path / "turned.png")
    np.testing.assert_array_equal(upright, np.rot90(np.asarray(image), -1))


def test_weights_that_are_not_metric_are_called_so(photo, tmp_path, capsys):
    folder = tmp_path / "mono_96x64"
    monodepth2_reference.write_folder(folder, 64, 96, use_stereo=None)
    assert run("--teacher", "monodepth2", "--weights", folder, photo) == 0
    assert "not metric" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.jpg"], "photo absent.jpg is not there"),
        (["--teacher", "monodepth2", "{photo}"], "download mono+stereo_640x192"),
        (["{photo}", "{photo}"], "would be written to the same file"),
    ],
)
def test_mistakes_are_one_sentence(words, message, photo, capsys):
    assert run(*(word.format(photo=photo) for word in words)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and "Traceback" not in error


def test_broken_photos_are_named(weights, photo, capsys):
    photo.write_bytes(photo.read_bytes()[:500])
    assert run("--teacher", "monodepth2", "--weights", weights, photo) == 1
    assert "street.jpg: not a picture that can be read" in capsys.readouterr().err


def test_real_photos_get_depth(weights, tmp_path):
    photos = sorted((SHARED / "streets_cars" / "backgrounds").glob("*"))[:1]
    if not photos:
        pytest.skip("real pictures are not here: shared/pictures/streets_cars")
    options = ("--teacher", "monodepth2", "--weights", weights, "--out", tmp_path)
    assert run(*options, *photos) == 0
    depth = Image.open(tmp_path / f"{photos[0].stem}_depth.png")
    assert depth.size == Image.open(photos[0]).size
