import numpy as np
import pytest

from fgbg_tfds.compose import ground_depth

# A street: sky above row 40, then ground that comes nearer row by row.
ROWS = np.arange(100)
STREET = np.repeat(
    np.where(ROWS < 40, 80, 200 / np.maximum(ROWS - 37, 1))[:, None], 60, 1
)
STREET = STREET.astype(np.float32)


def mask(top, bottom, left=20, right=40, alpha=255):
    drawn = np.zeros((100, 60, 1), np.uint8)
    drawn[top:bottom, left:right] = alpha
    return drawn


def test_standing_object_takes_the_depth_under_its_foot():
    depth = ground_depth.compute_object_depth(STREET, mask(50, 90))
    assert depth == pytest.approx(np.median(STREET[88:90]))


def test_object_changes_nothing_but_its_own_pixels():
    seen = mask(50, 90)
    seen[45:50] = 127
    depth = ground_depth.compute_composite_depth(STREET, seen)
    inside = seen[..., 0] >= 128
    assert depth.dtype == np.float32
    assert (depth[~inside] == STREET[~inside]).all()
    assert len(np.unique(depth[inside])) <= 2


@pytest.mark.parametrize(("top", "bottom"), [(0, 20), (30, 45), (50, 90), (95, 100)])
def test_object_is_nowhere_farther_than_what_it_hides(top, bottom):
    depth = ground_depth.compute_composite_depth(STREET, mask(top, bottom))
    assert (depth <= STREET).all()


def test_floating_object_stands_out_from_the_wall_behind_it():
    wall = np.full((100, 60), 10, np.float32)
    depth = ground_depth.compute_composite_depth(wall, mask(20, 50))
    assert depth[30, 30] == pytest.approx(9)
    assert depth[60, 30] == 10


def test_mask_that_never_reaches_half_changes_nothing():
    assert (
        ground_depth.compute_composite_depth(STREET, mask(50, 90, alpha=100)) == STREET
    ).all()
