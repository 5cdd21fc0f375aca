"""All doors read pictures alike: both packages, and the SavedModel where it can."""

import io
import logging

import numpy as np
import picture_cases
import pytest
from absl import logging as absl_logging
from PIL import Image

from fgbg_tfds import picture_files as builder_files
from fgbg_tfds.compose.pictures import read_background
from fgbg_tfds.errors import InputError
from trainer import picture_files as trainer_files
from trainer.errors import UserError

MODULES = {"fgbg_tfds": builder_files, "trainer": trainer_files}
ERRORS = {"fgbg_tfds": InputError, "trainer": UserError}


@pytest.fixture(params=MODULES)
def package(request):
    return request.param


@pytest.fixture
def logged(caplog, monkeypatch):
    """The warnings of both packages."""
    monkeypatch.setattr(logging.getLogger("trainer"), "propagate", True)
    monkeypatch.setattr(absl_logging.get_absl_logger(), "propagate", True)
    caplog.set_level(logging.WARNING)
    return caplog


@pytest.mark.parametrize("name", picture_cases.CASES)
def test_every_kind_of_picture_is_read_as_it_is_seen(tmp_path, name, package):
    write, seen, tolerance = picture_cases.CASES[name]
    write(tmp_path / name)
    read = MODULES[package].read_picture(tmp_path / name)
    assert read.dtype == np.uint8 and read.shape == seen.shape
    assert np.abs(read.astype(int) - seen).max() <= tolerance


@pytest.mark.parametrize("name", picture_cases.CASES)
def test_both_packages_read_the_same_bits(tmp_path, name):
    picture_cases.CASES[name][0](tmp_path / name)
    first, second = (
        module.read_picture(tmp_path / name) for module in MODULES.values()
    )
    assert (first == second).all()
    assert trainer_files.read_size(tmp_path / name) == second.shape[:2]
    assert builder_files.SUFFIXES == trainer_files.SUFFIXES


def test_a_background_of_the_builder_is_read_by_the_same_reader(tmp_path):
    path = tmp_path / "float_to_1.tif"
    picture_cases.CASES[path.name][0](path)
    square = read_background(path, picture_cases.HEIGHT)
    assert (square == picture_cases.GREY[:, 4:28]).all()


def test_a_profile_that_is_damaged_is_left_out_with_a_warning(
    tmp_path, package, logged
):
    path = tmp_path / "profile.png"
    Image.fromarray(picture_cases.COLOURS).save(path, icc_profile=b"no profile")
    assert (MODULES[package].read_picture(path) == picture_cases.COLOURS).all()
    assert f"{path}: its ICC profile is left out" in logged.text


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_of_an_animation_the_first_picture_is_read_with_a_warning(
    tmp_path, package, logged, suffix
):
    path = tmp_path / f"moving{suffix}"
    pictures = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    pictures[0].save(path, save_all=True, append_images=pictures[1:])
    read = MODULES[package].read_picture(path)
    assert np.abs(read.astype(int) - (255, 0, 0)).max() <= 2
    assert f"{path}: has 2 pictures; only the first is read" in logged.text


def write_heic(path):
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))


def write_huge_floats(path):
    Image.fromarray(np.full((20, 20), 1e6, np.float32)).save(path)


def cut_short(path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    memory = io.BytesIO()
    Image.fromarray(noise).save(memory, "JPEG")
    path.write_bytes(memory.getvalue()[: len(memory.getvalue()) // 2])


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("phone.heic", write_heic, "it is HEIC, which cannot be read; convert it to"),
        ("phone.jpg", write_heic, "it is HEIC, which cannot be read; convert it to"),
        ("light.tif", write_huge_floats, "its floats go up to 1e+06; give fractions"),
        ("notes.png", lambda path: path.write_text("notes"), "not a picture that can"),
        ("cut.jpg", cut_short, "not a picture that can be read (image file is trunc"),
        ("missing.jpg", lambda path: None, "not a picture that can be read ([Errno 2]"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, package, name, write, said):
    path = tmp_path / name
    write(path)
    with pytest.raises(ERRORS[package]) as raised:
        MODULES[package].read_picture(path)
    assert str(raised.value).startswith(f"{path}: {said}")


def test_files_that_are_left_out_are_counted_by_suffix(tmp_path, package, logged):
    names = ("a.txt", "b.TXT", "c.heic", "noext")
    MODULES[package].warn_of_left_out(tmp_path, names)
    assert (
        f"{tmp_path}: left out 4, not pictures: .txt (2), .heic (1), no suffix (1); "
        "such as 'a.txt'; convert HEIC to JPEG or PNG"
    ) in logged.text
