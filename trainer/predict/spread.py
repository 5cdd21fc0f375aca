"""How much an empty scene varies by itself: leaves, waves, flicker."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import scipy.ndimage

from trainer.predict.regions import grow, label_regions, measure_distance

CHANGE = 20  # grey levels: less is noise
MARGIN = 8  # grey levels beyond the range that was seen
REACH = 1 / 60  # of the shorter side: as far as leaves are tossed
LEAST_REACH = 3  # pixels
OFTEN = 0.3  # share of the frames in which a restless place moves
WIDEST = 2  # times that reach, from the border of a region to its middle
QUIET = 0.6  # share of a region that the scene's own motion has to explain
FOUND = 0.25  # of the mask; regions are cut out to their soft edges


@dataclasses.dataclass(frozen=True)
class Spread:
    """The colours that each restless place of an empty scene takes.

    Attributes:
      low: uint8 [H, W, 3], the darkest.
      high: uint8 [H, W, 3], the brightest; the same where the scene is calm.
    """

    low: np.ndarray
    high: np.ndarray

    @functools.cached_property
    def restless(self) -> np.ndarray:
        """Where the scene moves by itself, bool [H, W]."""
        return np.any(self.high > self.low, axis=-1)

    @functools.cached_property
    def amount(self) -> np.ndarray:
        """Grey levels that each pixel varies by, uint8 [H, W, 1]; 0 where calm."""
        return (self.high - self.low).max(-1, keepdims=True)

    def calm(self, mask: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Takes out of a mask the regions that the scene's own motion explains.

        Args:
          mask: float [H, W, 1], 0 to 1.
          frame: uint8 [H, W, 3].

        Returns:
          float [H, W, 1]; regions are left whole or taken out whole.
        """
        values = frame.astype(np.int16)
        inside = (values >= self.low.astype(np.int16) - MARGIN).all(-1)
        inside &= (values <= self.high.astype(np.int16) + MARGIN).all(-1)
        labels, number = label_regions(mask[..., 0] > FOUND)
        if not number:
            return mask
        explained = inside & self.restless
        sizes = np.bincount(labels.ravel(), minlength=number + 1)
        quiet = np.bincount(labels.ravel(), explained.ravel(), number + 1)
        taken_out = quiet >= QUIET * sizes
        taken_out[0] = False
        if taken_out.any():
            # What is wide is no leaf, though its colours may be those of the tree.
            inside_by = measure_distance(taken_out[labels])
            wide = np.unique(labels[inside_by > WIDEST * find_reach(mask.shape)])
            taken_out[wide] = False
        return np.where(taken_out[labels][..., None], 0, mask)


def find_reach(size: tuple[int, ...]) -> int:
    """Finds how far leaves are tossed in pictures of a height and width, pixels."""
    return max(LEAST_REACH, round(REACH * min(size[:2])))


def find_spread(frames: Sequence[np.ndarray], background: np.ndarray) -> Spread:
    """Finds how an empty scene moves, in frames in which things pass.

    What moves by itself changes from frame to frame, and shows the colours of the scene
    close by; what passes has its own, and what stands does not change.

    Args:
      frames: uint8 [H, W, 3], in their order, under the light of the background.
      background: uint8 [H, W, 3], the empty scene.
    """
    side = 2 * find_reach(background.shape) + 1
    size = (side, side, 1)
    darkest = scipy.ndimage.minimum_filter(background, size).astype(np.int16) - MARGIN
    brightest = scipy.ndimage.maximum_filter(background, size).astype(np.int16) + MARGIN
    low, high = background.copy(), background.copy()
    moved = np.zeros(background.shape[:2], np.float32)
    before = background
    for frame in frames:
        change = np.abs(frame.astype(np.int16) - before).max(-1)
        own = np.all((frame >= darkest) & (frame <= brightest), axis=-1)
        own &= ~_find_passing(frame, background)
        moved += own & (change > CHANGE)
        before = frame
        seen = np.where(own[..., None], frame, background)
        np.minimum(low, seen, out=low)
        np.maximum(high, seen, out=high)
    moved = scipy.ndimage.uniform_filter(moved / len(frames), 5)
    return _keep_restless(low, high, background, moved >= OFTEN)


def _find_passing(frame: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Finds what passes: it differs throughout, and is wider than leaves."""
    change = np.abs(frame.astype(np.int16) - background).max(-1)
    changed = (
        scipy.ndimage.uniform_filter((change > CHANGE).astype(np.float32), 3) > 0.5
    )
    inside_by = measure_distance(changed)
    least = WIDEST * find_reach(frame.shape)
    if not (inside_by > least).any():
        return np.zeros(changed.shape, bool)
    away = np.asarray(scipy.ndimage.distance_transform_edt(inside_by <= least))
    return away < 2 * least


def measure_spread(empty: Sequence[np.ndarray]) -> Spread:
    """Measures how an empty scene varies over pictures of it.

    Args:
      empty: uint8 [H, W, 3], under one light.
    """
    low, high = empty[0].copy(), empty[0].copy()
    for picture in empty:
        np.minimum(low, picture, out=low)
        np.maximum(high, picture, out=high)
    varied = (high.astype(np.int16) - low).max(-1) > CHANGE
    return _keep_restless(low, high, empty[0], grow(varied))


def _keep_restless(low, high, calm: np.ndarray, restless: np.ndarray) -> Spread:
    low, high = (np.where(restless[..., None], each, calm) for each in (low, high))
    return Spread(low, high)
