"""Hard shadows are told from things by the one colour that they all have."""

import json

import numpy as np
import PIL.Image
import pytest

from trainer.demo.looks import look_at_frames, make_observer
from trainer.predict import Object, Observer, ShadowFinder, find_shadow
from trainer.predict import __main__ as predict
from trainer.predict.frames import Frame
from trainer.predict.shadow_removal import LOOKS, SHADOWS, ShadowRemoval
from trainer.predict.shadows import FEWEST_TRACKS

LIGHT = np.array([0.45, 0.5, 0.55])  # what a shadow leaves
SIZE = (60, 100)


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    return np.clip(rng.normal(150, 12, (*SIZE, 3)), 0, 255).astype(np.uint8)


def draw(scene, identity, shadow=True, cloth=False, left=0):
    """A thing, its shadow at its left, and the object that holds both.

    A cloth is as dark as the shadow, and hides the ground.
    """
    rng = np.random.default_rng(identity)
    frame = scene.copy()
    parts = rng.uniform(0, 255, (10, 10, 3)).repeat(3, 0).repeat(3, 1)
    frame[20:50, left + 50 : left + 80] = parts
    inside = np.zeros(SIZE, bool)
    inside[20:50, 50:80] = True
    if shadow:
        shade = np.s_[38:50, left + 10 : left + 50]
        ground = frame[shade]
        if cloth:
            ground = ground.mean((0, 1)) + rng.normal(0, 6, ground.shape)
        frame[shade] = ground * LIGHT
        inside[38:50, 10:50] = True
    box = (10, 20, 70, 30)
    return frame, Object(box, inside[20:50, 10:80], 0.1, (0, 0), 5.0, 1.0, identity)


def find_ratio(scene, shadow, number=FEWEST_TRACKS + 4, cloth=False):
    finder = ShadowFinder()
    for identity in range(1, number + 1):
        frame, each = draw(scene, identity, shadow, cloth)
        finder.add(frame, scene, [each])
    return finder.find_ratio()


def test_what_all_things_share_is_their_shadow(scene):
    np.testing.assert_allclose(find_ratio(scene, True), np.log(LIGHT), atol=0.06)


def test_things_without_shadows_share_nothing(scene):
    assert find_ratio(scene, False) is None


def test_dark_clothes_of_all_who_pass_are_no_shadows(scene):
    """Of one colour they are too, before an even wall; its texture does not show."""
    assert find_ratio(scene, True, cloth=True) is None


def test_few_things_prove_nothing(scene):
    assert find_ratio(scene, True, FEWEST_TRACKS - 1) is None


def test_the_shadow_is_cut_off_and_the_thing_stays(scene):
    frame, each = draw(scene, 3)
    window = each.window
    shadow = find_shadow(frame[window], scene[window], each.inside, np.log(LIGHT))
    assert shadow[18:, 2:36].mean() > 0.95  # but for what is beside the thing
    assert shadow[:, 42:].mean() < 0.02


# Wherever it is between 0 and 17 columns further.
SHADE, THING = np.s_[40:48, 31:46], np.s_[22:48, 71:78]


def draw_passing(scene, number):
    return draw(scene, number, left=5 * number % 18)[0]


@pytest.fixture
def street(scene, tmp_path):
    """A folder of frames in which things pass, each with its shadow."""
    folder = tmp_path / "street"
    folder.mkdir()
    for identity in range(60):
        picture = PIL.Image.fromarray(draw_passing(scene, identity))
        picture.save(folder / f"{identity:03}.png")
    PIL.Image.fromarray(scene).save(tmp_path / "empty.png")
    return folder


def ask(street, models, out, *flags):
    words = [f"--model={models / 'any'}", f"--background={street.parent / 'empty.png'}"]
    words += ["--write=mask", f"--out={out}", *flags, str(street)]
    return predict.main(words)


def read_masks(out):
    paths = sorted((out / "mask").glob("*.png"))
    return np.stack([np.asarray(PIL.Image.open(path)) for path in paths])


