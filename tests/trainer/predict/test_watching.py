"""Frames that are looked at only where something changed."""

import numpy as np
import PIL.Image
import pytest

from trainer.predict import __main__ as predict
from trainer.predict.watching import BLOCK, Watcher

HEIGHT, WIDTH = 250, 420


class Subtraction:
    """Tells what differs from the scene, and keeps which windows it was asked for."""

    def __init__(self, background):
        self.background, self.sizes = background, []

    def __call__(self, window, frame):
        change = np.abs(frame[window].astype(int) - self.background[window]).max(-1)
        mask = (change[..., None] > 40).astype(np.float32)
        self.sizes.append(mask.shape[:2])
        return mask, np.float32(20) - 15 * mask


@pytest.fixture
def background():
    rng = np.random.default_rng(0)
    return rng.integers(60, 160, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def put_squares(background, left, noise=0.0):
    frame = background.astype(float)
    frame[60:90, left : left + 30] = 245
    frame[230:250, 400:420] = 250 if left > 60 else frame[230:250, 400:420]
    rng = np.random.default_rng(left)
    frame += rng.normal(0, noise, frame.shape) if noise else 0
    return np.clip(frame, 0, 255).astype(np.uint8)


def test_answers_are_those_of_whole_frames(background):
    network, whole = Subtraction(background), Subtraction(background)
    watcher = Watcher(network, 100)
    for left in range(0, 380, 20):
        frame = put_squares(background, left)
        for found, expected in zip(
            watcher(frame), whole((slice(None), slice(None)), frame), strict=True
        ):
            np.testing.assert_allclose(found, expected)
    assert network.sizes[0] == (HEIGHT, WIDTH)
    for size in network.sizes[1:]:
        assert all(side % BLOCK == 0 for side in size)
    looked = sum(height * width for height, width in network.sizes[1:])
    assert looked < 0.35 * (len(range(0, 380, 20)) - 1) * HEIGHT * WIDTH


def test_noise_is_no_change(background):
    network = Subtraction(background)
    watcher = Watcher(network, 100)
    for number in range(5):
        rng = np.random.default_rng(number)
        noisy = background + rng.normal(0, 4, background.shape)
        watcher(np.clip(noisy, 0, 255).astype(np.uint8))
    assert network.sizes == [(HEIGHT, WIDTH)]


def test_the_first_of_every_few_is_looked_at_whole_and_so_is_a_change_of_light(
    background,
):
    network = Subtraction(background)
    watcher = Watcher(network, 3)
    for _ in range(6):
        watcher(background)
    assert network.sizes == [(HEIGHT, WIDTH)] * 2
    watcher(np.clip(background + 30, 0, 255).astype(np.uint8))
    assert network.sizes == [(HEIGHT, WIDTH)] * 3


def test_the_depth_of_a_window_is_scaled_to_what_is_around(background):
    """A network that knows no scale gives each picture its own."""
    network = Subtraction(background)

    def look(window, frame):
        mask, depth = network(window, frame)
        return mask, depth * (mask.shape[0] / HEIGHT)

    watcher = Watcher(look, 100)
    for left in (0, 20, 40):
        mask, depth = watcher(put_squares(background, left))
    np.testing.assert_allclose(depth, 20 - 15 * mask, rtol=1e-5)


def test_the_command_looks_where_something_changed(shots, models, capsys):
    folder, new = shots
    flags = [f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"]
    flags += ["--write=mask", f"--out={folder / 'out'}", str(folder / "my frames")]
    assert predict.main([*flags, "--whole_every=10"]) == 0
    for name, there in new.items():
        found = np.asarray(PIL.Image.open(folder / "out" / "mask" / f"{name}.png"))
        assert ((found >= 128) == there).all()
    assert predict.main(flags) == 1
    assert "has answers of --whole_every=10" in capsys.readouterr().err
