import numpy as np

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

    best = baselines.find_best_threshold(
        [(change[:2], mask[:2]), (change[2:], mask[2:])]
    )
    assert iou(best) == max(iou(threshold) for threshold in range(1, 256))


def test_subtraction_finds_what_differs_by_the_threshold_in_whole_levels():
    change = np.array([0.0, 12.4, 12.5, 13.0, 200.0], np.float32).reshape(1, 1, 5, 1)
    found = np.asarray(baselines.subtract(change, 13.0))
    assert found.ravel().tolist() == [0, 0, 0, 1, 1]  # 12.5 is rounded to 12


def test_an_empty_split_of_masks_still_gives_a_threshold():
    zeros = np.zeros((1, 4, 4, 1), np.float32)
    assert 1 <= baselines.find_best_threshold([(zeros, zeros)]) <= 255
