import os
import pathlib
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from fgbg_tfds.depth import load_teacher, train
from fgbg_tfds.depth.__main__ import main
from fgbg_tfds.depth.embedded import training
from fgbg_tfds.depth.embedded.photos import compose_photos
from fgbg_tfds.depth.embedded.scenes import draw_scenes
from fgbg_tfds.depth.embedded.training import Schedule, train_network
from fgbg_tfds.errors import InputError

SCHEDULE = Schedule(
    # One side, since each means another graph, and tracing takes longest.
    first_feeds=(32,),
    feeds=(32,),
    steps=5,
    finishing=0.8,
    batch_size=2,
    composites_a_step=2,
)
TINY = ["--scenes", "4", "--steps", "1", "--batch_size", "2", "--workers", "1"]


def test_training_writes_weights_that_load(tmp_path, capsys):
    path = tmp_path / "tiny.npz"
    assert main(["train", "--out", str(path), *TINY]) == 0
    assert "4 scenes" in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.npz"]
    depth = load_teacher("embedded", weights=path)(np.zeros((1, 40, 50, 3), np.uint8))
    assert depth.shape == (1, 40, 50) and np.isfinite(depth).all()


@pytest.fixture(scope="module")
def scenes():
    return draw_scenes(range(4), 64, 0.5, show=False)


@pytest.fixture(scope="module")
def composites(drawn_folders):
    return compose_photos(drawn_folders, count=6, size=64)


@pytest.fixture(scope="module")
def plain(scenes):
    """The losses of a training without composites of photos."""
    return train_network(SCHEDULE, *scenes, show=False)[1]


@pytest.fixture(scope="module")
def trained(scenes, composites):
    """The weights and losses of a training with composites of photos."""
    return train_network(SCHEDULE, *scenes, composites, show=False)


