"""An empty scene that keeps up with the day.

Light is followed at once, over the whole picture. What is not new is followed slowly.
What stays long enough becomes scene: for every place its look is kept, and for how long
it has been there, as in the codebooks of K. Kim et al. 2005, Real-time
foreground-background segmentation, https://doi.org/10.1016/j.rti.2004.12.004; so does
the place from which something of the scene was taken away. A camera that was moved
begins a new scene.
"""

from __future__ import annotations

import logging

import numpy as np
import scipy.ndimage

from trainer.predict.looks import apply_light, fit_light
from trainer.predict.moves import MoveFinder
from trainer.predict.regions import grow, label_regions
from trainer.predict.steadying import shift_frame

LOG = logging.getLogger("trainer")

FOLLOWED = 30.0  # seconds in which a change of what is not new is followed
MARGIN = 1 / 40  # of the shorter side: around what is new, the scene is not touched
ALIKE = 12.0  # grey levels: a place looks as it did
FORGOTTEN = 2.0  # seconds of age that a second of another look costs
LEAST_AREA = 0.0003  # of the picture that a settled region has
COARSE = 4  # of so many pixels in each direction, one tells the light


class RunningScene:
    """The empty scene of a camera, from frame to frame.

    Attributes:
      changes: How often places of it became another, or all of it.
      moved_at: Seconds of each time at which the camera was moved.
    """

    def __init__(self, background: np.ndarray, settle: float):
        """Begins with a scene.

        Args:
          background: uint8 [H, W, 3].
          settle: Seconds after which what stays becomes scene.
        """
        self._scene = background.astype(np.float32)
        self._settle = settle
        self._look = background.copy()
        self._age = np.zeros(background.shape[:2], np.float32)
        self._last: float | None = None
        self._find_move = MoveFinder()
        self.changes = 0
        self.moved_at: list[float] = []

    @property
    def background(self) -> np.ndarray:
        """The scene, uint8 [H, W, 3]."""
        return np.clip(np.rint(self._scene), 0, 255).astype(np.uint8)

    def update(self, frame: np.ndarray, mask: np.ndarray, seconds: float) -> None:
        """Keeps up with a frame, about a second after the one before.

        Args:
          frame: uint8 [H, W, 3].
          mask: float [H, W, 1], 0 to 1: what was new in it.
          seconds: Its time.
        """
        passed = 1.0 if self._last is None else seconds - self._last
        self._last = seconds
        new = grow(mask[..., 0] >= 0.5, max(2, round(MARGIN * min(frame.shape[:2]))))
        move = self._find_move(self.background, frame)
        if move:
            LOG.warning("second %.0f: %s; the scene goes with it", seconds, move)
            scene = move.view
            if move.shift is not None:
                scene = shift_frame(self.background, move.shift)
            self._begin(scene, seconds)
            return
        self._follow_light(frame, new)
        share = 1 - np.exp(-passed / FOLLOWED)
        self._scene[~new] += share * (frame[~new] - self._scene[~new])
        self._settle_down(frame, new, passed)

    def _follow_light(self, frame: np.ndarray, new: np.ndarray) -> None:
        calm = ~new[::COARSE, ::COARSE]
        if calm.sum() < calm.size / 10:
            return
        before = self.background
        seen, scene = (p[::COARSE, ::COARSE][calm][None] for p in (frame, before))
        light = fit_light(scene[None], seen)[0]
        if (light != np.arange(256, dtype=np.uint8)[:, None]).any():
            # Only what the light has changed: roundings would add up.
            self._scene += apply_light(before, light).astype(np.float32) - before
            self._look = apply_light(self._look, light)

    def _settle_down(self, frame: np.ndarray, new: np.ndarray, passed: float) -> None:
        change = np.abs(frame.astype(np.int16) - self._look).max(-1).astype(np.float32)
        alike = new & (scipy.ndimage.uniform_filter(change, 3) < ALIKE)
        self._age[alike] += passed
        self._age[~alike] -= np.where(new[~alike], FORGOTTEN, 1.0) * passed
        other = self._age <= 0
        np.maximum(self._age, 0, out=self._age)
        self._look[other] = frame[other]
        settled = self._age >= self._settle
        labels, number = label_regions(scipy.ndimage.binary_opening(settled))
        if not number:
            return
        sizes = np.bincount(labels.ravel())
        large = sizes >= LEAST_AREA * settled.size
        large[0] = False
        if not large.any():
            return
        inside = grow(large[labels], 3) & (self._age >= self._settle / 2)
        self._scene[inside] = self._look[inside]
        self._age[inside] = 0
        self.changes += 1
        LOG.info(
            "second %.0f: %.1f %% of the picture has stayed and is scene now",
            self._last,
            100 * inside.mean(),
        )

    def _begin(self, scene: np.ndarray, seconds: float) -> None:
        self._scene = scene.astype(np.float32)
        self._look = self.background
        self._age[:] = 0
        self.changes += 1
        self.moved_at.append(seconds)
