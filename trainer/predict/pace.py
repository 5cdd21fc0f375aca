"""Which frames of a camera are wanted, where it shows more than can be used."""

from __future__ import annotations

import math


class Pace:
    """Which frames of many are wanted: every few, and no more in a second than some."""

    def __init__(self, stride: int = 1, max_fps: float | None = None):
        """Takes both limits.

        Args:
          stride: Number of frames of which one is wanted.
          max_fps: Frames a second, at most; any number if None.
        """
        self._stride, self._step = stride, 1 / max_fps if max_fps else 0.0
        self.begin()

    def begin(self) -> None:
        """Begins anew, with the first frame."""
        self._number, self._due = 0, -math.inf

    def wants(self, seconds: float) -> bool:
        """Tells whether the next frame is wanted.

        Args:
          seconds: Its time.
        """
        wanted = self._number % self._stride == 0 and seconds >= self._due
        self._number += 1
        if wanted and self._step:
            # A frame that is a little late does not make the later ones late.
            near = seconds < self._due + self._step
            self._due = (self._due if near else seconds) + self._step
        return wanted
