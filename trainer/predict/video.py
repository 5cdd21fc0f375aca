"""Videos read and written with PyAV, which the extra `video` installs."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import tqdm

from trainer.errors import UserError


class VideoReader:
    """Reads a video's pictures from first to last, turned upright.

    Attributes:
      path: The file.
      number: Number of pictures by the file's header; 0 where it has none.
      rate: Average number of pictures in a second.
      time_base: Duration of a unit of time, seconds.
      size: Height and width of the pictures, pixels.
    """

    def __init__(self, path: pathlib.Path):
        """Opens a video and reads its first picture.

        Raises:
          UserError: If PyAV is not installed, or the file is no video.
        """
        self._av = _import_pyav(path)
        self.path = path
        try:
            with self._av.open(str(path)) as container:
                stream = container.streams.video[0]
                self.number = stream.frames
                self.rate = stream.average_rate or Fraction(25)
                self.time_base = stream.time_base or 1 / self.rate
                self.size = _turn_upright(next(container.decode(stream))).shape[:2]
        except (OSError, IndexError, StopIteration, self._av.FFmpegError) as error:
            raise UserError(
                f"{path} can be read neither as a picture nor as a video"
            ) from error

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Reads from the beginning.

        Yields:
          Time of a picture in units of `time_base`, and uint8 [H, W, 3].

        Raises:
          UserError: If the file is cut short or its pictures change their size.
        """
        read, last = 0, -1
        try:
            with self._av.open(str(self.path)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                step = max(1, round(1 / (self.rate * self.time_base)))
                for frame in container.decode(stream):
                    pixels = _turn_upright(frame)
                    if pixels.shape[:2] != self.size:
                        raise UserError(
                            f"video {self.path} changes its size at picture {read}, "
                            f"from {format_size(self.size)} to "
                            f"{format_size(pixels.shape)}"
                        )
                    time = last + step if frame.pts is None else frame.pts
                    last = max(time, last + 1)
                    read += 1
                    yield last, pixels
        except (OSError, self._av.FFmpegError) as error:
            raise UserError(
                f"video {self.path} cannot be read on after {read} pictures: "
                f"{error.strerror}"
            ) from error

    def sample(self, number: int) -> list[np.ndarray]:
        """Reads all pictures, and keeps `number` to `2 * number` evenly spread ones."""
        kept, every = [], 1
        bar = tqdm.tqdm(
            self, "background", self.number or None, unit="frame", dynamic_ncols=True
        )
        for index, (_, pixels) in enumerate(bar):
            if index % every == 0:
                kept.append(pixels)
            if len(kept) == 2 * number + 1:
                kept, every = kept[::2], 2 * every
        return kept


class VideoWriter:
    """Writes an MP4 with H.264, which gets its name only when it is whole."""

    def __init__(self, path: pathlib.Path, rate: Fraction, time_base: Fraction):
        """Prepares a file; nothing is written before the first picture.

        Args:
          path: The file to write.
          rate: Average number of pictures in a second.
          time_base: Duration of a unit of `add`'s `time`, seconds.
        """
        self._av = _import_pyav(path)
        self._path, self._partial = path, path.with_name(f"{path.name}.part")
        self._rate, self._time_base = rate, time_base
        self._container: Any = None
        self._stream: Any = None

    def add(self, pixels: np.ndarray, time: int) -> None:
        """Appends a picture.

        Args:
          pixels: uint8 [H, W, 3]; an odd last row or column is repeated, since H.264
            stores colours for squares of two pixels.
          time: Its time, later than that of the picture before.

        Raises:
          UserError: If it cannot be written, as when the disk is full.
        """
        height, width = pixels.shape[:2]
        even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        try:
            if not self._container:
                self._open(*even.shape[:2])
            frame = self._av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = time, self._time_base
            self._container.mux(self._stream.encode(frame))
        except (OSError, self._av.FFmpegError) as error:
            raise UserError(f"cannot write {self._path}: {error.strerror}") from error

    def __enter__(self):
        return self

    def __exit__(self, kind, *error):
        try:
            if self._container is not None:
                if kind is None:
                    self._container.mux(self._stream.encode())
                self._container.close()
            if kind is None and self._partial.exists():
                self._partial.replace(self._path)
        except (OSError, self._av.FFmpegError) as failure:
            if kind is None:
                raise UserError(
                    f"cannot write {self._path}: {failure.strerror}"
                ) from failure
        finally:
            with contextlib.suppress(OSError):
                self._partial.unlink()

    def _open(self, height: int, width: int) -> None:
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        self._container = self._av.open(str(self._partial), "w", format="mp4")
        codecs = self._av.codecs_available
        codec = "libx264" if "libx264" in codecs else "mpeg4"
        stream = self._container.add_stream(codec, rate=self._rate)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        stream.codec_context.time_base = self._time_base
        self._stream = stream


def format_size(size: tuple[int, ...]) -> str:
    """Formats height and width as people write them: 640 x 480 (width x height)."""
    return f"{size[1]} x {size[0]}"


def _turn_upright(frame) -> np.ndarray:
    """Converts a decoded picture to uint8 [H, W, 3], turned as its file says."""
    pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4))


def _import_pyav(path: pathlib.Path) -> Any:
    try:
        import av
    except ImportError as error:
        raise UserError(
            f"{path} is taken for a video, and videos need PyAV; install it with: "
            "pip install 'fgbg[video]', or in this repository: pip install '.[video]'"
        ) from error
    return av
