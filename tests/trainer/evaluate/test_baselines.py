import numpy as np
import pytest

from trainer import data
from trainer.errors import UserError
from trainer.evaluate import baselines


def test_best_threshold_is_the_best_of_all():
    rng = np.random.default_rng(0)
    mask = (rng.uniform(size=(4, 16, 16, 1)) < 0.3).astype(np.float32)
    change = np.where(
        mask > 0, rng.normal(60, 30, mask.shape), rng.normal(10, 15, mask.shape)
    )
    change = np.clip(change, 0, 255).astype(np.float32)

    def iou(threshold):
        found, there = np.rint(change) >= threshold, mask >= 0.5
        return (found & there).sum() / (found | there).sum()

    best = baselines.best_threshold([(change[:2], mask[:2]), (change[2:], mask[2:])])
    assert iou(best) == max(iou(threshold) for threshold in range(1, 256))


def test_subtraction_finds_what_differs_by_the_threshold_in_whole_levels():
    change = np.array([0.0, 12.4, 12.5, 13.0, 200.0], np.float32).reshape(1, 1, 5, 1)
    found = np.asarray(baselines.subtraction(change, 13.0))
    assert found.ravel().tolist() == [0, 0, 0, 1, 1]  # 12.5 is rounded to 12


def test_an_empty_split_of_masks_still_gives_a_threshold():
    zeros = np.zeros((1, 4, 4, 1), np.float32)
    assert 1 <= baselines.best_threshold([(zeros, zeros)]) <= 255


@pytest.fixture(scope="module")
def builder(data_dir):
    return data.open_dataset("miniset/sample", data_dir)


def test_mean_depth_counts_known_pixels_only(builder):
    raw = np.stack([e["depth"] for e in data.pictures(builder, "train")])[..., 0] / 256
    metres, logs = baselines.mean_depth(builder, "train")
    assert metres.shape == logs.shape == (64, 64)
    np.testing.assert_allclose(metres[2:], raw[:, 2:].mean(0), rtol=1e-5)
    np.testing.assert_allclose(logs[2:], np.log(raw[:, 2:]).mean(0), rtol=1e-5)
    np.testing.assert_allclose(metres[:2], raw[raw > 0].mean(), rtol=1e-5)


def test_a_split_without_depth_is_told_plainly(builder):
    with pytest.raises(UserError, match="no depth is known in split"):
        baselines.mean_depth(builder, "train", most=0)
