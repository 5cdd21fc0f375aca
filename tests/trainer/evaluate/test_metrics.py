import numpy as np
import pytest
from depth_cases import CASES

from trainer.evaluate import metrics


def maps(values):
    return np.array(values, np.float32)[..., None]


def arrays(sums):
    return {name: np.asarray(value) for name, value in sums.items()}


def test_mask_metrics_by_hand():
    predicted = maps([[[0.9, 0.5, 0.6, 0.4], [0.1, 0.7, 0.0, 0.2]]])
    mask = maps([[[1.0, 1.0, 0.2, 0.8], [0.0, 0.9, 0.0, 1.0]]])
    # hits 3 (0.9, 0.5, 0.7), false alarm 1 (0.6), misses 2 (0.4, 0.2)
    result = metrics.compute_mask_metrics(
        arrays(metrics.sum_mask_pixels(predicted, mask))
    )
    assert result == pytest.approx(
        {
            "mask_iou": 3 / 6,
            "mask_precision": 3 / 4,
            "mask_recall": 3 / 5,
            "mask_f": 2 / 3,
        }
    )


def test_mask_metrics_of_nothing_found_where_nothing_is():
    sums = arrays(
        metrics.sum_mask_pixels(np.zeros((2, 4, 4, 1)), np.zeros((2, 4, 4, 1)))
    )
    assert set(metrics.compute_mask_metrics(sums).values()) == {1.0}


def boundary(mask):
    """Pixel by pixel: any of three neighbours is on the other side."""
    height, width = mask.shape
    return {
        (y, x)
        for y in range(height)
        for x in range(width)
        for down, right in ((0, 1), (1, 0), (1, 1))
        if mask[y, x] != mask[min(y + down, height - 1), min(x + right, width - 1)]
    }


def part_met(these, those):
    met = [any(np.hypot(y - v, x - u) <= 2 for v, u in those) for y, x in these]
    return np.mean(met) if met else 0.0


def blobs(rng, number, size=24):
    """Rectangles, and specks of noise around them."""
    masks = rng.uniform(size=(number, size, size)) < 0.02
    for mask in masks:
        top, left = rng.integers(0, size - 8, 2)
        mask[top : top + rng.integers(3, 9), left : left + rng.integers(3, 9)] = True
    return masks


def test_boundary_f_is_that_of_every_pixel_compared_with_every_other():
    rng = np.random.default_rng(0)
    true = blobs(rng, 12)
    found = true ^ (rng.uniform(size=true.shape) < 0.01)
    found[6:] = np.roll(true[6:], (2, 1), (1, 2))
    found[8:] = blobs(rng, 4)
    expected = []
    for predicted, mask in zip(found, true, strict=True):
        one, other = boundary(predicted), boundary(mask)
        precision, recall = part_met(one, other), part_met(other, one)
        expected.append(2 * precision * recall / max(precision + recall, 1e-9))
    sums = arrays(
        metrics.sum_boundary_pixels(found[..., None] * 0.9, true[..., None] * 0.8)
    )
    result = metrics.compute_boundary_metrics(sums)
    assert 0.2 < np.mean(expected) < 0.95
    assert result["mask_boundary_f"] == pytest.approx(np.mean(expected), abs=1e-6)
    rate = (found & ~true).sum() / (~true).sum()
    assert result["mask_false_positive_rate"] == pytest.approx(rate)


def test_a_boundary_may_be_two_pixels_off_and_no_more():
    mask = np.zeros((1, 32, 32, 1), np.float32)
    mask[:, 8:20, 8:20] = 1
    figures = [
        metrics.compute_boundary_metrics(
            arrays(metrics.sum_boundary_pixels(np.roll(mask, (off, 0), (1, 2)), mask))
        )["mask_boundary_f"]
        for off in (0, 2, 3)
    ]
    assert figures[:2] == [1.0, 1.0]
    assert figures[2] < 0.8


def test_boundary_f_of_nothing_and_of_one_side_alone():
    nothing, something = np.zeros((1, 8, 8, 1)), np.zeros((1, 8, 8, 1))
    something[:, 2:5, 2:5] = 1

    def f(predicted, mask):
        return metrics.compute_boundary_metrics(
            arrays(metrics.sum_boundary_pixels(predicted, mask))
        )

    assert f(nothing, nothing) == {
        "mask_boundary_f": 1.0,
        "mask_false_positive_rate": 0.0,
    }
    assert f(something, nothing) == {
        "mask_boundary_f": 0.0,
        "mask_false_positive_rate": 9 / 64,
    }
    assert f(nothing, something)["mask_boundary_f"] == 0.0
    # The frame of the picture is no boundary.
    everything = np.ones((1, 8, 8, 1))
    assert f(everything, everything)["mask_boundary_f"] == 1.0


def as_picture(values):
    return np.array(values, np.float32).reshape(1, 1, -1, 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_figures_are_those_worked_out_by_hand(case):
    sums = metrics.sum_depth_errors(as_picture(case.predicted), as_picture(case.true))
    found = metrics.compute_depth_metrics(arrays(sums))
    for name, figure in case.figures.items():
        # SILog of float32 is the root of a rounding error where it should be 0.
        tolerance = 2e-2 if name == "silog" else 1e-6
        expected = pytest.approx(figure, rel=1e-5, abs=tolerance)
        assert found[f"depth_{name}"] == expected, name


def test_silog_is_averaged_over_pictures_and_ignores_their_scales():
    true = np.array([[1.0, 4.0], [2.0, 8.0]], np.float32).reshape(2, 1, 2, 1)
    predicted = true * np.array([3.0, 0.5], np.float32).reshape(2, 1, 1, 1)
    result = metrics.compute_depth_metrics(
        arrays(metrics.sum_depth_errors(predicted, true))
    )
    assert result["depth_silog"] == pytest.approx(0, abs=1e-3)
    assert result["depth_rmse_log"] > 0.5


def test_figures_do_not_depend_on_the_batches():
    rng = np.random.default_rng(0)
    true = rng.uniform(-5, 60, (7, 6, 6, 1)).clip(0).astype(np.float32)
    guess = rng.uniform(1, 60, (7, 6, 6, 1)).astype(np.float32)
    whole = arrays(metrics.sum_depth_errors(guess, true))
    halves = [
        arrays(metrics.sum_depth_errors(guess[s], true[s]))
        for s in (slice(3), slice(3, 7))
    ]
    joined = {name: np.concatenate([half[name] for half in halves]) for name in whole}
    assert metrics.compute_depth_metrics(joined) == metrics.compute_depth_metrics(whole)


def test_depth_metrics_of_no_depth_are_not_a_number():
    sums = arrays(
        metrics.sum_depth_errors(np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1)))
    )
    assert np.isnan(list(metrics.compute_depth_metrics(sums).values())).all()
