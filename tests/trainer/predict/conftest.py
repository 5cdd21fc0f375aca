"""Pictures and a video for a network whose answers are known."""

from fractions import Fraction

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from known_network import Subtraction

from trainer.predict.video import VideoWriter

HEIGHT, WIDTH = 70, 111


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with `any`, an any-size network, and `other`, which is none."""
    folder = tmp_path_factory.mktemp("models")
    module = Subtraction()
    for name, signatures in (
        ("any", {"images": module.images}),
        ("other", {"serving_default": module.other}),
    ):
        tf.saved_model.save(module, str(folder / name), signatures)
    return folder


def scene(rng):
    """An empty scene: a slope of grey with some texture."""
    slope = np.linspace(60, 160, WIDTH)[None, :, None] + rng.normal(
        0, 5, (HEIGHT, 1, 3)
    )
    return np.clip(slope, 0, 255).astype(np.uint8)


def frame_of(background, left):
    """The scene with a bright square at a place, and where it is."""
    there = np.zeros((HEIGHT, WIDTH), bool)
    there[20:40, left : left + 20] = True
    return np.where(there[..., None], np.uint8(245), background), there


@pytest.fixture
def shots(tmp_path):
    """The empty scene and three frames in a folder; what is new, by name."""
    background = scene(np.random.default_rng(0))
    PIL.Image.fromarray(background).save(tmp_path / "empty.png")
    folder = tmp_path / "my frames"
    folder.mkdir()
    new = {}
    for name, left in (("a.png", 5), ("b.bmp", 30), ("c.webp", 60)):
        pixels, there = frame_of(background, left)
        PIL.Image.fromarray(pixels).save(folder / name, lossless=True)
        new[name[0]] = there
    return tmp_path, new


@pytest.fixture
def film(tmp_path):
    """A video of twelve frames of an odd width, its scene, and what is new."""
    pytest.importorskip("av")
    background = scene(np.random.default_rng(1))
    PIL.Image.fromarray(background).save(tmp_path / "empty.png")
    new = []
    with VideoWriter(tmp_path / "film.mp4", Fraction(10), Fraction(1, 30)) as writer:
        for index in range(12):
            pixels, there = frame_of(background, 7 * index)
            writer.add(pixels, 3 * index + (index == 5))
            new.append(there)
    return tmp_path, new


@pytest.fixture(scope="session")
def read():
    """A function of a path: the pixels of that picture."""

    def pixels(path):
        with PIL.Image.open(path) as picture:
            return np.asarray(picture)

    return pixels


@pytest.fixture(scope="session")
def names():
    """A function of a folder: the paths of all answers in it, sorted."""

    def paths(folder):
        return sorted(
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and path.name not in (".lock", "predict.json")
        )

    return paths
