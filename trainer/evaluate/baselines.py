"""What can be had without learning: the rows that every result stands beside."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from keras import ops

from trainer import data
from trainer.errors import UserError


def subtraction(change, threshold):
    """Background subtraction.

    Args:
      change: float32 [N, H, W, 1], the largest difference of the two pictures over
        the colours, 0 to 255.
      threshold: The least difference of what is new.

    Returns:
      float32 [N, H, W, 1], 1 where something is new and 0 elsewhere.
    """
    return ops.cast(ops.round(change) >= threshold, "float32")


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


def mean_depth(builders, split: str, most: int = 4096) -> tuple[np.ndarray, np.ndarray]:
    """Mean depth of every pixel, over the examples that know it.

    Args:
      builders: The data set, or several, from `trainer.data`.
      split: Split to read.
      most: Examples read at most, the first ones of each data set alike.

    Returns:
      float32 [H, W] twice: the mean in metres, and the mean of the logarithm of
      metres. Pixels that are never known get the mean of all.

    Raises:
      UserError: If no pixel of the split has depth.
    """
    sums = 0
    builders = data.several(builders)
    examples = itertools.chain.from_iterable(
        itertools.islice(data.pictures(b, split, ("depth",)), most // len(builders))
        for b in builders
    )
    for example in examples:
        metres = example["depth"][..., 0].astype(np.float64) / 256
        known = metres > 0
        sums += np.stack([known, metres, np.log(np.where(known, metres, 1))])
    if not np.any(sums):
        raise UserError(
            f"no depth is known in split {split} of {data.full_name(builders)}; "
            "the data set was built with the teacher 'none'"
        )
    known = sums[0] > 0
    means = np.where(known, sums[1:] / np.maximum(sums[0], 1), 0)
    overall = sums[1:].sum((1, 2)) / sums[0].sum()
    metres, logs = np.where(known, means, overall[:, None, None]).astype(np.float32)
    return metres, logs
