import numpy as np
import pytest
from PIL import Image

from fgbg_tfds.depth.embedded.photos import compose_photos, load_swatches
from fgbg_tfds.errors import InputError


def test_composites_hold_their_photo_where_the_cutout_is_not(drawn_folders):
    made = compose_photos(drawn_folders, count=6, size=64)
    assert made.empty.shape == made.pasted.shape == (6, 64, 64, 3)
    beside = made.alpha == 0
    np.testing.assert_array_equal(made.empty[beside], made.pasted[beside])
    covered = made.alpha > 250
    assert all(0.01 < part < 0.5 for part in covered.mean((1, 2)))
    assert np.any(made.empty[covered] != made.pasted[covered])


def test_composites_are_a_function_of_their_seed(drawn_folders):
    first, again, other = (
        compose_photos(drawn_folders, 3, 48, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.pasted, again.pasted)
    assert not np.array_equal(first.pasted, other.pasted)


def test_cutouts_that_all_are_too_small_are_told(tmp_path):
    for name, side in (("foregrounds", 12), ("backgrounds", 3)):
        (tmp_path / name).mkdir()
        opaque = np.full((side, side, 4), 255, np.uint8)
        Image.fromarray(opaque).save(tmp_path / name / "a.png")
    with pytest.raises(InputError, match="foregrounds holds no cut-out of 20 pixels"):
        load_swatches(tmp_path)


def test_a_folder_without_photos_is_told(tmp_path):
    with pytest.raises(InputError, match="foregrounds"):
        load_swatches(tmp_path)
