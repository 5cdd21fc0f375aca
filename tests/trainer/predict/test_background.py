"""Drawn films of a busy camera, whose empty scene is known to the bit."""

import numpy as np
import PIL.Image
import pytest
import scipy.ndimage

from trainer.predict import __main__ as predict
from trainer.predict.background import find_scene
from trainer.predict.spread import find_spread

HEIGHT, WIDTH, FRAMES = 120, 160, 50


def draw_scene(rng):
    """A wall over a floor, with some texture, no two pixels the same."""
    picture = np.zeros((HEIGHT, WIDTH, 3))
    picture[:70] = (150, 140, 120)
    picture[70:] = (90, 95, 90)
    picture += scipy.ndimage.gaussian_filter(
        rng.normal(0, 60, picture.shape), (2, 2, 0)
    )
    return np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def draw_man(picture, column, colour, rng):
    """A man with a head, shoulders and legs, 60 pixels high."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    there = (rows - 45) ** 2 + (columns - column) ** 2 < 64
    there |= (abs(columns - column) < 11) & (rows >= 53) & (rows < 80)
    there |= (abs(abs(columns - column) - 6) < 4) & (rows >= 80) & (rows < 105)
    noise = rng.normal(0, 3, (HEIGHT, WIDTH, 3))
    painted = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    return np.where(there[..., None], painted, picture)


def see_what_is_smooth(picture):
    """A depth network's place: even, dark or bright, things are nearer than texture."""
    grey = picture.mean(-1)
    even = scipy.ndimage.gaussian_filter(np.abs(grey - scipy.ndimage.median_filter(
        grey, 5)), 3)  # fmt: skip
    return 10 + even


def know_nothing(picture):
    return np.full(picture.shape[:2], 10.0)


def make_film(scene, rng, present, column=50, light=None):
    """Frames in which a man stands in some, and another one walks through all."""
    frames = []
    for index in range(FRAMES):
        frame = scene
        if present(index):
            frame = draw_man(frame, column, (30, 40, 60), rng)
        frame = draw_man(frame, (7 * index) % (WIDTH + 60) - 30, (200, 60, 50), rng)
        if light is not None:
            frame = np.clip(frame * light(index), 0, 255).astype(np.uint8)
        noisy = frame + rng.normal(0, 1.5, frame.shape)
        frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    return frames


def count_wrong(found, scene):
    """Share of pixels that are off by more than noise and its filters explain."""
    return (np.abs(found.astype(int) - scene).max(-1) > 12).mean()


@pytest.mark.parametrize("depth", [know_nothing, see_what_is_smooth])
@pytest.mark.parametrize(
    "present",
    [
        pytest.param(lambda i: i % 5 < 3, id="a man who stands for 60 % of the time"),
        pytest.param(lambda i: i < 30, id="a parked one that leaves"),
        pytest.param(lambda i: i >= 20, id="one that comes and stays"),
        pytest.param(lambda i: 10 < i < 20, id="one that stands for a while"),
        pytest.param(lambda i: False, id="nobody"),
    ],
)
def test_who_stands_is_not_the_scene(present, depth):
    rng = np.random.default_rng(0)
    scene = draw_scene(rng)
    found = find_scene(make_film(scene, rng, present), depth)
    assert found.background.shape == scene.shape
    assert count_wrong(found.background, scene) < 0.002
    median = np.median(make_film(scene, rng, present), 0)
    if present(2) and present(22):
        assert count_wrong(median, scene) > 0.03
    # The places where he stands are less sure than those where nobody does.
    stood = found.sureness[60:100, 42:58].mean() / 255
    assert stood == pytest.approx(
        1 - np.mean([present(i) for i in range(FRAMES)]), abs=0.2
    )
    assert found.sureness[:30].mean() > 240


def test_a_plain_outline_counts_for_more_than_a_wrong_depth():
    """A man before a white wall, which the network took for the sky."""
    rng = np.random.default_rng(0)
    scene = (100 + 0.6 * draw_scene(rng)).astype(np.uint8)

    def mistake(picture):
        dark = np.abs(picture.astype(int) - (30, 40, 60)).max(-1) < 40
        return np.where(dark, 15.0, 10.0)

    film = make_film(scene, rng, lambda i: i % 5 < 3)
    assert count_wrong(find_scene(film, mistake).background, scene) < 0.002


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("size", [(33, 20), (121, 163), (300, 1001)])
def test_few_frames_of_any_size_are_taken(number, size):
    rng = np.random.default_rng(4)
    scene = rng.integers(0, 256, (*size, 3), np.uint8)
    found = find_scene([scene] * number, know_nothing)
    assert (found.background == scene).all()
    assert (found.sureness == 255).all() and not found.spread.restless.any()


