"""Depth brought to metres by what is known of a camera.

A network's depth has the order and the shape of a scene, and a scale that is a guess.
A few taped distances correct it: disparity, the inverse of depth, is fitted by a line,
1 / metres = a / depth + b, as relative depth is aligned since R. Ranftl et al. 2020,
Towards Robust Monocular Depth Estimation, https://arxiv.org/abs/1907.01341. One
distance gives the factor a alone.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.optimize

from trainer.errors import UserError
from trainer.files import write_atomically

AROUND = 2  # pixels around a point whose median depth is taken
FARTHEST = 250.0  # metres that a depth picture of 16 bits holds
OUTLIER = 0.15  # of log distance: errors from here on count less
LEAST_RATIO = 0.01  # of a distance to what it is taken for
STIFFNESS = 0.1  # holds b at 0 as far as the points leave it open
HORIZON_MARGIN = 0.05  # of the rows: ground closer to the horizon is not used
GROUND = 0.45  # of the rows, at the bottom, in which most pixels are ground
GROUND_COLUMNS = 64  # of the picture that are looked at
FIELD_OF_VIEW = 60.0  # degrees, horizontal, where nothing else is said


@dataclasses.dataclass(frozen=True)
class KnownDistance:
    """A taped distance: column and row of a point of the empty scene, and metres."""

    x: int
    y: int
    metres: float

    @classmethod
    def parse(cls, text: str) -> KnownDistance:
        """Parses 'X,Y,METRES'.

        Raises:
          ValueError: If it is something else.
        """
        x, y, metres = text.split(",")
        known = cls(int(x), int(y), float(metres))
        if min(known.x, known.y) < 0 or not 0 < known.metres <= FARTHEST:
            raise ValueError(text)
        return known


@dataclasses.dataclass(frozen=True)
class Ground:
    """A camera above flat ground.

    Attributes:
      height: Of the camera, metres.
      horizon: The horizon's row, which may lie above the picture (below 0).
      field_of_view: Horizontal, degrees.
    """

    height: float
    horizon: float
    field_of_view: float = FIELD_OF_VIEW

    def find_rows(self, height: int) -> np.ndarray:
        """Finds the rows in which most pixels are ground, int [N].

        Args:
          height: Of the picture.

        Raises:
          UserError: If there are none.
        """
        below = int(np.ceil(self.horizon + HORIZON_MARGIN * height))
        rows = np.arange(max(round((1 - GROUND) * height), below), height)
        if len(rows) < 2:
            raise UserError(
                f"--horizon={self.horizon:g} leaves no ground in a picture of {height} "
                "rows; give the row at which far, flat ground would end"
            )
        return rows

    def compute_depth(self, size: tuple[int, int]) -> np.ndarray:
        """Computes the depth of flat ground.

        With focal length f, the ground at row y has depth f height / (cos p (y - h)),
        h being the horizon's row and p the camera's pitch, tan p = (middle - h) / f.

        Args:
          size: Height and width of the picture.

        Returns:
          float64 [H], metres along the camera's axis; infinity from the horizon up.
        """
        height, width = size
        focal = width / 2 / np.tan(np.radians(self.field_of_view) / 2)
        pitch = np.arctan((height / 2 - self.horizon) / focal)
        below = np.arange(height) + 0.5 - self.horizon
        depth = np.full(height, np.inf)
        ground = below > 0
        depth[ground] = focal * self.height / (np.cos(pitch) * below[ground])
        return depth


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Depth to metres: 1 / metres = scale / depth + offset.

    Attributes:
      scale: Factor of inverse depth.
      offset: 1 / metres.
      model: SHA-256 of the network whose depth it is for.
      size: Height and width of the frames.
      made_of: Words for what it was made of.
    """

    scale: float
    offset: float
    model: str = ""
    size: tuple[int, int] = (0, 0)
    made_of: str = ""

    def apply(self, depth: np.ndarray) -> np.ndarray:
        """Converts depth, float of any shape, to metres, at most `FARTHEST`."""
        inverse = self.scale / np.maximum(depth, 1e-3) + self.offset
        return (1 / np.maximum(inverse, 1 / FARTHEST)).astype(np.float32)

    def write(self, path: pathlib.Path) -> None:
        """Writes the calibration as JSON.

        Raises:
          UserError: If it cannot be written.
        """
        write_atomically(path, json.dumps(dataclasses.asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: pathlib.Path) -> Calibration:
        """Reads a calibration.

        Raises:
          UserError: If the file is none.
        """
        try:
            fields: dict[str, Any] = json.loads(path.read_text("utf-8"))
            return cls(
                float(fields["scale"]),
                float(fields["offset"]),
                str(fields["model"]),
                (int(fields["size"][0]), int(fields["size"][1])),
                str(fields["made_of"]),
            )
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise UserError(
                f"{path} is no calibration of python -m trainer.predict; remove it and "
                "give --known_distance again"
            ) from error


def fit_calibration(depths: np.ndarray, metres: np.ndarray) -> Calibration:
    """Fits depth to known distances, so that a wrong one among several counts little.

    Args:
      depths: float [N], the network's.
      metres: float [N], known.

    Returns:
      A calibration that keeps the order of depths.
    """
    depths, metres = np.asarray(depths, float), np.asarray(metres, float)
    factor = np.exp(np.median(np.log(depths / metres)))
    middle = np.median(metres)

    def find_errors(parts):
        inverse = np.exp(parts[0]) * factor / depths + parts[1] / middle
        errors = np.log(np.maximum(metres * inverse, LEAST_RATIO))
        return np.concatenate([errors / OUTLIER, [STIFFNESS * parts[1] / OUTLIER]])

    if len(depths) == 1:
        return Calibration(float(factor), 0.0)
    fitted = scipy.optimize.least_squares(find_errors, [0.0, 0.0], loss="soft_l1")
    return Calibration(float(np.exp(fitted.x[0]) * factor), float(fitted.x[1] / middle))


def check_points(known: Sequence[KnownDistance], size: tuple[int, int]) -> None:
    """Checks that known distances are of points of a picture.

    Args:
      known: Distances.
      size: Height and width of the picture.

    Raises:
      UserError: If a point lies outside it.
    """
    height, width = size
    for each in known:
        if not (each.x < width and each.y < height):
            raise UserError(
                f"--known_distance={each.x},{each.y},{each.metres:g}: the frames have "
                f"{width} columns and {height} rows; give a point within"
            )


def calibrate_by_points(
    depth: np.ndarray, known: Sequence[KnownDistance]
) -> tuple[Calibration, np.ndarray]:
    """Calibrates by taped distances.

    Args:
      depth: float [H, W], of the empty scene.
      known: One or more distances.

    Returns:
      The calibration; and the error of each distance, relative to it, when it is held
      back and the others are fitted; float [N], NaN if there are no others.

    Raises:
      UserError: If a point lies outside the picture.
    """
    check_points(known, depth.shape)
    depths = np.array([_read_depth(depth, each) for each in known])
    metres = np.array([each.metres for each in known])
    errors = np.full(len(known), np.nan)
    for index in range(len(known) if len(known) > 1 else 0):
        others = np.arange(len(known)) != index
        fitted = fit_calibration(depths[others], metres[others])
        errors[index] = fitted.apply(depths[index]) / metres[index] - 1
    return fit_calibration(depths, metres), errors


def calibrate_by_ground(depth: np.ndarray, ground: Ground) -> Calibration:
    """Calibrates by flat ground; what stands on it counts little.

    Args:
      depth: float [H, W], of the empty scene.
      ground: The camera above it.

    Raises:
      UserError: If no ground is in the picture.
    """
    height, width = depth.shape
    metres = ground.compute_depth((height, width))
    rows = ground.find_rows(height)
    columns = np.linspace(0, width - 1, min(width, GROUND_COLUMNS)).astype(int)
    depths = np.median(depth[np.ix_(rows, columns)], 1)
    return fit_calibration(depths, metres[rows])


def _read_depth(depth: np.ndarray, known: KnownDistance) -> float:
    rows, columns = (
        slice(max(0, place - AROUND), place + AROUND + 1)
        for place in (known.y, known.x)
    )
    return float(np.median(depth[rows, columns]))
