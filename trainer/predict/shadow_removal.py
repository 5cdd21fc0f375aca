"""Hard shadows taken off the masks, once their colour is known from what passed."""

from __future__ import annotations

import dataclasses
import json
import logging
import pathlib
from collections.abc import Callable

import numpy as np
import PIL.Image
import tqdm

from trainer.errors import UserError, summarise
from trainer.files import write_atomically
from trainer.predict.answers import round_answer
from trainer.predict.live import AnyFrames, LiveFrames
from trainer.predict.objects import Object, find_objects
from trainer.predict.shadows import ShadowFinder, find_shadow

LOG = logging.getLogger("trainer")

SHADOWS = "shadows.json"
SAMPLED = 40  # frames of a film that shadows are looked for in
ONE_IN = 5  # of the frames, at most
FEWEST_SAMPLED = 8
ROWS = 256  # of the pictures that they are looked for in
STANDING = 2  # pixels that a box moves by, of what stands
LOOKS = 60  # between two searches of a camera that is live


class ShadowRemoval:
    """Takes hard shadows off masks, and learns their colour from frames.

    Attributes:
      ratio: float [3], as `ShadowFinder` finds it; None where there are none.
      learning: Whether it goes on learning, since the sun moves.
      finder: Finds the colour.
    """

    def __init__(self, ratio: np.ndarray | None = None, learning: bool = False):
        """Begins with the shadows' colour, or with none; see the attributes."""
        self.ratio, self.learning = ratio, learning
        self.finder = ShadowFinder()
        self._last: list[Object] = []
        self._looks = self._things = 0

    def __call__(
        self, mask: np.ndarray, frame: np.ndarray, scene: np.ndarray
    ) -> np.ndarray:
        """Takes the shadows off a mask.

        Args:
          mask: float [H, W, 1], 0 to 1.
          frame: uint8 [H, W, 3].
          scene: uint8 [H, W, 3], empty.

        Returns:
          The mask, 0 where a hard shadow is.
        """
        if self.ratio is None:
            return mask
        # The network, too, sees no finer than `ROWS`.
        step = _choose_step(frame)
        small, frame, scene = (_reduce(p, step) for p in (mask, frame, scene))
        shaded = np.zeros(small.shape[:2], bool)
        for each in find_objects(round_answer(small, np.ones_like(small))):
            window = each.window
            shaded[window] |= find_shadow(
                frame[window], scene[window], each.inside, self.ratio
            )
        height, width = mask.shape[:2]
        shaded = shaded.repeat(step, 0)[:height].repeat(step, 1)[:, :width]
        return np.where(shaded[..., None], np.float32(0), mask)

    def look(self, mask: np.ndarray, frame: np.ndarray, scene: np.ndarray) -> None:
        """Looks at a frame for shadows; for the arguments see `__call__`."""
        step = _choose_step(frame)
        mask, frame, scene = (_reduce(p, step) for p in (mask, frame, scene))
        answer = round_answer(mask, np.ones_like(mask))
        self._last = [self._number(each) for each in find_objects(answer)]
        self.finder.add(frame, scene, self._last)
        self._looks += 1
        if self._looks % LOOKS == 0:
            self.learn()

    def _number(self, thing: Object) -> Object:
        """Numbers a thing anew, unless it stands since the last look.

        Looks are seconds apart: what moved on cannot be told from what came.
        """
        for other in self._last:
            if np.abs(np.subtract(thing.box, other.box)).max() <= STANDING:
                return dataclasses.replace(thing, identity=other.identity)
        self._things += 1
        return dataclasses.replace(thing, identity=self._things)

    def learn(self) -> None:
        """Learns the shadows' colour from the frames that were looked at."""
        ratio = self.finder.find_ratio()
        if ratio is not None and self.ratio is None:
            LOG.info(
                "hard shadows, %.0f %% as bright as the ground, are not new",
                100 * np.exp(ratio.mean()),
            )
        self.ratio = ratio

    def save(self, folder: pathlib.Path) -> None:
        """Keeps the colour beside the answers.

        Raises:
          UserError: If it cannot be written.
        """
        light = None if self.ratio is None else np.exp(self.ratio).round(4).tolist()
        write_atomically(folder / SHADOWS, json.dumps({"light": light}) + "\n")


def open_shadows(
    folder: pathlib.Path,
    frames: AnyFrames,
    look: Callable[[np.ndarray], np.ndarray],
    scene: np.ndarray,
) -> ShadowRemoval:
    """Opens the colour of shadows: what was found before, or is found in the frames.

    Args:
      folder: Folder of all answers, which gets it.
      frames: The frames; a live camera's is learned as they come.
      look: A frame, uint8 [H, W, 3], to its mask, float [H, W, 1].
      scene: uint8 [H, W, 3], empty.

    Raises:
      UserError: If its file is damaged, or cannot be written.
    """
    live = isinstance(frames, LiveFrames)
    if (folder / SHADOWS).exists():
        return ShadowRemoval(_read_ratio(folder / SHADOWS), live)
    removal = ShadowRemoval(None, live)
    if live:
        return removal
    number = min(SAMPLED, frames.number // ONE_IN) if frames.number else SAMPLED
    if number >= FEWEST_SAMPLED:
        chosen = frames.sample(number)
        for frame in tqdm.tqdm(chosen, "shadows", unit="frame", dynamic_ncols=True):
            removal.look(look(frame), frame, scene)
        removal.learn()
        removal.save(folder)
    return removal


def _read_ratio(path: pathlib.Path) -> np.ndarray | None:
    try:
        light = json.loads(path.read_text("utf-8"))["light"]
        if light is None:
            return None
        ratio = np.log(np.array(light, np.float64))
        if ratio.shape != (3,) or not np.isfinite(ratio).all():
            raise ValueError(f"light is {light}, and has to be three positive numbers")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read ({summarise(error)}); remove it, and shadows are "
            "looked for anew"
        ) from error
    return ratio


def _choose_step(frame: np.ndarray) -> int:
    return max(1, round(len(frame) / ROWS))


def _reduce(picture: np.ndarray, step: int) -> np.ndarray:
    """Means squares of pixels, of uint8 [H, W, 3] or float [H, W, 1]."""
    if step == 1:
        return picture
    if picture.shape[-1] == 3:
        return np.asarray(PIL.Image.fromarray(picture).reduce(step))
    plane = PIL.Image.fromarray(picture[..., 0].astype(np.float32))
    return np.asarray(plane.reduce(step))[..., None]
