"""The mean depth of a split: the baseline of depth, and where training starts from."""

from __future__ import annotations

import itertools

import numpy as np

from trainer.contract import DEPTH_UNITS
from trainer.data.mixture import Mixture
from trainer.errors import UserError


def average_depth(mixture: Mixture, limit: int = 4096) -> tuple[np.ndarray, np.ndarray]:
    """Averages the depth of every pixel over the examples where it is known.

    Args:
      mixture: Data sets and split.
      limit: Maximum number of examples, the first ones of each data set alike.

    Returns:
      float32 [H, W] twice: the mean in metres, and the mean of the logarithm of
      metres. Pixels that are never known get the mean of all pixels.

    Raises:
      UserError: If no pixel of the split has depth.
    """
    sums = np.zeros((3, 1, 1))
    each = limit // len(mixture.builders)
    examples = itertools.chain.from_iterable(
        itertools.islice(mixture.only(builder).read_pictures(("depth",)), each)
        for builder in mixture
    )
    for example in examples:
        metres = example["depth"][..., 0].astype(np.float64) / DEPTH_UNITS
        known = metres > 0
        sums = sums + np.stack([known, metres, np.log(np.where(known, metres, 1))])
    if not np.any(sums):
        raise UserError(
            f"no depth is known in split {mixture.split} of {mixture.full_name}; "
            "the data set was built with the teacher 'none'"
        )
    known = sums[0] > 0
    means = np.where(known, sums[1:] / np.maximum(sums[0], 1), 0)
    overall = sums[1:].sum((1, 2)) / sums[0].sum()
    metres, logs = np.where(known, means, overall[:, None, None]).astype(np.float32)
    return metres, logs
