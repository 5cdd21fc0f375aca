"""Objects: the connected regions of what is new, their boxes and distances."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.ndimage

from trainer.contract import DEPTH_UNITS, MAX_ALPHA, PROBABILITY_THRESHOLD
from trainer.predict.answers import Answer
from trainer.predict.regions import grow, label_regions

BRIDGED = 1 / 120  # of the shorter side: gaps that do not part an object
LOWER_PART = 1 / 3  # of its rows, which stand on the ground
MIN_SHARE = 0.0005  # of the picture's pixels; smaller regions are left out


@dataclasses.dataclass(frozen=True)
class Object:
    """One connected region of what is new.

    Attributes:
      box: Left, top, width and height, pixels.
      inside: bool [height, width], its pixels within the box.
      share: Its part of the picture's pixels, 0 to 1.
      centre: Column and row of the mean of its pixels.
      distance: Median depth of its lower third, metres.
      score: Mean of the mask over its pixels, from the threshold to 1.
      identity: Its number, the same over frames; 0 before it is tracked.
    """

    box: tuple[int, int, int, int]
    inside: np.ndarray
    share: float
    centre: tuple[float, float]
    distance: float
    score: float
    identity: int = 0

    @property
    def area(self) -> int:
        """Number of its pixels."""
        return int(self.inside.sum())

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of its box."""
        left, top, width, height = self.box
        return slice(top, top + height), slice(left, left + width)


def find_objects(
    answer: Answer,
    min_area: int | None = None,
    threshold: float = PROBABILITY_THRESHOLD,
) -> list[Object]:
    """Finds the objects of a frame, the largest first.

    Args:
      answer: Mask and depth of the frame.
      min_area: Pixels that an object has at least; None for `MIN_SHARE` of the
        picture.
      threshold: Probability from which on a pixel is new.
    """
    new = answer.mask >= threshold * MAX_ALPHA
    least = max(1, MIN_SHARE * new.size) if min_area is None else min_area
    if new.sum() < least:
        return []
    labels, _ = label_regions(grow(new, max(1, round(BRIDGED * min(new.shape)))))
    labels[~new] = 0
    found = []
    for label, window in enumerate(scipy.ndimage.find_objects(labels), 1):
        if window is None:
            continue
        inside = labels[window] == label
        if inside.sum() >= least:
            found.append(_measure(answer, window, inside))
    return sorted(found, key=lambda each: -each.area)


def _measure(answer: Answer, window: tuple[slice, slice], inside: np.ndarray) -> Object:
    rows, columns = np.nonzero(inside)
    top, left = window[0].start, window[1].start
    height, width = inside.shape
    lower = rows >= height - max(1, round(LOWER_PART * height))
    depth = answer.depth[window][rows[lower], columns[lower]]
    return Object(
        box=(left, top, width, height),
        inside=inside,
        share=inside.sum() / answer.mask.size,
        centre=(left + float(columns.mean()), top + float(rows.mean())),
        distance=float(np.median(depth)) / DEPTH_UNITS,
        score=float(answer.mask[window][inside].mean()) / MAX_ALPHA,
    )
