"""A drawn film of a fixed camera: traffic on a street, its shadows, and a cloud."""

from __future__ import annotations

import dataclasses
import functools
import io
import pathlib
from collections.abc import Iterator

import numpy as np
import tqdm
from PIL import Image

from fgbg_tfds import procedural
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import name_failures, require_writable, write_atomically

STREET = 2  # an open road
FAR_END = (0.52, 0.28)  # row and column of the road's far end, shares of the picture
FOCAL_LENGTH = 0.85  # share of the picture's side
CAMERA_HEIGHT = 2.2  # metres
NOISE = 2.0  # deviation, grey levels
CLOUD = (0.35, 0.6)  # shares of the film, from its middle half covered to half gone
DARKEST = 0.68  # of the light under the cloud
SHADOW = 0.5  # of the light is left in the sun's shadow
SHADOW_HEIGHT, SHADOW_SHEAR = 0.22, 0.5  # of the silhouette's height
FEWEST, MOST, SMALLEST, LARGEST = 10, 999, 96, 2160


@dataclasses.dataclass(frozen=True)
class Shot:
    """One frame of a film.

    Attributes:
      frame: uint8 [S, S, 3].
      mask: uint8 [S, S, 1], alpha of the vehicles; their shadows are not new.
    """

    frame: np.ndarray
    mask: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Drive:
    """A drive along the road or across it, metres from the camera.

    Attributes:
      vehicle: Seed of the vehicle.
      mirrored: Whether it is mirrored.
      width: Metres that it is wide as it is seen.
      times: Begin and end, shares of the film.
      aside: Metres to the right of the camera, at both.
      ahead: Metres before the camera, at both.
    """

    vehicle: int
    mirrored: bool
    width: float
    times: tuple[float, float]
    aside: tuple[float, float]
    ahead: tuple[float, float]

    def locate(self, time: float) -> tuple[float, float] | None:
        """Finds how far aside and ahead it is at a time; None if it is not there."""
        first, last = self.times
        if not first <= time <= last:
            return None
        aside, ahead = (
            float(np.interp(time, self.times, way)) for way in (self.aside, self.ahead)
        )
        return aside, ahead


_DRIVES = (
    _Drive(7, False, 1.9, (0.10, 0.45), (-1.1, -1.1), (60, 2.2)),
    _Drive(28, False, 1.9, (0.38, 0.86), (2.9, 2.9), (2.4, 70)),
    _Drive(13, False, 4.4, (0.52, 0.72), (9.0, -5.4), (7, 7)),
    _Drive(36, False, 4.6, (0.70, 0.92), (-7.5, 12.0), (9, 9)),
)


def draw_empty(size: int) -> np.ndarray:
    """Draws the empty street as the camera sees it, uint8 [S, S, 3]."""
    return _expose(_draw_street(size), 1.0, np.random.default_rng([0, 0xF11]))


def draw_shots(count: int, size: int) -> Iterator[Shot]:
    """Draws a film: traffic on a street, and a cloud that comes and goes.

    Args:
      count: Number of frames; more frames are a slower film.
      size: Pixels of a side.

    Yields:
      The frames in their order. The same film is drawn each time.
    """
    for number in range(count):
        time = number / max(count - 1, 1)
        light = np.clip(np.abs(2 * (time - CLOUD[0]) / (CLOUD[1] - CLOUD[0]) - 1), 0, 1)
        picture = _draw_street(size).astype(np.float32)
        mask = np.zeros((size, size, 1), np.float32)
        there = [(drive, drive.locate(time)) for drive in _DRIVES]
        seen = [(place[1], drive, place[0]) for drive, place in there if place]
        for ahead, drive, aside in sorted(seen, key=lambda each: -each[0]):
            cutout = _view(drive, ahead, size)
            left = size * (FAR_END[1] + FOCAL_LENGTH * aside / ahead)
            foot = size * (FAR_END[0] + FOCAL_LENGTH * CAMERA_HEIGHT / ahead)
            corner = round(left - cutout.shape[1] / 2), round(foot - cutout.shape[0])
            _shade(picture, cutout[..., 3:] / 255, corner, light)
            _lay_over(picture, cutout[..., :3], cutout[..., 3:] / 255, corner)
            _lay_over(mask, np.full((1, 1, 1), 255.0), cutout[..., 3:] / 255, corner)
        rng = np.random.default_rng([number + 1, 0xF11])
        frame = _expose(picture, DARKEST + (1 - DARKEST) * light, rng)
        yield Shot(frame, np.round(mask).astype(np.uint8))


