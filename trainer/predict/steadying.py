"""Frames of a camera that shakes, brought to the place of one of them."""

from __future__ import annotations

import numpy as np
import scipy.ndimage

MAX_SHIFT = 0.05  # of the shorter side; farther is no shaking
LEAST_SHIFT = 0.25  # pixels; resampling would cost more than it brings
NEAR = 8.0  # grey levels: pixels that agree
GAIN = 0.95  # of those that agree in their new place, at most so many may before


def find_shifts(frames: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Finds how far frames are shifted, whatever passes in them.

    By phase correlation, C. D. Kuglin and D. C. Hines 1975, with a parabola through the
    peak.

    Args:
      frames: uint8 [N, h, w, 3].
      reference: uint8 [h, w, 3], one of them.

    Returns:
      float [N, 2]: rows and columns to move each by; 0 where that makes it no more like
      the reference.
    """
    wanted = _transform(reference)
    shifts = np.zeros((len(frames), 2))
    for index, frame in enumerate(frames):
        shift = _correlate(wanted, _transform(frame))
        if np.abs(shift).max() > MAX_SHIFT * min(frame.shape[:2]):
            continue
        if np.hypot(*shift) < LEAST_SHIFT:
            continue
        before, after = (
            _count_near(picture, reference)
            for picture in (frame, shift_frame(frame, shift))
        )
        if before < GAIN * after:
            shifts[index] = shift
    return shifts


def shift_frame(frame: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Moves a frame, uint8 [H, W, 3], by rows and columns; its margin is repeated."""
    if not shift.any():
        return frame
    moved = scipy.ndimage.shift(
        frame.astype(np.float32), (*shift, 0), order=1, mode="nearest"
    )
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


def _transform(picture: np.ndarray) -> np.ndarray:
    grey = picture.mean(-1)
    fine = grey - scipy.ndimage.gaussian_filter(grey, 4)
    windows = [np.hanning(side) for side in grey.shape]
    return np.fft.rfft2(fine * windows[0][:, None] * windows[1])


def _correlate(wanted: np.ndarray, given: np.ndarray) -> np.ndarray:
    product = wanted * given.conj()
    peaks = np.fft.irfft2(product / (np.abs(product) + 1e-9))
    peaks = np.asarray(scipy.ndimage.gaussian_filter(peaks, 0.7, mode="wrap"))
    top = np.unravel_index(int(peaks.argmax()), peaks.shape)
    shift = []
    for axis, (place, side) in enumerate(zip(top, peaks.shape, strict=True)):
        line = np.take(peaks, top[1 - axis], axis=1 - axis)
        left, middle, right = line[[place - 1, place, (place + 1) % side]]
        bend = left - 2 * middle + right
        place = place + (0.5 * (left - right) / bend if bend else 0.0)
        shift.append((place + side / 2) % side - side / 2)
    return np.array(shift)


def _count_near(picture: np.ndarray, reference: np.ndarray) -> float:
    change = np.abs(picture.astype(np.int16) - reference).max(-1)
    return float((change < NEAR).mean())
