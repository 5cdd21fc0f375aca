import numpy as np

from trainer import baselines


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


def test_an_empty_split_of_masks_still_gives_a_threshold():
    zeros = np.zeros((1, 4, 4, 1), np.float32)
    assert 1 <= baselines.best_threshold([(zeros, zeros)]) <= 255
