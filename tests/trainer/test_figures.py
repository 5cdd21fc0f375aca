import io

import numpy as np
import PIL.Image

from trainer import figures


def test_depth_colours_are_the_same_in_every_picture_and_darker_farther_off():
    metres = np.array([0.0, 0.5, 1.0, 5.0, 20.0, 80.0, 200.0], np.float32)
    row = figures.colour_depth(metres[None, :, None])
    assert row.dtype == np.uint8
    assert row.shape == (1, 7, 3)
    shade = row[0].astype(int).sum(-1)
    assert shade[0] == 0  # unknown
    assert shade[1] == shade[2] > shade[3] > shade[4] > shade[5] == shade[6] > 0
    alone = figures.colour_depth(np.full((2, 3, 3, 1), 5.0))
    np.testing.assert_array_equal(alone, np.broadcast_to(row[0, 3], (2, 3, 3, 3)))


def test_an_overlay_tints_what_is_new_and_leaves_the_rest():
    frame = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    mask = np.zeros((60, 80, 1), np.float32)
    mask[20:40, 30:50] = 1
    seen = figures.draw_overlay(frame, mask)
    assert seen.dtype == np.uint8
    line = np.zeros((60, 80), bool)
    line[19:41, 29:51] = True
    inside = mask[..., 0] > 0
    line &= ~inside
    np.testing.assert_array_equal(seen[~inside & ~line], frame[~inside & ~line])
    assert (seen[line] == figures.NEW).all()
    half = 0.55 * frame[inside] + 0.45 * np.array(figures.NEW)
    assert np.abs(seen[inside] - half).max() <= 1


def test_an_overlay_of_nothing_is_the_frame():
    frame = np.full((8, 8, 3), 100, np.uint8)
    seen = figures.draw_overlay(frame, np.zeros((8, 8, 1), np.float32))
    np.testing.assert_array_equal(seen, frame)


def test_predictions_have_a_row_for_every_example():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
    masks = rng.uniform(size=(3, 16, 16, 1))
    depths = rng.uniform(1, 60, (3, 16, 16, 1))
    sizes = []
    for number in (1, 3):
        drawn = figures.draw_predictions(
            *(values[:number] for values in (pictures, pictures, masks, masks)),
            *(values[:number] for values in (depths, depths)),
        )
        with PIL.Image.open(io.BytesIO(drawn)) as picture:
            assert picture.format == "PNG"
            sizes.append(picture.size)
    assert sizes[0][0] == sizes[1][0]
    assert sizes[1][1] > 2 * sizes[0][1]
