"""The identity of objects over the frames of a fixed camera.

Boxes of one frame are assigned to those of the frames before by their overlap, each
moved on as it went, and enlarged first, so that what is small and quick still meets
itself: the buffered IoU of F. Yang et al. 2023, Hard To Track Objects With Irregular
Motions and Similar Appearances, https://arxiv.org/abs/2211.14317. Trackers that also
compare looks need a detector's crops and bring libraries larger than this one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.optimize

from trainer.predict.objects import Object

BUFFER = 0.3  # of a box's width and height, added at each side
LEAST_OVERLAP = 0.05  # IoU of enlarged boxes
PATIENCE = 10  # frames that an object may be out of sight
STEADY = 0.5  # of a velocity is kept when the next one is measured


@dataclasses.dataclass
class _Track:
    identity: int
    box: np.ndarray  # left, top, right, bottom
    velocity: np.ndarray
    missing: int = 0


class Tracker:
    """Gives objects numbers that stay the same from frame to frame."""

    def __init__(self):
        """Begins with no object seen."""
        self._tracks: list[_Track] = []
        self._given = 0

    def __call__(self, objects: Sequence[Object]) -> list[Object]:
        """Numbers the objects of the next frame.

        Args:
          objects: As `find_objects` gives them.

        Returns:
          The same, with their identities, 1, 2, 3, …
        """
        boxes = np.array([_find_corners(each) for each in objects]).reshape(-1, 4)
        expected = [track.box + track.velocity for track in self._tracks]
        overlap = _compute_overlap(np.array(expected).reshape(-1, 4), boxes)
        rows, columns = scipy.optimize.linear_sum_assignment(overlap, maximize=True)
        met: dict[int, _Track] = {}
        for row, column in zip(rows, columns, strict=True):
            if overlap[row, column] >= LEAST_OVERLAP:
                met[int(column)] = self._tracks[row]
        for track in self._tracks:
            track.missing += 1
            track.box = track.box + track.velocity
        for index, box in enumerate(boxes):
            if index in met:
                self._move(met[index], box)
            else:
                self._given += 1
                met[index] = _Track(self._given, box, np.zeros(4))
                self._tracks.append(met[index])
        self._tracks = [each for each in self._tracks if each.missing <= PATIENCE]
        return [
            dataclasses.replace(each, identity=met[index].identity)
            for index, each in enumerate(objects)
        ]

    def _move(self, track: _Track, box: np.ndarray) -> None:
        # The box was moved on by its velocity already; sides move alike.
        step = (box - track.box).reshape(2, 2).mean(0).repeat(2).reshape(2, 2).T.ravel()
        track.velocity = track.velocity + (1 - STEADY) * step / track.missing
        track.box, track.missing = box, 0


def _find_corners(each: Object) -> tuple[int, int, int, int]:
    left, top, width, height = each.box
    return left, top, left + width, top + height


def _compute_overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Computes the IoU of enlarged boxes, [M, 4] and [N, 4] to [M, N]."""
    first, second = _enlarge(first)[:, None], _enlarge(second)[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    both = np.prod(np.maximum(high - low, 0), -1)
    areas = [np.prod(b[..., 2:] - b[..., :2], -1) for b in (first, second)]
    return both / (areas[0] + areas[1] - both)


def _enlarge(boxes: np.ndarray) -> np.ndarray:
    margin = BUFFER * (boxes[:, 2:] - boxes[:, :2])
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], 1)
