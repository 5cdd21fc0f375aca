"""The looks that each place of a scene has had: which frames are alike there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.ndimage

CELL = 2  # pixels: the side of a place
TOLERANCE = 12.0  # grey levels, besides noise: frames are alike within it
ALIKE = 0.2  # a likeness from here on is the same look
NEAR = 6.0  # grey levels: colours that agree
GAIN = 0.9  # of those that agree under a new light, at most so many may before
GAINS = (0.6, 1.6)
_FITS = 4  # reweighted fits of a frame's light


@dataclasses.dataclass(frozen=True)
class Looks:
    """Frames, and their likeness to each other at each place.

    Attributes:
      frames: uint8 [N, h, w, 3], under one light.
      likeness: uint8 [N, N, h / 2, w / 2]: 255 where two frames are alike in the pixels
        around a place.
      noise: Difference of frames that show the same, grey levels.
    """

    frames: np.ndarray
    likeness: np.ndarray
    noise: float

    @property
    def shares(self) -> np.ndarray:
        """Share of the frames that are like each frame, float32 [N, h / 2, w / 2]."""
        number = len(self.frames)
        return self.likeness.sum(1, dtype=np.float32) / (255 * number)

    def choose(self, chosen: np.ndarray) -> np.ndarray:
        """Finds the frames that are like one frame, another one at each place.

        Args:
          chosen: int [h / 2, w / 2], a frame for each place.

        Returns:
          float32 [N, h / 2, w / 2], 0 to 1.
        """
        found = np.take_along_axis(self.likeness, chosen[None, None], 0)[0]
        return found.astype(np.float32) / 255


def compare(frames: np.ndarray) -> Looks:
    """Compares frames of one light with each other at each place.

    Args:
      frames: uint8 [N, h, w, 3]; h and w are even.
    """
    number, height, width, _ = frames.shape
    values = frames.astype(np.int16)
    cells = (height // CELL, width // CELL)
    distances = np.zeros((number, number, *cells), np.float16)
    for index in range(1, number):
        change = np.abs(values[:index] - values[index]).max(-1)
        change = change.reshape(index, cells[0], CELL, cells[1], CELL)
        mean = change.mean((2, 4), dtype=np.float32)
        mean = scipy.ndimage.uniform_filter1d(mean, 3, 1, mode="nearest")
        mean = scipy.ndimage.uniform_filter1d(mean, 3, 2, mode="nearest")
        distances[index, :index] = distances[:index, index] = mean
    noise = _find_noise(distances)
    likeness = np.empty(distances.shape, np.uint8)
    for index in range(number):
        change = np.maximum(distances[index].astype(np.float32) - noise, 0)
        likeness[index] = np.rint(255 * np.exp(-((change / TOLERANCE) ** 2) / 2))
    return Looks(frames, likeness, noise)


def _find_noise(distances: np.ndarray) -> float:
    """Finds how much frames of the same look differ: where some other one is near."""
    if len(distances) == 1:
        return 0.0
    nearest = [
        np.delete(row, index, 0).min(0) for index, row in enumerate(distances[:20])
    ]
    return float(np.quantile(nearest, 0.1))


def fit_light(frames: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Fits the light of frames to that of one picture, whatever passes in them.

    Args:
      frames: uint8 [N, h, w, 3].
      reference: uint8 [h, w, 3], such as one of them.

    Returns:
      Tables of colours, uint8 [N, 256, 3]: values of a frame to values under the light
      of the reference, by a robust line for each colour.
    """
    levels = np.arange(256, dtype=np.float32)
    wanted = reference.astype(np.float32).reshape(-1, 3)
    tables = np.empty((len(frames), 256, 3), np.uint8)
    for index, frame in enumerate(frames):
        given = frame.astype(np.float32).reshape(-1, 3)
        for colour in range(3):
            gain, offset = _fit_line(given[:, colour], wanted[:, colour])
            line = np.clip(np.rint(gain * levels + offset), 0, 255)
            tables[index, :, colour] = line
    return tables


def apply_light(frame: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Puts a frame, uint8 [..., 3], under another light; see `fit_light`."""
    return np.stack([table[frame[..., c], c] for c in range(3)], -1)


def take_median(frames: Sequence[np.ndarray], counted: np.ndarray) -> np.ndarray:
    """Takes the median over the frames that count at each place.

    Args:
      frames: uint8 [H, W, 3], N of them.
      counted: bool [N, h, w], of places evenly spread over the frames; one at least
        everywhere.

    Returns:
      uint8 [H, W, 3].
    """
    height, width, _ = frames[0].shape
    rows = np.arange(height) * counted.shape[1] // height
    columns = np.arange(width) * counted.shape[2] // width
    middle = (counted.sum(0, dtype=np.int32) - 1) // 2
    result = np.empty_like(frames[0])
    for row, cells in enumerate(rows):  # a stack of all rows would be a copy of all
        used = counted[:, cells, columns]
        values = np.stack([frame[row] for frame in frames])
        values[~used] = 255  # sorted behind all others
        values.sort(0)
        place = middle[cells, columns][None, :, None]
        result[row] = np.take_along_axis(values, place, 0)[0]
    return result


def _fit_line(given: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Fits a line to most of the values, by iteratively reweighted least squares."""
    gain, offset = 1.0, 0.0
    for _ in range(_FITS):
        error = np.abs(wanted - gain * given - offset)
        weight = 1 / (1 + (error / (2 * np.median(error) + 1)) ** 2) ** 2
        total = weight.sum()
        means = (weight * given).sum() / total, (weight * wanted).sum() / total
        spread = (weight * (given - means[0]) ** 2).sum() + total  # towards gain 1
        both = (weight * (given - means[0]) * (wanted - means[1])).sum() + total
        gain = float(np.clip(both / spread, *GAINS))
        offset = float(means[1] - gain * means[0])
    near = [
        (np.abs(wanted - g * given - o) < NEAR).mean()
        for g, o in ((gain, offset), (1.0, 0.0))
    ]
    fits = near[0] > max(0.5, near[1] / GAIN)
    return (gain, offset) if fits else (1.0, 0.0)
