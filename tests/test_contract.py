"""Both packages write down the data contract; they have to agree."""

import numpy as np
import pytest

from fgbg_tfds import contract as written
from trainer import contract as read


def test_both_packages_have_the_same_pictures():
    assert written.PICTURES == read.FEATURES


@pytest.mark.parametrize(
    "name", ["DEPTH_UNITS", "MAX_DEPTH", "MAX_ALPHA", "MASK_THRESHOLD"]
)
def test_both_packages_have_the_same_numbers(name):
    assert getattr(written, name) == getattr(read, name)


def test_the_thresholds_of_stored_and_read_masks_choose_the_same_pixels():
    stored = np.arange(read.MAX_ALPHA + 1)
    np.testing.assert_array_equal(
        stored >= read.MASK_THRESHOLD,
        stored / read.MAX_ALPHA >= read.PROBABILITY_THRESHOLD,
    )


def test_the_farthest_depth_can_be_stored():
    assert np.iinfo(np.uint16).max >= read.MAX_DEPTH * read.DEPTH_UNITS