def test_shadows_are_taken_off_from_the_first_frame_on(street, models, tmp_path):
    assert ask(street, models, tmp_path / "off") == 0
    assert ask(street, models, tmp_path / "on", "--keep_shadows") == 0
    off, on = (read_masks(tmp_path / name) for name in ("off", "on"))
    assert len(off) == len(on) == 60
    assert on[:, *SHADE].mean() > 200 and off[:, *SHADE].mean() < 10
    np.testing.assert_array_equal(off[:, *THING], on[:, *THING])
    light = json.loads((tmp_path / "off" / SHADOWS).read_text())["light"]
    np.testing.assert_allclose(light, LIGHT, rtol=0.1)
    assert not (tmp_path / "on" / SHADOWS).exists()


def test_the_page_takes_shadows_off_a_video(scene):
    def subtract(background, frame, _):
        change = np.abs(frame.astype(np.float32) - background).max(-1, keepdims=True)
        return np.float32(change > 30), np.full((*SIZE, 1), 5, np.float32)

    frames = [Frame(f"{n:03}", draw_passing(scene, n), n / 5) for n in range(40)]
    looking = look_at_frames("video", frames, make_observer(subtract, scene))
    while True:
        try:
            next(looking)
        except StopIteration as end:
            look = end.value
            break
    masks = np.stack([each.mask for each in look.answers])
    assert masks[:, *SHADE].mean() < 10 and masks[:, *THING].mean() > 200
    assert "shadows" in look.note
    few = look_at_frames("video", frames[:4], make_observer(subtract, scene))
    assert len(list(few)) == 4  # too few prove nothing


def test_large_frames_are_looked_at_shrunk_to_be_quick(scene):
    removal = ShadowRemoval(np.log(LIGHT))
    frame, each = draw(scene, 3)
    mask = np.zeros((*SIZE, 1), np.float32)
    mask[each.window][each.inside] = 1
    large, wide, before = (p.repeat(8, 0).repeat(8, 1) for p in (mask, frame, scene))
    found = removal(large[:-3], wide[:-3], before[:-3])
    assert found.shape == (477, 800, 1)
    assert (found[::8, ::8] == removal(mask, frame, scene)).mean() > 0.99
    assert found[8 * 40 : 8 * 46, 8 * 14 : 8 * 46].mean() < 0.05


def test_answers_with_and_without_shadows_are_not_mixed(
    street, models, tmp_path, capsys
):
    assert ask(street, models, tmp_path / "out") == 0
    assert ask(street, models, tmp_path / "out", "--keep_shadows") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "has answers without --keep_shadows; choose another --out" in error
    (tmp_path / "out" / SHADOWS).write_text('{"light": [0.5, "dark", 0.5]}')
    assert ask(street, models, tmp_path / "out") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {tmp_path / 'out' / SHADOWS} cannot be read (")
    assert ask(street, models, tmp_path / "out", "--overwrite", "--keep_shadows") == 0
    assert not (tmp_path / "out" / SHADOWS).exists()


def test_a_live_camera_s_shadows_are_learned_and_kept(scene, tmp_path):
    def compare(background, frame, amount=None):
        new = np.abs(frame.astype(int) - background).max(-1, keepdims=True) > 40
        return new.astype(np.float32), np.full(new.shape, 5, np.float32)

    removal = ShadowRemoval(learning=True)
    look = Observer(compare, scene, None, folder=tmp_path, shadows=removal)
    shaded = []
    for second in range(LOOKS + 1):
        frame = Frame(str(second), draw_passing(scene, second), seconds=float(second))
        shaded.append(float(look(frame)[0][SHADE].mean()))
    assert min(shaded[: LOOKS - 1]) > 0.8 and shaded[-1] < 0.05
    look.save()
    light = json.loads((tmp_path / SHADOWS).read_text())["light"]
    np.testing.assert_allclose(light, LIGHT, rtol=0.1)
