"""The empty scene of a command: given in a file or a folder, or found in its frames."""

from __future__ import annotations

import logging
import pathlib
from collections.abc import Callable

import numpy as np

from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.picture_files import read_picture
from trainer.predict.answers import encode_picture
from trainer.predict.background import Scene, find_scene
from trainer.predict.frames import PictureFrames
from trainer.predict.live import AnyFrames
from trainer.predict.predictor import Predictor
from trainer.predict.spread import Spread

LOG = logging.getLogger("trainer")

SCENE_FRAMES = 60  # that a scene is found in, if nothing else is said
FEWEST_FRAMES = 3  # with fewer, one of them would be compared with itself
MAX_BYTES = 200_000_000  # of the frames that a scene is found in
BACKGROUND = "background.png"
SURENESS = "background_sureness.png"
BOUNDS = ("background_low.png", "background_high.png")


def open_scene(
    folder: pathlib.Path | None,
    empty: PictureFrames | None,
    frames: AnyFrames,
    number: int,
    predictor: Predictor,
) -> tuple[np.ndarray, Spread | None]:
    """Opens the empty scene: that which is given, or was found before, or is found now.

    Args:
      folder: Folder of all answers; gets a scene that is found. None to keep no files.
      empty: Pictures of the empty scene, if they are given.
      frames: The frames.
      number: Number of pictures or frames to find the scene in, at most.
      predictor: Its depth is asked.

    Returns:
      The background, uint8 [H, W, 3], and what moves by itself.

    Raises:
      UserError: If there are too few frames, or a file cannot be read or written.
    """
    if empty and empty.number == 1:
        return read_picture(empty.paths[0]), None
    if folder is None or not (folder / BACKGROUND).exists():
        if empty:
            scene = _find_in_empty(empty, number, predictor)
        else:
            scene = _find_behind(frames, number, predictor)
        if folder is None:
            return scene.background, scene.spread
        _write_scene(folder, scene)
    LOG.info("the background is %s", folder / BACKGROUND)
    return _read_scene(folder)


def _find_in_empty(pictures: PictureFrames, number: int, predictor: Predictor) -> Scene:
    chosen = _sample(pictures, number)
    if not chosen:
        raise UserError(f"none of the pictures beside {pictures.paths[0]} can be read")
    LOG.info("finding the background in %d empty pictures", len(chosen))
    return find_scene(chosen, make_estimator(predictor), empty=True)


def _find_behind(frames: AnyFrames, number: int, predictor: Predictor) -> Scene:
    LOG.info("no --background: finding the empty scene in the frames")
    chosen = _sample(frames, number)
    if len(chosen) < FEWEST_FRAMES:
        raise UserError(
            f"--background is missing: {len(chosen)} frame(s) do not show what is "
            "behind them; give a picture of the empty scene, or at least "
            f"{FEWEST_FRAMES} frames"
        )
    scene = find_scene(chosen, make_estimator(predictor))
    LOG.info(
        "found in %d frames; a tenth of it is seen in fewer than %.0f %% of them",
        len(chosen),
        np.percentile(scene.sureness, 10) / 2.55,
    )
    return scene


def _write_scene(folder: pathlib.Path, scene: Scene) -> None:
    pictures = {SURENESS: scene.sureness}
    if scene.spread.restless.any():
        bounds = (scene.spread.low, scene.spread.high)
        pictures |= dict(zip(BOUNDS, bounds, strict=True))
    pictures[BACKGROUND] = scene.background  # last: with it, all are there
    for name, picture in pictures.items():
        write_atomically(folder / name, encode_picture(picture, ".png"))


def _read_scene(folder: pathlib.Path) -> tuple[np.ndarray, Spread | None]:
    background = read_picture(folder / BACKGROUND)
    if not all((folder / name).exists() for name in BOUNDS):
        return background, None
    low, high = (read_picture(folder / name) for name in BOUNDS)
    return background, Spread(low, high)


def _sample(frames: AnyFrames, number: int) -> list[np.ndarray]:
    height, width = frames.sizes[0]
    number = max(FEWEST_FRAMES, min(number, MAX_BYTES // (3 * height * width)))
    chosen = frames.sample(number)
    places = np.linspace(0, len(chosen) - 1, min(number, len(chosen)))
    return [chosen[place] for place in places.astype(int)]


def make_estimator(predictor: Callable):
    """Makes an estimator of the depth of a picture in which nothing is new."""
    return lambda picture: np.maximum(predictor(picture, picture)[1][..., 0], 1e-3)
