"""What can be had without learning: the rows that every result stands beside."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def best_threshold(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> int:
    """Threshold of background subtraction with the best mask IoU.

    A pixel is foreground where the largest difference of the two pictures over the
    colours is at least the threshold.

    Args:
      pairs: Batches of (difference, mask): float [N, H, W, 1], 0 to 255, and float
        [N, H, W, 1], 0 to 1.

    Returns:
      The threshold, 1 to 255; the lowest one of equals.
    """
    inside, outside = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for change, mask in pairs:
        levels = np.clip(np.rint(change), 0, 255).astype(np.int64)
        there = mask >= 0.5
        inside += np.bincount(levels[there], minlength=256)
        outside += np.bincount(levels[~there], minlength=256)
    hits = inside[::-1].cumsum()[::-1]  # at least the threshold, for each threshold
    alarms = outside[::-1].cumsum()[::-1]
    iou = hits / np.maximum(inside.sum() + alarms, 1)
    return 1 + int(np.argmax(iou[1:]))
