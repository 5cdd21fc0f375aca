"""A time line that a person can read: when was something there, and how near."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Sequence

import matplotlib.figure
import matplotlib.ticker
import numpy as np

from trainer.files import write_atomically

BINS = 600  # at most twice as many are kept, whatever the length of a film
TICKS = (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 80, 120)  # metres


class Timeline:
    """Counts of objects and their distances, over a time of any length.

    Attributes:
      in_seconds: Whether times are seconds; else they are numbers of frames.
    """

    def __init__(self):
        """Begins with no time."""
        self.in_seconds = True
        # Time, frames, frames with an object, most objects in one, nearest, farthest.
        self._bins: list[list[float]] = []
        self._every = 1  # frames of a bin

    def add(self, time: float, distances: Sequence[float]) -> None:
        """Adds a frame.

        Args:
          time: Seconds, or its number; it grows.
          distances: Metres of each object.
        """
        near = min(distances, default=np.inf)
        far = max(distances, default=-np.inf)
        frame = [time, 1, bool(distances), len(distances), near, far]
        if self._bins and self._bins[-1][1] < self._every:
            self._bins[-1] = _merge(self._bins[-1], frame)
        else:
            self._bins.append(frame)
        if len(self._bins) > 2 * BINS:
            pairs = zip(self._bins[::2], self._bins[1::2], strict=False)
            last = self._bins[len(self._bins) // 2 * 2 :]
            self._bins = [_merge(*pair) for pair in pairs] + last
            self._every *= 2

    def draw(self, path: pathlib.Path) -> None:
        """Draws the time line as a PNG.

        Raises:
          UserError: If it cannot be written.
        """
        times, frames, busy, counts, near, far = np.array(self._bins, np.float64).T
        unit, label = _choose_unit(times[-1] - times[0], self.in_seconds)
        times = times / unit
        figure = matplotlib.figure.Figure(figsize=(10, 4.2), layout="constrained")
        top, bottom = figure.subplots(
            2, sharex=True, gridspec_kw={"height_ratios": [1, 2]}
        )
        top.fill_between(times, counts, step="post", color="#c0392b", linewidth=0)
        top.set_ylabel("objects")
        top.set_ylim(0, max(1, counts.max()) * 1.1)
        top.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
        there = counts > 0
        bottom.vlines(times[there], near[there], far[there], color="#e8b4ae", lw=1.5)
        bottom.plot(times[there], near[there], ".", color="#c0392b", ms=4)
        bottom.set_yscale("log")
        bottom.set_ylabel("distance, metres")
        bottom.set_xlabel(label)
        low, high = 1.0, 80.0
        if there.any():
            low, high = 0.8 * near[there].min(), 1.25 * far[there].max()
        bottom.set_ylim(high, low)  # what comes near rises
        ticks = [tick for tick in TICKS if low <= tick <= high]
        bottom.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        bottom.minorticks_off()
        for axis in (top, bottom):
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(axis="y", color="#dddddd", lw=0.6)
            axis.set_axisbelow(True)
        if len(times) > 1:
            bottom.set_xlim(times[0], times[-1])
        share = busy.sum() / frames.sum()
        top.set_title(
            f"something was there in {share:.0%} of the frames; dots: the nearest "
            "object, lines: to the farthest",
            loc="left",
            fontsize=10,
        )
        memory = io.BytesIO()
        figure.savefig(memory, dpi=110, format="png")
        write_atomically(path, memory.getvalue())


def _merge(first: list[float], second: list[float]) -> list[float]:
    return [
        first[0],
        first[1] + second[1],
        first[2] + second[2],
        max(first[3], second[3]),
        min(first[4], second[4]),
        max(first[5], second[5]),
    ]


def _choose_unit(length: float, in_seconds: bool) -> tuple[float, str]:
    if not in_seconds:
        return 1, "frame"
    if length > 3 * 3600:
        return 3600, "time, hours"
    if length > 300:
        return 60, "time, minutes"
    return 1, "time, seconds"