def save_film(folder: pathlib.Path, count: int, size: int) -> None:
    """Writes `empty.png`, `frames/NUMBER.png` and `truth/NUMBER.png`.

    Args:
      folder: A folder, made where it is missing. An earlier film there is removed.
      count: Number of frames.
      size: Pixels of a side.

    Raises:
      InputError: If a number is out of range or the folder cannot be written to.
    """
    if not FEWEST <= count <= MOST:
        raise InputError(f"--frames={count}: give {FEWEST} to {MOST}")
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"--size={size}: give {SMALLEST} to {LARGEST} pixels")
    require_writable(folder)
    with name_failures(folder):
        for name in ("frames", "truth"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for path in (folder / name).glob("[0-9][0-9][0-9].png"):
                path.unlink()  # of an earlier, perhaps longer film
        write_atomically(folder / "empty.png", _encode(draw_empty(size)))
        shots = tqdm.tqdm(draw_shots(count, size), total=count, unit="frame")
        for number, shot in enumerate(shots):
            name = f"{number:03d}.png"
            write_atomically(folder / "truth" / name, _encode(shot.mask[..., 0]))
            write_atomically(folder / "frames" / name, _encode(shot.frame))


@functools.cache
def _draw_street(size: int) -> np.ndarray:
    return procedural.draw_street(STREET, size).image


def _view(drive: _Drive, ahead: float, size: int) -> np.ndarray:
    """Draws a vehicle as large as it is seen, uint8 [h, w, 4]."""
    cutout = procedural.draw_vehicle(drive.vehicle)
    width = max(2, round(FOCAL_LENGTH * drive.width / ahead * size))
    height = max(2, round(width * cutout.shape[0] / cutout.shape[1]))
    picture = Image.fromarray(cutout).resize((width, height), Image.Resampling.LANCZOS)
    view = np.asarray(picture)
    return view[:, ::-1] if drive.mirrored else view


def _shade(picture: np.ndarray, alpha: np.ndarray, corner, light: float) -> None:
    """Lays a vehicle's shadow on the ground, to its right."""
    height, width = alpha.shape[:2]
    low = max(2, round(SHADOW_HEIGHT * height))
    lean = round(SHADOW_SHEAR * height)
    flat = Image.fromarray(np.round(255 * alpha[..., 0]).astype(np.uint8))
    # Rows of the shadow are rows of the silhouette, moved aside the more the higher.
    laid = flat.transform(
        (width + lean, low),
        Image.Transform.AFFINE,
        (1, lean / low, -lean, 0, height / low, 0),
        Image.Resampling.BILINEAR,
    )
    shadow = np.asarray(laid, np.float32)[..., None] / 255
    left, top = corner
    place = left, top + height - low
    _lay_over(picture, np.zeros((1, 1, 3)), shadow * (1 - SHADOW) * light, place)


def _lay_over(picture: np.ndarray, colour, alpha: np.ndarray, corner) -> None:
    """Lays colours over a float picture; what is outside of it is cut off."""
    left, top = corner
    height, width = alpha.shape[:2]
    rows = slice(max(top, 0), max(0, min(top + height, picture.shape[0])))
    columns = slice(max(left, 0), max(0, min(left + width, picture.shape[1])))
    own = np.s_[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    alpha = alpha[own]
    colour = np.broadcast_to(colour, (height, width, colour.shape[-1]))[own]
    picture[rows, columns] = colour * alpha + picture[rows, columns] * (1 - alpha)


def _expose(picture: np.ndarray, light: float, rng: np.random.Generator) -> np.ndarray:
    noisy = picture * light + rng.normal(0, NOISE, picture.shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def _encode(picture: np.ndarray) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "PNG")
    return memory.getvalue()
