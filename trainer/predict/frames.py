"""The frames of a fixed camera: pictures in files, or a video."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
import pathlib
from collections.abc import Container, Generator, Iterator, Sequence

import numpy as np

from trainer.errors import UserError
from trainer.picture_files import (
    SUFFIXES,
    read_picture,
    read_size,
    warn_of_left_out,
)
from trainer.predict.pace import Pace
from trainer.predict.video import VideoReader, format_size

LOG = logging.getLogger("trainer")


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
      name: Name of its answers.
      pixels: uint8 [H, W, 3].
      time: Its time since the video's first picture, in units of the video's time
        base; 0 for a picture.
      seconds: The same in seconds; None for a picture.
      clock: Date and time at which a live camera showed it, ISO 8601 in UTC.
    """

    name: str
    pixels: np.ndarray
    time: int = 0
    seconds: float | None = None
    clock: str | None = None


class PictureFrames:
    """Frames in files, in the order given; folders by name.

    Attributes:
      broken: Number of files that could not be read so far.
    """

    video = None

    def __init__(
        self,
        paths: Sequence[pathlib.Path],
        fps: float | None = None,
        pace: Pace | None = None,
    ):
        """Reads the size of every file, and no pixels yet.

        Args:
          paths: The files.
          fps: Frames a second, if it is known.
          pace: Which of them are wanted; all if None.

        Raises:
          UserError: If no file is a picture, or two would have the same name.
        """
        sizes, self._unreadable = {}, []
        for path in paths:
            try:
                sizes[path] = read_size(path)
            except UserError as error:
                if len(paths) == 1:
                    raise
                LOG.error("%s", error)
                self._unreadable.append(path)
        if not sizes:
            raise UserError(f"none of {len(paths)} pictures can be read")
        times = [n / fps for n in range(len(sizes))] if fps else [None] * len(sizes)
        wanted = [True] * len(sizes)
        if pace:
            pace.begin()
            wanted = [pace.wants(time or 0) for time in times]
        sizes = dict(itertools.compress(sizes.items(), wanted))
        self._times = tuple(itertools.compress(times, wanted))
        self.paths, self.sizes = tuple(sizes), tuple(sizes.values())
        self.number = len(self.paths)
        self.broken = len(self._unreadable)
        taken: dict[str, pathlib.Path] = {}
        for path in paths:
            other = taken.setdefault(path.stem, path)
            if other is not path:
                raise UserError(
                    f"the answers for {other} and {path} would both be called "
                    f"{path.stem}.png; rename one, or give them one after the other "
                    "with another --out"
                )

    def __iter__(self) -> Iterator[Frame]:
        return self.read()

    def read(self, without: Container[str] = ()) -> Generator[Frame]:
        """Reads the frames, but for those of some names."""
        self.broken = len(self._unreadable)
        for path, seconds in zip(self.paths, self._times, strict=True):
            if path.stem in without:
                continue
            try:
                pixels = read_picture(path)
            except UserError as error:
                if self.number == 1:
                    raise
                LOG.error("%s", error)
                self.broken += 1
                continue
            yield Frame(path.stem, pixels, seconds=seconds)

    def describe_files(self) -> dict[str, list[int]]:
        """Describes the files, for the record: size and time of the last change."""
        return _describe_files(self.paths)

    def sample(self, number: int) -> list[np.ndarray]:
        """Reads at most `number` pictures, evenly spread; broken ones are left out."""
        chosen = np.linspace(0, self.number - 1, min(number, self.number))
        pictures = []
        for index in chosen.astype(int):
            with contextlib.suppress(UserError):
                pictures.append(read_picture(self.paths[index]))
        return pictures

    def check(self, size: tuple[int, int], owner: str) -> None:
        """Checks every size against the background's.

        Args:
          size: Height and width that all have to have.
          owner: The picture of that size, for the message.

        Raises:
          UserError: If one is another.
        """
        for path, other in zip(self.paths, self.sizes, strict=True):
            check_size(path, other, size, owner)


