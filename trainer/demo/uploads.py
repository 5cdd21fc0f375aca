"""Uploads as frames: pictures and videos, checked and made small enough for a page."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Generator

import numpy as np
import PIL.Image

from trainer.errors import UserError
from trainer.picture_files import read_size
from trainer.predict import (
    FEWEST_FRAMES,
    SCENE_FRAMES,
    Frame,
    VideoFrames,
    VideoReader,
    check_size,
    read_picture,
)

MAX_SIDE = 1280  # pixels; larger pictures are shrunk for the page
MAX_PIXELS = 50_000_000  # of an upload
MAX_BYTES = 100_000_000  # of the frames that an empty scene is found in
MAX_READ = 3000  # frames of a video


@dataclasses.dataclass(frozen=True)
class Upload:
    """A picture for the page.

    Attributes:
      name: Of the file.
      pixels: uint8 [H, W, 3], shrunk if it was large.
      size: Height and width before that.
    """

    name: str
    pixels: np.ndarray
    size: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Clip:
    """Evenly spread frames of a video.

    Attributes:
      frames: The frames, shrunk if they were large, in their order.
      size: Height and width before that.
      read: Number of frames that were read.
      whole: Whether the video has no more.
    """

    frames: tuple[Frame, ...]
    size: tuple[int, int]
    read: int
    whole: bool


def read_upload(path: str, wanted: str) -> Upload:
    """Reads an uploaded picture.

    Args:
      path: The file.
      wanted: Words for what it is to show, for messages.

    Raises:
      UserError: If it is no picture, or too large; the message has its name alone.
    """
    file = pathlib.Path(path)
    try:
        size = read_size(file)
        if size[0] * size[1] > MAX_PIXELS:
            raise UserError(
                f"{file}: {size[0] * size[1] // 10**6} megapixels are too many for "
                f"the page; at most {MAX_PIXELS // 10**6} are read"
            )
        pixels = read_picture(file)
    except UserError as error:
        raise UserError(f"The {wanted} {hide_folder(error, path)}") from error
    return Upload(file.name, shrink(pixels), pixels.shape[:2])


def read_pair(empty: str, frame: str) -> tuple[Upload, Upload]:
    """Reads the empty scene and a frame.

    Raises:
      UserError: If one cannot be read, or their sizes differ.
    """
    scene, seen = read_upload(empty, "empty scene"), read_upload(frame, "frame")
    check_size(seen.name, seen.size, scene.size, f"the empty scene {scene.name}")
    return scene, seen


def read_clip(path: str) -> Generator[float, None, Clip]:
    """Reads evenly spread frames of an uploaded video, in one pass.

    Args:
      path: The file.

    Yields:
      The part of the video that is read, 0 to 1; 0 where its length is not known.

    Returns:
      The frames.

    Raises:
      UserError: If it is no video; the message has its name alone.
    """
    file = pathlib.Path(path)
    try:
        frames = VideoFrames(VideoReader(file, file.name))
        height, width = _find_size(frames.sizes[0])
        number = MAX_BYTES // (3 * height * width)
        number = max(FEWEST_FRAMES, min(SCENE_FRAMES, number))
        total = min(frames.number, MAX_READ)
        kept: list[Frame] = []
        every, read, whole = 1, 0, True
        for frame in frames.read():
            if read == MAX_READ:
                whole = False
                break
            if read % every == 0:
                kept.append(dataclasses.replace(frame, pixels=shrink(frame.pixels)))
            if len(kept) == 2 * number + 1:
                kept, every = kept[::2], 2 * every
            read += 1
            yield min(1.0, read / total) if total else 0.0
    except UserError as error:
        raise UserError(hide_folder(error, path)) from error
    if not kept:
        raise UserError(f"{file.name}: none of its frames can be read")
    return Clip(choose_evenly(kept, number), frames.sizes[0], read, whole)


def choose_evenly(frames, number: int) -> tuple:
    """Chooses at most so many of some frames, evenly spread, with both ends."""
    places = np.linspace(0, len(frames) - 1, min(number, len(frames)))
    return tuple(frames[place] for place in places.astype(int))


def shrink(pixels: np.ndarray, side: int = MAX_SIDE) -> np.ndarray:
    """Shrinks a picture, uint8 [H, W, 3], whose longer side has more pixels."""
    height, width = _find_size(pixels.shape, side)
    if (height, width) == pixels.shape[:2]:
        return pixels
    image = PIL.Image.fromarray(pixels)
    return np.asarray(image.resize((width, height), PIL.Image.Resampling.BOX))


def hide_folder(error: UserError, path: str) -> str:
    """Words an error about an uploaded file without the folder that it lies in."""
    return str(error).replace(path, pathlib.Path(path).name)


def describe_clip(clip: Clip) -> str:
    """Says how much of a video was read."""
    if clip.whole:
        return f"The video has {clip.read}."
    return f"Only its first {clip.read} frames were read."


def describe_shrinking(size: tuple[int, ...], shown: tuple[int, ...]) -> str:
    """Says from which size a picture was shrunk; nothing where it was not."""
    if tuple(size) == tuple(shown[:2]):
        return ""
    return (
        f"Shrunk from {size[1]} x {size[0]}; python -m trainer.predict answers whole "
        "frames."
    )


def _find_size(size: tuple[int, ...], side: int = MAX_SIDE) -> tuple[int, int]:
    scale = min(1.0, side / max(size[:2]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
