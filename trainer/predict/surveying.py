"""The calibration of a command: by its flags, or kept beside the background."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import pathlib

import numpy as np

from trainer.errors import UserError
from trainer.predict.calibration import (
    Calibration,
    Ground,
    calibrate_by_ground,
    calibrate_by_points,
    check_points,
)
from trainer.predict.scenes import BACKGROUND

LOG = logging.getLogger("trainer")

SUFFIX = ".calibration.json"  # in place of the background's own


def locate_calibration(out: pathlib.Path, given: pathlib.Path | None) -> pathlib.Path:
    """Names the file of the calibration, beside the background.

    Args:
      out: Folder of all answers, in which a background that is found lies.
      given: The background, if one is given.
    """
    background = given or out / BACKGROUND
    return background.with_name(background.stem + SUFFIX)


def describe_survey(arguments: argparse.Namespace) -> str:
    """Describes the flags that say how far something is; empty without any."""
    points = [f"{p.x},{p.y},{p.metres:g}" for p in arguments.known_distance or ()]
    if points:
        return "--known_distance=" + " ".join(points)
    if arguments.camera_height is None:
        return ""
    return (
        f"--camera_height={arguments.camera_height:g} --horizon={arguments.horizon:g} "
        f"--field_of_view={arguments.field_of_view:g}"
    )


def check_survey(arguments: argparse.Namespace, size: tuple[int, int]) -> None:
    """Checks the flags that say how far something is.

    Args:
      arguments: The command line.
      size: Height and width of the frames.

    Raises:
      UserError: If they contradict each other, one is missing, or a point or the ground
        lies outside the frames.
    """
    height, horizon = arguments.camera_height, arguments.horizon
    if (height is None) != (horizon is None):
        missing = "horizon=ROW" if horizon is None else "camera_height=METRES"
        raise UserError(f"--{missing} is missing; flat ground needs both")
    if height is not None and arguments.known_distance:
        raise UserError(
            "--known_distance and --camera_height are two ways to the same; leave one "
            "of them out"
        )
    check_points(arguments.known_distance or (), size)
    if height is not None:
        _make_ground(arguments).find_rows(size[0])


def read_calibration(
    path: pathlib.Path, model: str, size: tuple[int, ...]
) -> Calibration | None:
    """Reads a calibration that was kept.

    Args:
      path: Its file.
      model: SHA-256 of the network that is used now.
      size: Height and width of the frames.

    Returns:
      The calibration; None if there is none.

    Raises:
      UserError: If it is of another network, or of frames of another size.
    """
    if not path.exists():
        return None
    calibration = Calibration.read(path)
    if calibration.model != model or calibration.size != tuple(size):
        raise UserError(
            f"{path} is for another --model, or for frames of another size; give "
            f"{calibration.made_of.split('=')[0]} again, or remove the file"
        )
    LOG.info("depth is brought to metres by %s (%s)", path, calibration.made_of)
    return calibration


def calibrate(
    arguments: argparse.Namespace, scene_depth: np.ndarray, model: str
) -> Calibration:
    """Calibrates as the command line asks, and prints errors that are known.

    Args:
      arguments: The command line, which has taped distances or flat ground.
      scene_depth: float [H, W], the network's depth of the empty scene.
      model: SHA-256 of the network.

    Raises:
      UserError: If a point or the ground lies outside the picture.
    """
    if arguments.known_distance:
        made, errors = calibrate_by_points(scene_depth, arguments.known_distance)
        for known, error in zip(arguments.known_distance, errors, strict=True):
            if np.isfinite(error):
                LOG.info(
                    "held back, the point %d,%d is %.1f m instead of %.1f m (%+.0f %%)",
                    *(known.x, known.y, known.metres * (1 + error), known.metres),
                    100 * error,
                )
        if np.isfinite(errors).all():
            middle = np.median(np.abs(errors))
            LOG.info("median error of points held back: %.0f %%", 100 * middle)
    else:
        made = calibrate_by_ground(scene_depth, _make_ground(arguments))
    LOG.info("metres = 1 / (%.3f / depth %+.4f)", made.scale, made.offset)
    return dataclasses.replace(
        made,
        model=model,
        size=(scene_depth.shape[0], scene_depth.shape[1]),
        made_of=describe_survey(arguments),
    )


def _make_ground(arguments: argparse.Namespace) -> Ground:
    return Ground(arguments.camera_height, arguments.horizon, arguments.field_of_view)