class VideoFrames:
    """The frames of a video, numbered by their time."""

    def __init__(self, video: VideoReader, pace: Pace | None = None):
        """Takes a video.

        Args:
          video: The video.
          pace: Which of its frames are wanted; all if None.
        """
        self.video = video
        self.paths, self.sizes = (pathlib.Path(video.path),), (video.size,)
        self.number, self._pace = self.video.number, pace

    def __iter__(self) -> Iterator[Frame]:
        return self.read()

    def read(self, without: Container[str] = ()) -> Generator[Frame]:
        """Reads all frames; those of some names, too, have to be decoded."""
        del without
        index = -1
        if self._pace:
            self._pace.begin()
        for time, pixels in self.video:
            seconds = time * self.video.time_base
            if self._pace and not self._pace.wants(float(seconds)):
                continue
            index = max(index + 1, round(seconds * self.video.rate))
            yield Frame(f"{index:06d}", pixels, time, float(seconds))

    def describe_files(self) -> dict[str, list[int]]:
        """Describes the file, for the record: size and time of the last change."""
        there = [path for path in self.paths if path.exists()]
        return _describe_files(there) or {self.video.path: []}

    @property
    def broken(self) -> int:
        """Number of pieces that could not be read so far."""
        return self.video.broken

    def sample(self, number: int) -> list[np.ndarray]:
        """Reads `number` to `2 * number` pictures, evenly spread."""
        return self.video.sample(number)

    def check(self, size: tuple[int, int], owner: str) -> None:
        """Checks the size against the background's; see `PictureFrames.check`."""
        check_size(self.video.path, self.video.size, size, owner)


def find_pictures(path: pathlib.Path) -> PictureFrames:
    """Finds the picture that a path is, whatever its suffix, or those in its folder.

    Raises:
      UserError: If there is none, or it cannot be read.
    """
    if not path.exists():
        raise UserError(f"there is no {path}")
    return PictureFrames(_list_pictures(path) if path.is_dir() else [path])


def find_frames(
    paths: Sequence[pathlib.Path],
    fps: float | None = None,
    pace: Pace | None = None,
) -> PictureFrames | VideoFrames:
    """Finds the frames that a command line names.

    Args:
      paths: Folders of pictures, pictures, or one video.
      fps: Frames a second of pictures, if it is known.
      pace: Which of the frames are wanted; all if None.

    Returns:
      The frames.

    Raises:
      UserError: If there are none, or a path cannot be read.
    """
    pictures, videos = [], []
    for path in paths:
        if path.is_dir():
            pictures += _list_pictures(path)
        elif not path.exists():
            raise UserError(f"there is no {path}")
        elif path.suffix.lower() in SUFFIXES:
            pictures.append(path)
        else:
            videos.append(path)
    if not videos:
        return PictureFrames(pictures, fps, pace)
    if len(paths) > 1:
        raise UserError(
            f"{videos[0]} is taken for a video, and a video goes alone; "
            f"{len(paths)} places were given"
        )
    return VideoFrames(VideoReader(videos[0]), pace)


def check_size(
    name: str | pathlib.Path, size: tuple[int, int], wanted: tuple[int, int], owner: str
) -> None:
    """Checks a size against the background's.

    Args:
      name: The picture of this size, for the message.
      size: Height and width.
      wanted: Height and width that it has to have.
      owner: The picture of the wanted size, for the message.

    Raises:
      UserError: If they differ.
    """
    if tuple(size) != tuple(wanted):
        raise UserError(
            f"{name} is {format_size(size)} and {owner} is {format_size(wanted)}; "
            "both must be of the same fixed camera, and of one size"
        )


def _describe_files(paths: Sequence[pathlib.Path]) -> dict[str, list[int]]:
    states = {path: path.stat() for path in paths}
    return {path.name: [s.st_size, s.st_mtime_ns] for path, s in states.items()}


def _list_pictures(folder: pathlib.Path) -> list[pathlib.Path]:
    files = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".")
    )
    found = [path for path in files if path.suffix.lower() in SUFFIXES]
    others = [path.name for path in files if path not in set(found)]
    if not found:
        raise UserError(
            f"folder {folder} has no pictures ({', '.join(SUFFIXES)})"
            + (f"; it has {', '.join(others[:3])}" if others else "")
        )
    warn_of_left_out(folder, tuple(others))
    return found
