"""Photos of the empty scene and cut-outs of what passed, from a camera's frames."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest
import scipy.ndimage
import tensorflow as tf
from known_network import Subtraction

from fgbg_tfds.settings import Settings
from trainer.harvest import __main__ as harvest

HEIGHT, WIDTH, SIDE = 120, 160, 30
COLOURS = [(235, 60, 40), (40, 220, 70), (50, 70, 240), (240, 230, 40), (20, 10, 15)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    module = Subtraction()
    tf.saved_model.save(module, str(folder), {"images": module.images})
    return folder


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    texture = scipy.ndimage.gaussian_filter(rng.normal(0, 30, (HEIGHT, WIDTH)), 1.5)
    slope = np.linspace(105, 150, WIDTH)[None, :]
    return np.clip(texture + slope, 0, 255)[..., None].repeat(3, -1)


def draw_thing(index):
    """A thing with a pattern, and where it is, bool [SIDE, SIDE]."""
    rng = np.random.default_rng(index + 1)
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    inside = np.hypot(rows, columns / (0.6 + 0.08 * index)) < SIDE / 2 - 1
    pattern = rng.normal(0, 12, (SIDE // 5, SIDE // 5, 3)).repeat(5, 0).repeat(5, 1)
    return np.clip(COLOURS[index] + pattern, 0, 255), inside


@pytest.fixture(scope="module")
def camera(tmp_path_factory, scene):
    """A folder of frames: five things cross one after the other, and light fades."""
    folder = tmp_path_factory.mktemp("camera") / "frames"
    folder.mkdir()
    rng = np.random.default_rng(9)
    number = 0
    for index in range(len(COLOURS)):
        colour, inside = draw_thing(index)
        for step in range(12):
            light = 1 - 0.1 * number / 60
            frame = scene * light + rng.normal(0, 2, scene.shape)
            left = -SIDE + step * (WIDTH + SIDE) // 11
            first, last = max(0, left), min(WIDTH, left + SIDE)
            if first < last:
                place = np.s_[40 : 40 + SIDE, first:last]
                part = np.s_[:, first - left : last - left]
                shown = inside[part][..., None]
                frame[place] = np.where(shown, colour[part] * light, frame[place])
            frame = np.clip(frame, 0, 255).astype(np.uint8)
            PIL.Image.fromarray(frame).save(folder / f"{number:03d}.png")
            number += 1
    return folder


@pytest.fixture
def ask(tmp_path, model, camera):
    """A function of flags: the status of a harvest into cam1."""

    def run(*flags, out="cam1", frames=camera):
        given = [f"--model={model}", f"--out={tmp_path / out}", "--scene_frames=15"]
        return harvest.main([*given, *flags, str(frames)])

    return run


def read(path):
    with PIL.Image.open(path) as picture:
        return np.asarray(picture)


def test_a_camera_gives_photos_cutouts_a_sheet_and_a_config(
    ask, tmp_path, scene, capsys
):
    assert ask("--photos=6") == 0
    folder = tmp_path / "cam1"
    scenes = sorted(path.name for path in (folder / "backgrounds").iterdir())
    assert scenes == [f"{v}_{n}" for v in ("left", "middle", "right") for n in (1, 2)]
    photos = sorted((folder / "backgrounds").rglob("*.png"))
    assert len(photos) == 3 * 6
    lights = []
    for path in photos:
        pixels = read(path).astype(float)
        assert pixels.shape == (HEIGHT, HEIGHT, 3)
        left = {"left": 0, "middle": 20, "right": 40}[path.parent.name.split("_")[0]]
        empty = scene[:, left : left + HEIGHT]
        light = np.median(pixels / empty)
        lights.append(light)
        assert np.abs(pixels - light * empty).max() < 25  # nothing stands there
    assert max(lights) - min(lights) > 0.05  # real light changes are in them
    cutouts = [read(path) for path in sorted((folder / "foregrounds").iterdir())]
    assert len(cutouts) == len(COLOURS)  # each thing once
    for cutout in cutouts:
        solid = cutout[cutout[..., 3] == 255][:, :3].astype(float)
        error = [np.abs(solid.mean(0) - colour).mean() for colour in COLOURS]
        assert min(error) < 20
        assert len(solid) > 0.75 * (cutout[..., 3] > 0).sum()
    assert read(folder / "sheet.jpg").shape[1] == 1200
    np.testing.assert_allclose(read(folder / "background.png"), scene * 0.95, atol=20)
    said = capsys.readouterr().err
    assert "tfds build fgbg_tfds --config" in said and "cut by the frame's edge" in said


def test_its_config_is_one_of_a_data_set(ask, tmp_path):
    assert ask() == 0
    fields = json.loads((tmp_path / "cam1" / "config.json").read_text())
    assert fields.pop("name") == "cam1"
    settings = Settings.from_json(fields)
    assert 0.15 < settings.scale[0] < settings.scale[1] < 0.5


def test_a_harvest_is_not_mixed_with_another(ask, tmp_path, capsys):
    assert ask() == 0
    before = sorted(path for path in (tmp_path / "cam1").rglob("*.png"))
    (tmp_path / "cam1" / "foregrounds" / "mine.png").write_bytes(b"")
    assert ask() == 1
    assert "add --overwrite to remove them" in capsys.readouterr().err
    assert ask("--overwrite") == 0
    assert sorted(path for path in (tmp_path / "cam1").rglob("*.png")) == before


def test_a_harvest_that_fails_keeps_the_former_one(ask, tmp_path):
    assert ask() == 0
    before = sorted((tmp_path / "cam1").rglob("*.png"))
    assert ask("--overwrite", "--min_side=70") == 1
    assert sorted((tmp_path / "cam1").rglob("*.png")) == before


def test_frames_that_cannot_be_read_are_told(ask, tmp_path, camera, capsys):
    folder = tmp_path / "frames"
    shutil.copytree(camera, folder)
    (folder / "999.png").write_bytes((folder / "000.png").read_bytes()[:500])
    assert ask(frames=folder) == 1
    assert "1 frames could not be read; the others are harvested" in (
        capsys.readouterr().err
    )
    assert (tmp_path / "cam1" / "sheet.jpg").exists()


def test_too_few_cutouts_say_why_and_leave_nothing(ask, tmp_path, capsys):
    assert ask("--min_side=70") == 1
    said = capsys.readouterr().err
    assert "0 cut-outs were found, and a data set needs 3" in said
    assert "smaller than 70 pixels" in said and "Traceback" not in said
    assert not [path for path in (tmp_path / "cam1").rglob("*") if path.name != ".lock"]


@pytest.mark.parametrize(
    ("flags", "given", "message"),
    [
        ([], {"out": "my cam"}, "will be called fgbg/my cam, which takes letters"),
        ([], {"frames": "nowhere"}, "there is no nowhere"),
        (["--background=none.png"], {}, "there is no none.png"),
        (["--model=none"], {}, "none does not exist"),
        ([], {"frames": "rtsp://a:b@c/d"}, "rtsp://c/d: a harvest needs a film"),
    ],
)
def test_a_mistake_is_one_line(ask, tmp_path, capsys, flags, given, message):
    assert ask(*flags, **given) == 1
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert not list(tmp_path.rglob("*.png"))
