"""Looking at frames before their empty scene, which may keep up with the day."""

from __future__ import annotations

import logging
import pathlib

import numpy as np

from trainer.files import write_atomically
from trainer.predict.answers import encode_picture
from trainer.predict.calibration import Calibration
from trainer.predict.frames import Frame
from trainer.predict.moves import Move, MoveFinder
from trainer.predict.running import RunningScene
from trainer.predict.scenes import BACKGROUND
from trainer.predict.shadow_removal import ShadowRemoval
from trainer.predict.shrinking import ShrinkingPredictor
from trainer.predict.spread import Spread
from trainer.predict.still_depth import StillDepth
from trainer.predict.watching import Watcher

LOG = logging.getLogger("trainer")

INTERVAL = 1.0  # seconds between two looks at whether the scene is still there
SAVED_EVERY = 60.0  # seconds, of a scene that keeps up
USUAL_RATE = 25  # frames a second of pictures that do not say


class Observer:
    """Answers for the frames of a camera in their order."""

    def __init__(
        self,
        predictor: ShrinkingPredictor,
        background: np.ndarray,
        spread: Spread | None,
        whole_every: int = 1,
        running: RunningScene | None = None,
        folder: pathlib.Path | None = None,
        shadows: ShadowRemoval | None = None,
    ):
        """Takes a network and the empty scene.

        Args:
          predictor: The network.
          background: uint8 [H, W, 3].
          spread: What moves by itself.
          whole_every: Number of frames of which the first is looked at whole.
          running: Keeps the scene up with the day, if it shall.
          folder: Gets a scene that keeps up, and what is learned of shadows.
          shadows: Takes hard shadows off the masks, if they shall not be new.
        """
        self._predictor, self._background, self._spread = predictor, background, spread
        self._running, self._folder, self._shadows = running, folder, shadows
        self._watcher = Watcher(self._look, whole_every)
        self._still = StillDepth(self._estimate_depth)
        self._calibration: Calibration | None = None
        self._find_move = MoveFinder()
        self._looked = self._saved = -np.inf
        self._changes = self._number = 0
        self._move: Move | None = None

    @property
    def background(self) -> np.ndarray:
        """The empty scene as it is now, uint8 [H, W, 3]."""
        return self._background

    @property
    def scene_depth(self) -> np.ndarray:
        """The network's depth of the empty scene, before calibration, [H, W]."""
        return self._still.scene[..., 0]

    @property
    def move(self) -> Move | None:
        """How the camera was moved, if that was noticed at the last frame."""
        return self._move

    def calibrate(self, calibration: Calibration) -> None:
        """Brings depth to metres from now on."""
        self._calibration = calibration

    def __call__(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """Answers for the next frame.

        Returns:
          float32 [H, W, 1] twice: the mask in 0 to 1 and the depth in metres.

        Raises:
          UserError: If the network cannot take the frame, or a scene that keeps up
            cannot be written.
        """
        mask, depth = self._watcher(frame.pixels)
        if self._spread:
            mask = self._spread.calm(mask, frame.pixels)
        self._keep_up(frame, mask)
        if self._shadows:
            mask = self._shadows(mask, frame.pixels, self._background)
        depth = self._still(mask, depth)
        if self._calibration:
            depth = self._calibration.apply(depth)
        return mask, depth

    def find_new(self, pixels: np.ndarray) -> np.ndarray:
        """Finds what is new in a frame by itself, whole; shadows stay in.

        Args:
          pixels: uint8 [H, W, 3].

        Returns:
          float32 [H, W, 1], 0 to 1.
        """
        mask, _ = self._look((slice(None), slice(None)), pixels)
        return self._spread.calm(mask, pixels) if self._spread else mask

    def save(self) -> None:
        """Writes a scene that keeps up, and the colour of shadows, for the next time.

        Raises:
          UserError: If it cannot be written.
        """
        if self._running and self._folder:
            picture = encode_picture(self._background, ".png")
            write_atomically(self._folder / BACKGROUND, picture)
        if self._shadows and self._shadows.learning and self._folder:
            self._shadows.save(self._folder)

    def _estimate_depth(self) -> np.ndarray:
        return self._predictor(self._background, self._background)[1]

    def _look(self, window, pixels: np.ndarray):
        amount = self._spread.amount[window] if self._spread else None
        return self._predictor(self._background[window], pixels[window], amount)

    def _keep_up(self, frame: Frame, mask: np.ndarray) -> None:
        seconds = frame.seconds
        if seconds is None:
            seconds = self._number / USUAL_RATE
        self._number += 1
        if seconds - self._looked < INTERVAL:
            return
        self._looked = seconds
        if self._shadows and self._shadows.learning:
            self._shadows.look(mask, frame.pixels, self._background)
        if self._running is None:
            self._move = self._find_move(self._background, frame.pixels)
            if self._move:
                LOG.warning(
                    "frame %s: %s; give another --background", frame.name, self._move
                )
            return
        self._running.update(frame.pixels, mask, seconds)
        self._background = self._running.background
        if self._running.changes != self._changes:
            self._changes = self._running.changes
            self._still.forget()
            if self._running.moved_at:
                self._spread = None  # it was of another view
        if seconds - self._saved >= SAVED_EVERY:
            self._saved = seconds
            self.save()
