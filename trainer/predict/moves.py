"""Noticing that a camera was moved.

A moved camera no longer sees the scene's edges, though it sees its own, and they stand
still. One that was knocked a little sees all of them in another place.
"""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import PIL.Image
import scipy.ndimage

from trainer.predict.steadying import find_shifts

SMALL = 120  # rows of the pictures that edges are compared in
SEEN, STEADY = (
    0.25,
    0.6,
)  # correlation of edges: lost those of the scene; a still camera
LOOKS = 5  # in a row
LEAST_SHIFT = 3.0  # pixels of frames; the network makes up for less


@dataclasses.dataclass(frozen=True)
class Move:
    """A camera that was moved.

    Attributes:
      shift: float [2], rows and columns by which the scene has to be moved; None if it
        is lost from sight, or covered.
      view: uint8 [H, W, 3], what is seen since; the median of the last looks.
    """

    shift: np.ndarray | None
    view: np.ndarray

    def __str__(self) -> str:
        if self.shift is None:
            return "the camera was moved, or something covers the scene"
        rows, columns = self.shift
        return f"the camera was moved by {rows:.0f} rows and {columns:.0f} columns"


class MoveFinder:
    """Looks at a frame now and then."""

    def __init__(self):
        """Begins with no look."""
        self._frames: collections.deque[np.ndarray] = collections.deque(maxlen=LOOKS)
        self._shifts: collections.deque[np.ndarray] = collections.deque(maxlen=LOOKS)
        self._lost = 0

    def __call__(self, background: np.ndarray, frame: np.ndarray) -> Move | None:
        """Looks at a frame, about a second after the one before.

        Args:
          background: uint8 [H, W, 3], the empty scene.
          frame: uint8 [H, W, 3].

        Returns:
          The move, if the last few looks agree that there was one.
        """
        self._frames.append(frame.copy())
        scene, seen, before = (
            _shrink(each) for each in (background, frame, self._frames[0])
        )
        edges = [_find_edges(each) for each in (scene, seen, before)]
        lost = _correlate(edges[0], edges[1]) < SEEN
        steady = _correlate(edges[1], edges[2]) > STEADY
        self._lost = self._lost + 1 if lost and steady else 0
        if self._lost >= LOOKS:
            return self._tell(None)
        scale = frame.shape[0] / seen.shape[0]
        self._shifts.append(-scale * find_shifts(seen[None], scene)[0])
        shifts = np.array(self._shifts)
        middle = np.median(shifts, 0)
        if (
            len(shifts) == LOOKS
            and np.hypot(*middle) >= LEAST_SHIFT
            and np.abs(shifts - middle).max() <= LEAST_SHIFT / 2
        ):
            return self._tell(middle)
        return None

    def _tell(self, shift: np.ndarray | None) -> Move:
        view = np.median(self._frames, 0).astype(np.uint8)
        self._lost = 0
        self._shifts.clear()
        return Move(shift, view)


def _shrink(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    scale = min(1.0, SMALL / min(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    image = PIL.Image.fromarray(picture)
    return np.asarray(image.resize(size, PIL.Image.Resampling.BOX))


def _find_edges(picture: np.ndarray) -> np.ndarray:
    grey = picture.astype(np.float32).mean(-1)
    edges = scipy.ndimage.gaussian_gradient_magnitude(grey, 1.0)
    return np.sqrt(np.asarray(edges))  # strong edges are not all there is


def _correlate(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first - first.mean(), second - second.mean()
    length = np.linalg.norm(first) * np.linalg.norm(second)
    return float((first * second).sum() / length) if length else 1.0
