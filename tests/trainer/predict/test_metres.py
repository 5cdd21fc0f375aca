"""Depth in metres, from taped distances or flat ground, and depth that stands still."""

import json

import numpy as np
import PIL.Image
import pytest

from trainer.errors import UserError
from trainer.predict import __main__ as predict
from trainer.predict.calibration import (
    Calibration,
    Ground,
    KnownDistance,
    calibrate_by_ground,
    calibrate_by_points,
    fit_calibration,
)
from trainer.predict.still_depth import StillDepth

TRUE = np.array([2.0, 3.0, 5.0, 9.0, 15.0, 30.0])


def distort(metres):
    """A network's depth: 1 / metres = 0.6 / depth + 0.01."""
    return 0.6 / (1 / metres - 0.01)


def test_one_distance_gives_a_factor():
    made = fit_calibration(np.array([10.0]), np.array([4.0]))
    assert (made.scale, made.offset) == (2.5, 0)
    np.testing.assert_allclose(made.apply(np.array([20.0])), 8, rtol=1e-6)


def test_several_distances_give_scale_and_offset():
    made = fit_calibration(distort(TRUE), TRUE)
    np.testing.assert_allclose(made.apply(distort(TRUE)), TRUE, rtol=0.03)


def test_a_wrong_distance_among_several_counts_little():
    taped = TRUE.copy()
    taped[2] *= 4
    made = fit_calibration(distort(TRUE), taped)
    np.testing.assert_allclose(made.apply(distort(TRUE)), TRUE, rtol=0.1)


def test_order_is_kept_whatever_is_given():
    made = fit_calibration(np.array([5.0, 10.0]), np.array([10.0, 5.0]))
    depths = made.apply(np.geomspace(0.1, 500, 50))
    assert (np.diff(depths) >= 0).all() and np.isfinite(depths).all()


def test_points_are_held_back_one_by_one():
    depth = np.repeat(distort(np.linspace(40, 2, 60))[:, None], 80, 1)
    known = [
        KnownDistance(10 + 8 * n, row, np.linspace(40, 2, 60)[row])
        for n, row in enumerate((5, 20, 35, 45, 55))
    ]
    made, errors = calibrate_by_points(depth, known)
    assert np.abs(errors).max() < 0.25 and np.median(np.abs(errors)) < 0.05
    np.testing.assert_allclose(made.apply(depth[50, 0]), 7.8, rtol=0.1)
    _, alone = calibrate_by_points(depth, known[:1])
    assert np.isnan(alone).all()


def test_a_point_outside_the_picture_is_named():
    with pytest.raises(UserError, match=r"known_distance=99,5,3: the frames have 80"):
        calibrate_by_points(np.ones((60, 80)), [KnownDistance(99, 5, 3.0)])


def test_ground_is_as_far_as_geometry_says():
    """Level camera, 2 m high, 90 degrees: the last row looks down by atan(h / w)."""
    depth = Ground(2.0, 50, 90.0).compute_depth((100, 200))
    assert np.isinf(depth[:50]).all() and (np.diff(depth[50:]) < 0).all()
    assert depth[99] == pytest.approx(2 * 100 / 49.5)


def test_flat_ground_calibrates_though_things_stand_on_it():
    ground = Ground(3.0, 30, 70.0)
    true = np.repeat(ground.compute_depth((120, 160))[:, None], 160, 1)
    depth = distort(np.minimum(true, 60))
    depth[60:110, 40:70] = distort(6.0)  # a thing
    made = calibrate_by_ground(depth, ground)
    np.testing.assert_allclose(made.apply(depth[90:, 100]), true[90:, 100], rtol=0.05)
    with pytest.raises(UserError, match="leaves no ground"):
        calibrate_by_ground(depth, Ground(3.0, 119, 70.0))


