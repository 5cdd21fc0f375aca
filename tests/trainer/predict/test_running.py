"""A scene that keeps up with the day, and a camera that is moved."""

import numpy as np
import pytest

from trainer.predict.moves import LOOKS, MoveFinder
from trainer.predict.running import RunningScene

HEIGHT, WIDTH = 96, 128
SETTLE = 60.0  # seconds


def draw_scene(seed):
    """A scene of grey blocks with some texture, uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    blocks = (
        rng.uniform(50, 190, (HEIGHT // 8, WIDTH // 8, 1)).repeat(8, 0).repeat(8, 1)
    )
    return np.clip(blocks + rng.normal(0, 4, (HEIGHT, WIDTH, 3)), 0, 255).astype("u1")


def park(scene, left=40, top=30, value=235):
    """A bright thing before a scene, and its mask, float [H, W, 1]."""
    mask = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    mask[top : top + 24, left : left + 30] = 1
    return np.where(mask > 0, np.uint8(value), scene), mask


@pytest.fixture
def scene():
    return draw_scene(0)


NOTHING = np.zeros((HEIGHT, WIDTH, 1), np.float32)


def test_another_light_is_followed_at_once_also_behind_things(scene):
    running = RunningScene(scene, SETTLE)
    for second, light in enumerate((1.0, 0.7, 1.0, 1.3)):
        lit = np.clip(scene * light, 0, 255).astype(np.uint8)
        frame, mask = park(lit)
        running.update(frame, mask, second)
        error = np.abs(running.background.astype(int) - lit)
        assert np.median(error) <= 2 and error.mean() < 4


def test_what_stays_becomes_scene_and_what_leaves_does_too(scene):
    running = RunningScene(scene, SETTLE)
    frame, mask = park(scene)
    thing = mask[..., 0] > 0
    for second in range(55):
        running.update(frame, mask, second)
    np.testing.assert_array_equal(running.background[thing], scene[thing])
    for second in range(55, 70):
        running.update(frame, mask, second)
    assert (running.background[thing] == 235).mean() > 0.95
    assert running.changes == 1
    for second in range(70, 150):  # it drives off; its place is new for a while
        running.update(scene, mask, second)
    error = np.abs(running.background[thing].astype(int) - scene[thing])
    assert error.mean() < 3


def test_what_passes_never_becomes_scene(scene):
    running = RunningScene(scene, SETTLE)
    for second in range(300):
        frame, mask = park(scene, left=(5 * second) % 90)
        running.update(frame, mask, second)
    error = np.abs(running.background.astype(int) - scene)
    assert error.max() <= 3 and running.changes == 0


def test_a_car_is_scene_though_others_pass_before_it(scene):
    running = RunningScene(scene, SETTLE)
    for second in range(120):
        frame, mask = park(scene)
        if second % 10 == 0:  # one that passes hides it
            frame, other = park(frame, left=35, value=20)
            mask = np.maximum(mask, other)
        running.update(frame, mask, second)
    inside = running.background[34:50, 44:60]
    assert np.abs(inside.astype(int) - 235).mean() < 3


def test_a_camera_that_was_turned_begins_anew(scene, caplog):
    running = RunningScene(scene, SETTLE)
    other = np.roll(draw_scene(1), (4, 4), (0, 1))  # no edge where one was
    everything = np.ones((HEIGHT, WIDTH, 1), np.float32)
    for second in range(3):
        running.update(scene, NOTHING, second)
    caplog.set_level("WARNING", "trainer")
    for second in range(3, 20):
        running.update(other, everything if second < 10 else NOTHING, second)
    assert len(running.moved_at) == 1
    np.testing.assert_allclose(running.background, other, atol=3)
    assert "moved" in caplog.text


def test_a_camera_that_was_knocked_takes_the_scene_along(scene):
    running = RunningScene(scene, SETTLE)
    frame = np.roll(scene, (4, -3), (0, 1))
    for second in range(12):
        running.update(frame, NOTHING + 0.6, second)
    assert len(running.moved_at) == 1
    inner = np.s_[10:-10, 10:-10]
    error = np.abs(running.background[inner].astype(int) - frame[inner])
    assert error.mean() < 4


def test_a_large_thing_that_passes_is_no_move(scene):
    find = MoveFinder()
    rng = np.random.default_rng(2)
    for look in range(4 * LOOKS):
        frame = scene.copy()
        start = 8 * look % 40
        frame[:, start : start + 80] = rng.uniform(0, 255, (HEIGHT, 1, 3))
        assert find(scene, frame) is None