@pytest.mark.slow
def test_photos_are_learned_from_after_the_beginning(trained, plain):
    _, losses = trained
    assert len(losses) == 9 and np.isfinite(losses).all()
    assert losses[:3] == plain[:3]
    assert losses[3] != plain[3]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_though_it_was_cut_off(
    scenes, composites, trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(training, "KEPT_EVERY", 2)
    whole, losses = trained
    take, taken = training.Steps.take, []

    def take_seven(self, *arguments):
        if len(taken) == 7:
            raise KeyboardInterrupt
        taken.append(take(self, *arguments))
        return taken[-1]

    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(training.Steps, "take", take_seven)
        train_network(SCHEDULE, *scenes, composites, False, tmp_path)
    assert taken == losses[:7]
    resumed, last = train_network(SCHEDULE, *scenes, composites, False, tmp_path)
    assert last == losses[6:]
    for name, array in whole.items():
        np.testing.assert_array_equal(array, resumed[name])


def test_a_full_disk_is_told_in_one_line(scenes, tmp_path, monkeypatch):
    """Files may grow to a few bytes only, which a checkpoint does not fit into."""
    monkeypatch.setattr(training, "KEPT_EVERY", 1)
    monkeypatch.setattr(training.Steps, "take", lambda *_: 1.0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(InputError, match="cannot be kept there") as error:
            train_network(SCHEDULE, *scenes, show=False, kept=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(error.value).startswith(f"{tmp_path}: ")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.slow
def test_cutouts_are_pasted_anew_in_the_last_steps(scenes, plain, monkeypatch):
    monkeypatch.setattr(training, "paste_anew", lambda images, logs, *_: (images, logs))
    _, without = train_network(SCHEDULE, *scenes, show=False)
    assert plain[:5] == without[:5]
    assert plain[5] != without[5]


def test_scenes_are_dressed_with_photos(drawn_folders):
    plain, _ = draw_scenes(range(2), 48, 0.5, show=False)
    dressed, _ = draw_scenes(range(2), 48, 0.5, show=False, photos=drawn_folders)
    assert not np.array_equal(plain, dressed)


def test_a_workdir_is_gone_on_with_by_the_same_flags_only(
    tmp_path, capsys, monkeypatch
):
    out, workdir = tmp_path / "w.npz", tmp_path / "work"
    words = ["train", "--out", str(out), "--workdir", str(workdir), *TINY]
    assert main(words) == 0
    first = out.read_bytes()
    monkeypatch.setattr(train, "draw_scenes", pytest.fail)  # they were kept
    assert main(words) == 0
    assert out.read_bytes() == first
    capsys.readouterr()
    assert main([*words, "--seed", "3"]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: --workdir {workdir} holds a training with other")


def test_scenes_that_were_kept_and_damaged_are_named(tmp_path, capsys, monkeypatch):
    workdir = tmp_path / "work"
    words = ["train", "--out", str(tmp_path / "w.npz"), "--workdir", str(workdir)]
    with monkeypatch.context() as cut:
        cut.setattr(train, "train_network", lambda *_, **__: ({}, [1.0]))
        assert main([*words, *TINY]) == 0
    (workdir / "logs.npy").write_bytes(b"")
    capsys.readouterr()
    assert main([*words, *TINY]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: the scenes that --workdir {workdir} keeps")


def test_a_workdir_that_refuses_is_told_before_scenes_are_drawn(
    refusing_place, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(train, "draw_scenes", pytest.fail)
    words = ["--out", str(tmp_path / "w.npz"), "--workdir", str(refusing_place / "w")]
    assert main(["train", *words, *TINY]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {refusing_place / 'w'}: cannot be written to (")


def test_photos_are_looked_for_before_scenes_are_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train, "draw_scenes", pytest.fail)
    assert main(["train", "--photos", str(tmp_path), *TINY]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ") and "foregrounds" in error


@pytest.mark.slow
def test_scenes_go_in_as_drawn_without_augmentation():
    images, logs = draw_scenes(range(2), 64, 0.5, show=False)
    images[1], logs[1] = images[0, :, ::-1], logs[0, :, ::-1]
    ways = {"steps": 1, "batch_size": 1, "first_feeds": (32,), "augmented": False}
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
        (["--edge_weight", "nan"], "--edge_weight"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "109952"], "--seed"),
        (["--scenes", "8", "--batch_size", "9"], "--batch_size"),
    ],
)
def test_wrong_flags_are_named(words, wrong, capsys, monkeypatch):
    monkeypatch.setattr(train, "draw_scenes", pytest.fail)
    assert main(["train", *words]) == 1
    assert capsys.readouterr().err.startswith(f"error: {wrong} is ")


def test_a_place_that_refuses_is_told_before_scenes_are_drawn(
    refusing_place, capsys, monkeypatch
):
    monkeypatch.setattr(train, "draw_scenes", pytest.fail)
    assert main(["train", "--out", str(refusing_place / "w.npz"), *TINY]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {refusing_place}: cannot be written to (")


@pytest.fixture
def trained_at_once(monkeypatch):
    """Has `train` take three weights for trained; returns a list of things to do."""
    before = []
    monkeypatch.setattr(train, "draw_scenes", lambda *_, **__: (None, None))

    def train_network(*_, **__):
        for each in before:
            each()
        return {"a/bias": np.zeros(3, np.float32)}, [1.0]

    monkeypatch.setattr(train, "train_network", train_network)
    return before


def test_weights_go_to_a_new_folder_in_the_home_folder(trained_at_once, home):
    assert main(["train", "--out", "~/new/folder/w.npz", *TINY]) == 0
    assert [path.name for path in (home / "new" / "folder").iterdir()] == ["w.npz"]


def test_weights_that_find_no_room_are_kept_elsewhere(
    trained_at_once, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(train.tempfile, "tempdir", str(tmp_path))
    path = tmp_path / "w.npz"
    trained_at_once.append(path.mkdir)  # while it trains
    assert main(["train", "--out", str(path), *TINY]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    kept = pathlib.Path(error.rpartition("the weights are kept in ")[2])
    assert error.startswith(f"error: {path}: cannot be written (")
    with np.load(kept) as file:
        assert file["a/bias"].shape == (3,)


def test_ctrl_c_stops_all_processes_that_draw_in_one_line(ctrl_c, tmp_path):
    path = tmp_path / "w.npz"
    command = [sys.executable, "-m", "fgbg_tfds.depth", "train", "--workers=2"]
    process = subprocess.Popen(
        [*command, "--scenes=2000", f"--out={path}"],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        said = b""
        while b"/2000 [" not in said or b" 0/2000" in said[-60:]:  # the bar moves
            said += process.stderr.read1() or pytest.fail(said.decode())
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        said += process.stderr.read()
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert said.splitlines()[-1] == b"stopped; finished files stay"
    assert list(tmp_path.iterdir()) == []
