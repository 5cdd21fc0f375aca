import numpy as np
import pytest

from fgbg_tfds.procedural import draw_scene, draw_street, draw_vehicle
from fgbg_tfds.procedural.camera import Camera, draw_camera
from fgbg_tfds.procedural.canvas import Canvas
from fgbg_tfds.procedural.roads import paint_road
from fgbg_tfds.procedural.scene import paste_cutout
from fgbg_tfds.procedural.sprite import Sprite
from fgbg_tfds.procedural.textures import SIDE, texture


@pytest.fixture(scope="module")
def streets():
    return [draw_street(seed, size=96) for seed in range(4)]


def test_street_has_the_promised_types(streets):
    for scene in streets:
        assert scene.image.shape == (96, 96, 3) and scene.image.dtype == np.uint8
        assert scene.depth.shape == (96, 96) and scene.depth.dtype == np.float32
        assert scene.depth.min() > 0 and scene.depth.max() <= 80


def test_street_is_the_same_for_the_same_seed_only(streets):
    again = draw_street(2, size=96)
    np.testing.assert_array_equal(again.image, streets[2].image)
    np.testing.assert_array_equal(again.depth, streets[2].depth)
    assert not np.array_equal(streets[2].image, streets[3].image)


def test_ground_grows_farther_upwards(streets):
    for scene in streets:
        lowest = np.median(scene.depth[-3:])
        assert lowest < np.median(scene.depth[:48])
        assert lowest < 8


def test_streets_are_neither_flat_nor_dark(streets):
    for scene in streets:
        assert scene.image.std() > 20
        assert 40 < scene.image.mean() < 220


def test_plane_has_exact_depth():
    camera = Camera(64, (64.0, 64.0), 0.5, 1.5)
    canvas = Canvas(camera)
    grey = texture(np.full((SIDE, SIDE, 3), 100, np.uint8), 1.0, 1.0)
    canvas.draw_rectangle((-50, -50, 7.0), (100, 0, 0), (0, 100, 0), grey)
    np.testing.assert_allclose(canvas.depth, 7.0, rtol=1e-5)
    canvas.draw_rectangle((-50, 0, -50), (100, 0, 0), (0, 0, 100), grey)
    row = 63.5 - 32  # pixels below the horizon, of the lowest row
    np.testing.assert_allclose(canvas.depth[-1], 1.5 * 64 / row, rtol=1e-4)
    np.testing.assert_allclose(canvas.depth[0], 7.0, rtol=1e-5)


def test_projection_inverts_rays():
    camera = Camera(64, (50.0, 60.0), 0.4, 1.7, yaw=0.2, roll=0.05)
    points = camera.eye + 9.0 * camera.rays.astype(float)
    seen = camera.project(points)
    middle = np.arange(64) + 0.5
    np.testing.assert_allclose(seen[..., 0], np.tile(middle, (64, 1)), atol=1e-3)
    np.testing.assert_allclose(seen[..., 1], np.tile(middle[:, None], 64), atol=1e-3)
    np.testing.assert_allclose(seen[..., 2], 9.0, atol=1e-4)
    flat = Camera(64, (50.0, 60.0), 0.4, 1.7)
    assert flat.project(np.array([0.0, 1.7, 1e6]))[1] == pytest.approx(
        0.4 * 64, abs=0.1
    )


@pytest.mark.parametrize("seed", range(12))
def test_vehicle_is_a_trimmed_cutout(seed):
    vehicle = draw_vehicle(seed, size=96)
    assert vehicle.dtype == np.uint8 and vehicle.shape[2] == 4
    assert max(vehicle.shape[:2]) == 96
    alpha = vehicle[..., 3]
    for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]):
        assert edge.max() > 0
    assert (alpha > 250).mean() > 0.3
    assert ((alpha > 10) & (alpha < 245)).any()


def test_vehicle_is_the_same_for_the_same_seed_only():
    first = draw_vehicle(5, size=64)
    np.testing.assert_array_equal(first, draw_vehicle(5, size=64))
    assert not np.array_equal(first, draw_vehicle(6, size=64))


def test_scenes_do_not_depend_on_those_drawn_before():
    alone = draw_scene(7, size=64)
    for seed in range(5):
        draw_scene(seed, size=64)
    again = draw_scene(7, size=64)
    np.testing.assert_array_equal(alone.image, again.image)
    np.testing.assert_array_equal(alone.depth, again.depth)


def test_scenes_have_the_promised_range():
    for seed in range(10):
        scene = draw_scene(seed, size=48)
        assert scene.image.shape == (48, 48, 3) and scene.image.dtype == np.uint8
        assert scene.depth.dtype == np.float32
        assert scene.depth.min() >= 0.5 and scene.depth.max() <= 80


def test_pasted_cutout_is_nearer_than_what_it_covers():
    rng = np.random.default_rng(0)
    rgba = np.full((20, 30, 4), 255, np.uint8)
    sprite = Sprite(rgba, np.zeros((20, 30), np.float32), 1.5)
    for _ in range(20):
        canvas = Canvas(Camera(64, (64.0, 64.0), 0.5, 1.5))
        canvas.depth[:] = 20.0
        paste_cutout(canvas, sprite, rng)
        covered = canvas.depth < 20
        assert covered.any()
        assert canvas.depth[covered].max() <= 20 * 0.88


@pytest.mark.parametrize("seed", range(8))
def test_open_roads_get_farther_towards_their_horizon(seed):
    camera = Camera(96, (80.0, 80.0), 0.45, 1.6)
    canvas = paint_road(camera, np.random.default_rng(seed))
    assert np.isfinite(canvas.colour).all() and canvas.depth.min() > 0.25
    rows = np.median(np.minimum(canvas.depth, 80), 1)
    assert rows[95] < rows[70] < rows[48]
    near = 1.6 * 80 / (95.5 - 0.45 * 96)  # metres of flat ground in the lowest row
    assert rows[95] == pytest.approx(near, rel=0.05)


def test_cameras_look_down_from_poles_and_across_streets_too():
    rng = np.random.default_rng(0)
    cameras = [draw_camera(rng, 96, "road") for _ in range(400)]
    assert 20 < sum(camera.horizon < 0.2 for camera in cameras) < 120
    assert 40 < sum(abs(camera.yaw) > 0.5 for camera in cameras) < 150
    wide = [camera.focal[1] / camera.focal[0] for camera in cameras]
    assert max(wide) > 2.5 and min(wide) < 0.9
    inside = [draw_camera(rng, 96, "indoor") for _ in range(400)]
    assert 60 < sum(camera.horizon < 0.2 for camera in inside) < 240
