"""A pinhole camera above the ground: the rays of its pixels, and projection."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np


@dataclasses.dataclass(frozen=True)
class Camera:
    """A pinhole camera at (0, height, 0); x is right, y up, z ahead.

    Attributes:
      size: Pixels of a side of the square picture.
      focal: Focal length in pixels, across and down.
      horizon: Row of the horizon as a fraction of the side; it sets the pitch.
      height: Metres above the ground.
      yaw: Radians, to the right.
      roll: Radians, clockwise.
    """

    size: int
    focal: tuple[float, float]
    horizon: float
    height: float
    yaw: float = 0.0
    roll: float = 0.0

    @property
    def eye(self) -> np.ndarray:
        """Position of the camera, float64 [3]."""
        return np.array([0.0, self.height, 0.0])

    @functools.cached_property
    def rotation(self) -> np.ndarray:
        """Rotation from the world to the camera (x right, y down, z ahead), [3, 3]."""
        pitch = np.arctan((0.5 - self.horizon) * self.size / self.focal[1])
        cy, sy = np.cos(self.yaw), np.sin(self.yaw)
        cp, sp = np.cos(pitch), np.sin(pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        yaw = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
        tilt = np.array([[1, 0, 0], [0, -cp, -sp], [0, -sp, cp]])
        turn = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
        return turn @ tilt @ yaw

    @functools.cached_property
    def rays(self) -> np.ndarray:
        """Directions of all pixels in the world, float32 [size, size, 3].

        Each advances one metre of depth: eye + depth * ray is the point seen.
        """
        middle = (np.arange(self.size) + 0.5) - self.size / 2
        across, down = np.meshgrid(middle / self.focal[0], middle / self.focal[1])
        seen = np.stack([across, down, np.ones_like(across)], -1)
        return (seen @ self.rotation).astype(np.float32)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Projects world points [..., 3] to (column, row, depth), [..., 3]."""
        seen = (np.asarray(points, np.float64) - self.eye) @ self.rotation.T
        depth = seen[..., 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        column = self.focal[0] * seen[..., 0] / safe + self.size / 2
        row = self.focal[1] * seen[..., 1] / safe + self.size / 2
        return np.stack([column, row, depth], -1)


def draw_camera(rng: np.random.Generator, size: int, kind: str) -> Camera:
    """Draws the position and lens of a camera, as people hold it.

    Args:
      rng: Source of random numbers.
      size: Pixels of a side.
      kind: 'handsome' for pictures to look at, 'street', 'road', 'open' or 'indoor'
        for the wide ranges of training.

    Returns:
      The camera.
    """
    if kind == "handsome":
        focal = size * np.exp(rng.uniform(np.log(0.75), np.log(1.25)))
        return Camera(
            size,
            (focal, focal),
            rng.uniform(0.42, 0.55),
            rng.uniform(1.4, 2.6),
            rng.normal(0, 0.06),
            rng.normal(0, 0.008),
        )
    if kind == "indoor":
        return _hold_indoors(rng, size)
    aspect = _draw_aspect(rng, 3.5)
    most = 1.9 if aspect < 1.25 else 1.3
    focal = size * np.exp(rng.uniform(np.log(0.45), np.log(most)))
    height, horizon = rng.uniform(1.1, 2.4), rng.uniform(0.28, 0.66)
    if rng.random() < 0.18:  # on a pole or at a window, looking down
        height, horizon = rng.uniform(2.4, 9.0), rng.uniform(-0.3, 0.5)
    yaw = rng.normal(0, 0.25 if kind == "open" else 0.12)
    if rng.random() < 0.22 and kind != "open":  # across, as a fixed camera often looks
        yaw = rng.uniform(-1.6, 1.6)
    roll = rng.normal(0, 0.04)
    return Camera(size, (focal, focal * aspect), horizon, height, yaw, roll)


def _draw_aspect(rng: np.random.Generator, widest: float) -> float:
    """Draws how wide a photo is before it is squashed to a square."""
    shape = rng.random()
    if shape < 0.35:
        return 1.0
    if shape < 0.55:
        return rng.uniform(0.75, 1.25)
    if shape < 0.88:
        return rng.uniform(1.25, 1.85)
    return rng.uniform(1.6, widest)


def _hold_indoors(rng: np.random.Generator, size: int) -> Camera:
    """Draws a camera in a room: upright, or looking down at a table or a floor."""
    aspect = _draw_aspect(rng, 1.9)
    focal = size * np.exp(rng.uniform(np.log(0.5), np.log(1.3)))
    height, horizon = rng.uniform(0.8, 2.0), rng.uniform(0.2, 0.66)
    yaw = rng.normal(0, 0.25) if rng.random() < 0.5 else rng.uniform(-0.9, 0.9)
    down = rng.random()
    if down < 0.3:
        horizon = rng.uniform(-0.5, 0.25)
    elif down < 0.42:  # in a corner under the ceiling
        height, horizon = rng.uniform(2.0, 3.2), rng.uniform(-0.4, 0.3)
    return Camera(
        size, (focal, focal * aspect), horizon, height, yaw, rng.normal(0, 0.05)
    )
