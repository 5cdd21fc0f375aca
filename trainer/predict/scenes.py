"""The empty scene of a command: given in a file or a folder, or found in its frames."""

from __future__ import annotations

import logging
import pathlib

import numpy as np

from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.picture_files import read_picture
from trainer.predict.answers import encode_picture
from trainer.predict.background import Scene, find_scene
from trainer.predict.frames import PictureFrames, VideoFrames
from trainer.predict.predictor import Predictor
from trainer.predict.spread import Spread

LOG = logging.getLogger("trainer")

FEWEST_FRAMES = 3  # with fewer, one of them would be compared with itself
MAX_BYTES = 200_000_000  # of the frames that a scene is found in
BACKGROUND = "background.png"
SURENESS = "background_sureness.png"
BOUNDS = ("background_low.png", "background_high.png")


def find_given(pictures: PictureFrames, number: int, predictor: Predictor) -> Scene:
    """Finds the scene that pictures show which are all of it, and empty.

    Args:
      pictures: The pictures.
      number: Of these, so many are used at most.
      predictor: Its depth is asked.

    Raises:
      UserError: If none can be read.
    """
    chosen = _sample(pictures, number)
    if not chosen:
        raise UserError(f"none of the pictures beside {pictures.paths[0]} can be read")
    LOG.info("the background comes from %d empty pictures", len(chosen))
    return find_scene(chosen, _make_estimator(predictor), empty=True)


def find_behind(
    frames: PictureFrames | VideoFrames, number: int, predictor: Predictor
) -> Scene:
    """Finds the empty scene behind what passes and stands in frames.

    Args:
      frames: The frames.
      number: Of these, so many are used at most, evenly spread.
      predictor: Its depth is asked.

    Raises:
      UserError: If there are too few.
    """
    LOG.info("no --background: finding the empty scene in the frames")
    chosen = _sample(frames, number)
    if len(chosen) < FEWEST_FRAMES:
        raise UserError(
            f"--background is missing: {len(chosen)} frame(s) do not show what is "
            "behind them; give a picture of the empty scene, or at least "
            f"{FEWEST_FRAMES} frames"
        )
    scene = find_scene(chosen, _make_estimator(predictor))
    LOG.info(
        "found in %d frames; a tenth of it is seen in fewer than %.0f %% of them",
        len(chosen),
        np.percentile(scene.sureness, 10) / 2.55,
    )
    return scene


def write_scene(folder: pathlib.Path, scene: Scene) -> None:
    """Writes background.png, its sureness, and the bounds of what moves by itself.

    Raises:
      UserError: If a file cannot be written.
    """
    pictures = {SURENESS: scene.sureness}
    if scene.spread.restless.any():
        bounds = (scene.spread.low, scene.spread.high)
        pictures |= dict(zip(BOUNDS, bounds, strict=True))
    pictures[BACKGROUND] = scene.background  # last: with it, all are there
    for name, picture in pictures.items():
        write_atomically(folder / name, encode_picture(picture, ".png"))


def read_scene(folder: pathlib.Path) -> tuple[np.ndarray, Spread | None]:
    """Reads the background that `write_scene` has written, and what moves.

    Raises:
      UserError: If a file cannot be read.
    """
    background = read_picture(folder / BACKGROUND)
    if not all((folder / name).exists() for name in BOUNDS):
        return background, None
    low, high = (read_picture(folder / name) for name in BOUNDS)
    return background, Spread(low, high)


def _sample(frames: PictureFrames | VideoFrames, number: int) -> list[np.ndarray]:
    height, width = frames.sizes[0]
    number = max(FEWEST_FRAMES, min(number, MAX_BYTES // (3 * height * width)))
    chosen = frames.sample(number)
    places = np.linspace(0, len(chosen) - 1, min(number, len(chosen)))
    return [chosen[place] for place in places.astype(int)]


def _make_estimator(predictor: Predictor):
    """Makes an estimator of the depth of a picture in which nothing is new."""
    return lambda picture: np.maximum(predictor(picture, picture)[1][..., 0], 1e-3)
