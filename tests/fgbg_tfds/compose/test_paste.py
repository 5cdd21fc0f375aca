import numpy as np
import pytest

from fgbg_tfds.compose import find_box, pictures
from fgbg_tfds.compose.paste import place_and_paste
from fgbg_tfds.compose.recipe import Placement, Recipe


def square(alpha=255, colour=(200, 100, 0), side=20):
    return np.full((side, side, 4), (*colour, alpha), np.uint8)


GROUND = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)


def test_background_stays_where_the_mask_is_zero(picture_folder):
    foregrounds = pictures.read_foregrounds(picture_folder / "foregrounds", 128)[:12]
    backgrounds = pictures.read_backgrounds(picture_folder / "backgrounds", 128)[:12]
    recipe = Recipe(
        tuple(p.name for p in foregrounds), tuple(p.name for p in backgrounds)
    )
    for composite in list(recipe.iterate())[::29]:
        background = backgrounds[composite.background].pixels
        pasted = place_and_paste(
            background,
            foregrounds[composite.foreground].pixels,
            recipe.find_placement(composite),
            composite.flipped,
        )
        assert pasted.fgbg.dtype == pasted.mask.dtype == np.uint8
        assert pasted.mask.shape == (128, 128, 1)
        outside = pasted.mask[..., 0] == 0
        assert (pasted.fgbg[outside] == background[outside]).all()
        ymin, xmin, ymax, xmax = find_box(pasted.mask)
        assert 0 <= ymin < ymax <= 1 and 0 <= xmin < xmax <= 1


def test_opaque_pixels_are_the_cutouts_and_half_ones_the_mean():
    placement = Placement(scale=0.2, left=0.5, top=0.25)
    opaque = place_and_paste(GROUND, square(), placement, flipped=False)
    assert (opaque.mask[20:40, 40:60] == 255).all() and opaque.mask.sum() == 400 * 255
    assert (opaque.fgbg[20:40, 40:60] == (200, 100, 0)).all()
    half = place_and_paste(GROUND, square(alpha=128), placement, flipped=False)
    expected = (np.array((200, 100, 0)) * 128 + GROUND[20:40, 40:60] * 127.0) / 255
    assert np.abs(half.fgbg[20:40, 40:60] - expected).max() <= 0.5


def test_background_is_not_written_to():
    before = GROUND.copy()
    place_and_paste(GROUND, square(), Placement(0.5, 0, 0), flipped=True)
    assert (before == GROUND).all()


@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("top", [0, 1])
def test_foreground_reaches_every_edge_and_never_crosses_it(left, top):
    mask = place_and_paste(GROUND, square(), Placement(0.3, left, top), False).mask
    assert find_box(mask) == pytest.approx(
        (0.7 * top, 0.7 * left, 0.7 * top + 0.3, 0.7 * left + 0.3)
    )


def test_flipping_mirrors_the_foreground_in_place():
    cutout = square(side=40)
    cutout[:, 20:] = (0, 0, 255, 255)
    cutout[:, :5, 3] = 0
    placement = Placement(0.4, 0.3, 0.6)
    plain = place_and_paste(GROUND, cutout, placement, flipped=False)
    flipped = place_and_paste(GROUND, cutout, placement, flipped=True)
    rows, columns = slice(36, 76), slice(18, 58)
    assert (flipped.mask[rows, columns] == plain.mask[rows, columns][:, ::-1]).all()
    seen = plain.mask[rows, columns][:, ::-1, 0] == 255
    there, mirrored = flipped.fgbg[rows, columns], plain.fgbg[rows, columns][:, ::-1]
    assert (there[seen] == mirrored[seen]).all()


def test_box_is_of_the_half_covered_pixels():
    mask = np.zeros((10, 20, 1), np.uint8)
    assert find_box(mask) == (0, 0, 0, 0)
    mask[2:5, 4:8] = 128
    mask[0] = 127
    assert find_box(mask) == (0.2, 0.2, 0.5, 0.4)
