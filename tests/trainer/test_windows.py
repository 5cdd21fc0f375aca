import numpy as np
import pytest
import scipy.ndimage

from trainer import windows


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((2, 13, 18, 3), np.float32)


@pytest.mark.parametrize("window", [3, 5, 7, 9])
def test_minima_and_maxima_of_squares(pictures, window):
    for find, same in (
        (windows.find_least, scipy.ndimage.minimum_filter),
        (windows.find_greatest, scipy.ndimage.maximum_filter),
    ):
        expected = same(pictures, (1, window, window, 1), mode="nearest")
        np.testing.assert_array_equal(find(pictures, window), expected)


@pytest.mark.parametrize("window", [3, 5, 7, 9, 11])
def test_means_of_squares_and_at_the_margin_of_what_is_inside(pictures, window):
    size = (1, window, window, 1)
    sums, numbers = (
        scipy.ndimage.uniform_filter(each.astype(float), size, mode="constant")
        for each in (pictures, np.ones_like(pictures))
    )
    found = windows.compute_mean(pictures, window)
    np.testing.assert_allclose(found, sums / numbers, rtol=1e-5)