def test_a_calibration_is_read_as_it_was_written(tmp_path):
    made = Calibration(0.5, 0.01, "abc", (48, 64), "--known_distance=1,2,3")
    made.write(tmp_path / "c.json")
    assert Calibration.read(tmp_path / "c.json") == made
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(UserError, match=r"c.json is no calibration"):
        Calibration.read(tmp_path / "c.json")


@pytest.fixture
def ask(shots, models):
    """A function of flags: the status of a command on the shots; depth is 20, or 5."""
    folder, _ = shots

    def run(*flags, out="out"):
        given = [f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"]
        given += [f"--out={folder / out}", "--write=depth", *flags]
        return predict.main([*given, str(folder / "my frames")])

    return run


def read_depth(folder, out):
    with PIL.Image.open(folder / out / "depth" / "a.png") as picture:
        return np.asarray(picture) / 256


def test_a_known_distance_is_kept_beside_the_background(shots, ask, capsys):
    folder, new = shots
    assert ask("--known_distance=50,60,8") == 0
    depth = read_depth(folder, "out")
    assert depth[~new["a"]] == pytest.approx(8, abs=0.01)
    assert depth[new["a"]] == pytest.approx(2, abs=0.01)
    kept = json.loads((folder / "empty.calibration.json").read_text())
    assert kept["scale"] == pytest.approx(2.5)
    assert ask(out="later") == 0  # it is used again
    np.testing.assert_array_equal(read_depth(folder, "later"), depth)
    assert "empty.calibration.json" in capsys.readouterr().err
    assert ask("--known_distance=50,60,9") == 1
    assert "has depths of --known_distance=50,60,8" in capsys.readouterr().err


def test_errors_of_points_held_back_are_printed(ask, capsys):
    points = [f"--known_distance={x},60,{metres}" for x, metres in ((5, 19), (90, 21))]
    assert ask(*points) == 0
    said = capsys.readouterr().err
    assert "held back, the point 5,60 is 21.0 m instead of 19.0 m (+11 %)" in said
    assert "median error of points held back: 10 %" in said


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--camera_height=3"], "--horizon=ROW is missing"),
        (["--horizon=3"], "--camera_height=METRES is missing"),
        (
            ["--camera_height=3", "--horizon=3", "--known_distance=1,1,1"],
            "leave one of them out",
        ),
        (["--known_distance=500,1,1"], "the frames have 111 columns and 70 rows"),
        (["--camera_height=3", "--horizon=69"], "leaves no ground in a picture of 70"),
    ],
)
def test_what_cannot_be_calibrated_is_one_line(shots, ask, capsys, flags, message):
    assert ask(*flags) == 1
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert not (shots[0] / "out").exists()


@pytest.mark.parametrize("text", ["1,2", "1,2,x", "1,2,0", "-1,2,3", "1,2,nan"])
def test_a_distance_that_is_none_says_how_to_write_it(ask, capsys, text):
    with pytest.raises(SystemExit):
        ask(f"--known_distance={text}")
    assert "is not X,Y,METRES, such as" in capsys.readouterr().err


def test_a_calibration_of_another_network_is_refused(shots, ask, capsys):
    folder, _ = shots
    made = Calibration(0.5, 0.0, "another", (70, 111), "--known_distance=1,2,3")
    made.write(folder / "empty.calibration.json")
    assert ask() == 1
    assert "is for another --model" in capsys.readouterr().err


def test_depth_stands_still_where_nothing_is_new():
    rng = np.random.default_rng(0)
    scene = rng.uniform(5, 20, (40, 50, 1))
    still = StillDepth(lambda: scene)
    mask = np.zeros((40, 50, 1))
    mask[10:20, 10:20] = 1
    for factor in (0.8, 1.0, 1.2):
        depth = factor * scene * rng.uniform(0.95, 1.05, scene.shape)
        depth[10:20, 10:20] = 3 * factor
        steady = still(mask, depth)
        calm = mask[..., 0] == 0
        np.testing.assert_allclose(steady[calm], scene[calm], rtol=1e-5)
        np.testing.assert_allclose(steady[~calm], 3, rtol=0.03)
