import numpy as np
import pytest

from fgbg_tfds.procedural import cut_swatches, draw_scene
from fgbg_tfds.procedural.swatches import Dressing
from fgbg_tfds.procedural.textures import surface


@pytest.fixture(scope="module")
def swatches():
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (90, 120, 3), dtype=np.uint8) for _ in range(3)]
    whole = np.full((40, 60, 4), 200, np.uint8)
    thin = np.full((40, 3, 4), 255, np.uint8)
    unseen = np.zeros((40, 60, 4), np.uint8)
    return cut_swatches(photos, [whole, thin, unseen])


def test_cutouts_that_show_nothing_are_left_out(swatches):
    assert len(swatches.surfaces) == 12
    (cutout,) = swatches.cutouts
    assert cutout.rgba.shape == (40, 60, 4)


def test_pieces_tile_without_a_seam(swatches):
    tile = swatches.surfaces[0].texels[: 256 * 256].reshape(256, 256, 3)
    np.testing.assert_array_equal(tile[0], tile[-1])
    np.testing.assert_array_equal(tile[:, 0], tile[:, -1])


def test_a_surface_looks_the_same_wherever_it_is_met_again(swatches):
    dressing = Dressing(swatches.surfaces, np.random.default_rng(1))
    walls = [surface("brick", seed) for seed in range(12)]
    dressed = [dressing.dress(wall) for wall in walls]
    assert any(new.grain for new in dressed)
    for wall, new in zip(walls, dressed, strict=True):
        assert dressing.dress(wall) is new


def test_dressing_keeps_the_mean_colour(swatches):
    wall = surface("plain", 1)
    dressing = Dressing(swatches.surfaces, np.random.default_rng(2))
    place = np.random.default_rng(0).uniform(0, 30, (2, 20000)).astype(np.float32)
    fine = np.full(20000, 1e-3, np.float32)
    before, after = (each.sample(*place, fine) for each in (wall, dressing.dress(wall)))
    assert after.std() > 3 * before.std()
    np.testing.assert_allclose(after.mean(0), before.mean(0), atol=6)


def test_a_dressed_scene_is_a_function_of_its_seed(swatches):
    for seed in range(6):
        plain = draw_scene(seed, 64, pasted=0.0)
        dressed = draw_scene(seed, 64, pasted=0.0, swatches=swatches)
        assert not np.array_equal(plain.image, dressed.image)
        again = draw_scene(seed, 64, pasted=0.0, swatches=swatches)
        np.testing.assert_array_equal(dressed.image, again.image)
        np.testing.assert_array_equal(dressed.depth, again.depth)
