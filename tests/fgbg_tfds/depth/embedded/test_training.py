import numpy as np
import pytest

from fgbg_tfds.depth import load_teacher
from fgbg_tfds.depth.__main__ import main
from fgbg_tfds.depth.embedded.training import Schedule, draw_scenes, train_network

TINY = ["--scenes", "4", "--steps", "1", "--batch_size", "2", "--workers", "1"]


def test_training_writes_weights_that_load(tmp_path, capsys):
    path = tmp_path / "tiny.npz"
    assert main(["train", "--out", str(path), *TINY]) == 0
    assert "4 scenes" in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.npz"]
    depth = load_teacher("embedded", weights=path)(np.zeros((1, 40, 50, 3), np.uint8))
    assert depth.shape == (1, 40, 50) and np.isfinite(depth).all()


def test_same_seed_same_weights():
    images, logs = draw_scenes(range(4), 64, 0.5, show=False)
    schedule = Schedule(steps=2, batch_size=2, feeds=(64,))
    first, losses = train_network(schedule, images, logs, show=False)
    again, _ = train_network(schedule, images, logs, show=False)
    assert len(losses) == 2 and np.isfinite(losses).all()
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])


def test_scenes_go_in_as_drawn_without_augmentation():
    images, logs = draw_scenes(range(2), 64, 0.5, show=False)
    images[1], logs[1] = images[0, :, ::-1], logs[0, :, ::-1]
    ways = {"steps": 1, "batch_size": 1, "feeds": (64,), "augmented": False}
    kept = [
        train_network(Schedule(**ways), images[which], logs[which], show=False)[1]
        for which in ([0], [1])
    ]
    assert kept[0] != kept[1]
    changed = train_network(
        Schedule(**ways | {"augmented": True}), images[:1], logs[:1], show=False
    )
    assert changed[1] != kept[0]


def test_processes_change_nothing():
    one = draw_scenes(range(3), 32, 1.0, workers=1, show=False)
    two = draw_scenes(range(3), 32, 1.0, workers=2, show=False)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


@pytest.mark.parametrize(
    "words, wrong",
    [
        (["--steps", "0"], "--steps"),
        (["--pasted", "1.5"], "--pasted"),
        (["--out", "weights.h5"], "--out"),
    ],
)
def test_wrong_flags_are_named(words, wrong, capsys):
    assert main(["train", *words]) == 1
    assert capsys.readouterr().err.startswith(f"error: {wrong} is ")