def test_light_that_changes_is_none_of_the_scene_s_looks():
    rng = np.random.default_rng(1)
    scene = draw_scene(rng)
    frames = make_film(
        scene, rng, lambda i: i % 5 < 3, light=lambda i: 0.8 + 0.35 * (i / FRAMES)
    )
    found = find_scene(frames, know_nothing).background.astype(float)
    gain = np.median(found / np.maximum(scene, 1))
    assert count_wrong(found, scene * gain) < 0.005


def test_a_camera_that_shakes_keeps_its_edges():
    rng = np.random.default_rng(2)
    scene = draw_scene(rng)
    still = make_film(scene, rng, lambda i: False)
    shaken = [
        scipy.ndimage.shift(f, (*rng.integers(-2, 3, 2), 0), order=0, mode="nearest")
        for f in still
    ]
    found = find_scene(shaken, know_nothing).background
    inner = slice(8, -8), slice(8, -8)
    errors = [
        np.abs(
            np.roll(found, (dy, dx), (0, 1))[inner].astype(int) - scene[inner]
        ).mean()
        for dy in range(-2, 3)
        for dx in range(-2, 3)
    ]
    blurred = np.abs(np.median(shaken, 0)[inner] - scene[inner]).mean()
    assert min(errors) < 2.5 < blurred


def toss(scene, rng):
    """Leaves in a corner, each place that of one within 3 pixels, at random."""
    moved = scipy.ndimage.gaussian_filter(
        rng.normal(0, 30, (2, HEIGHT, WIDTH)), (0, 3, 3)
    )
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + np.clip(np.rint(moved), -3, 3)
    tossed = scene[
        np.clip(rows, 0, HEIGHT - 1).astype(int),
        np.clip(columns, 0, WIDTH - 1).astype(int),
    ]
    frame = scene.copy()
    frame[:60, 90:] = tossed[:60, 90:]
    return frame


def draw_tree(rng):
    scene = draw_scene(rng)
    leaves = scipy.ndimage.gaussian_filter(rng.normal(0, 1, (HEIGHT, WIDTH)), 1.2) > 0
    scene[:60, 90:] = np.where(leaves, 40, 190)[:60, 90:, None]
    return scene


@pytest.mark.parametrize("given", [False, True])
def test_what_moves_all_day_is_not_new(tmp_path, models, read, given):
    """The network is a subtraction, to which every tossed leaf is new."""
    rng = np.random.default_rng(3)
    scene = draw_tree(rng)
    for name, walks in (("film", True), ("empty", False)):
        (tmp_path / name).mkdir()
        for index in range(40):
            frame = toss(scene, rng)
            if walks:
                frame = draw_man(frame, 8 * index % 200 - 20, (230, 40, 40), rng)
            PIL.Image.fromarray(frame).save(tmp_path / name / f"{index:02d}.png")
    flags = (f"--model={models / 'any'}", f"--out={tmp_path / 'out'}", "--write=mask")
    background = (f"--background={tmp_path / 'empty'}",) if given else ()
    assert predict.main([*flags, *background, str(tmp_path / "film")]) == 0
    masks = np.stack([read(tmp_path / f"out/mask/{i:02d}.png") for i in range(40)])
    tree = masks[:, :36, 95:]  # over the man's head
    plain = np.abs(toss(scene, rng).astype(int) - scene).max(-1) > 40
    assert (tree >= 128).mean() < plain[:36, 95:].mean() / 10
    men = [
        np.median(masks[i, 60:78, 8 * i % 200 - 28 : 8 * i % 200 - 12])
        for i in range(40)
        if 30 < 8 * i % 200 - 20 < 130
    ]
    assert np.mean(np.array(men) >= 128) > 0.9


def test_what_passes_often_is_no_motion_of_the_scene():
    """Dark men before a wall with dark lines: masks had holes where they walked."""
    background = np.full((120, 160, 3), 160, np.uint8)
    background[:, ::6] = 60
    frames = [background.copy() for _ in range(20)]
    for frame in frames[::2]:
        frame[40:100, 20:60] = 60  # a man
        frame[40:100, 120:124] = 60  # a twig
    restless = find_spread(frames, background).restless
    assert not restless[:, :80].any()
    assert restless[45:95, 121:123].all()


def test_a_folder_of_one_empty_picture_is_that_picture(shots, models, read, names):
    folder, new = shots
    (folder / "empty").mkdir()
    (folder / "empty.png").rename(folder / "empty" / "noon.png")
    flags = (f"--model={models / 'any'}", f"--out={folder / 'out'}", "--write=mask")
    background = f"--background={folder / 'empty'}"
    assert predict.main([*flags, background, str(folder / "my frames")]) == 0
    assert names(folder / "out") == ["mask/a.png", "mask/b.png", "mask/c.png"]
    for name, there in new.items():
        np.testing.assert_array_equal(
            read(folder / f"out/mask/{name}.png"), there * 255
        )
