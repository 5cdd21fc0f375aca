"""Background subtraction, the baseline of every mask."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from keras import ops

from trainer.contract import PROBABILITY_THRESHOLD


def subtract(change, threshold):
    """Finds what is new by background subtraction.

    Args:
      change: float32 [N, H, W, 1], the maximum over the colours of the difference of
        the two pictures, 0 to 255.
      threshold: The minimum difference of new pixels.

    Returns:
      float32 [N, H, W, 1], 1 where something is new and 0 elsewhere.
    """
    return ops.cast(ops.round(change) >= threshold, "float32")


def find_best_threshold(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> int:
    """Finds the threshold of background subtraction with the best mask IoU.

    Args:
      pairs: Batches of (change, mask): float [N, H, W, 1], 0 to 255, and float
        [N, H, W, 1], 0 to 1; see `subtract`.

    Returns:
      The threshold, 1 to 255; the lowest one of equals.
    """
    inside, outside = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for change, mask in pairs:
        levels = np.clip(np.rint(change), 0, 255).astype(np.int64)
        foreground = mask >= PROBABILITY_THRESHOLD
        inside += np.bincount(levels[foreground], minlength=256)
        outside += np.bincount(levels[~foreground], minlength=256)
    # Pixels at or above each threshold.
    hits = inside[::-1].cumsum()[::-1]
    false_alarms = outside[::-1].cumsum()[::-1]
    iou = hits / np.maximum(inside.sum() + false_alarms, 1)
    return 1 + int(np.argmax(iou[1:]))
