"""Videos read and written with PyAV, which the extra `video` installs."""

from __future__ import annotations

import contextlib
import itertools
import logging
import pathlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import tqdm

from trainer.errors import UserError
from trainer.extras import import_extra

LOG = logging.getLogger("trainer")

SAMPLED_PACKETS = 300  # for the time between pictures

# FFmpeg's readers that take any file for pictures, by its name alone.
_GUESSES = {"adf", "ansi", "bin", "idf", "rawvideo", "tty", "xbin"}


class VideoReader:
    """Reads a video's pictures from first to last, as they are to be seen.

    Attributes:
      path: The file or address, as messages name it.
      number: Number of pictures by the file's header; 0 where it has none.
      rate: Number of pictures in a second, as far as none is missing.
      time_base: Duration of a unit of time, seconds.
      size: Height and width of the pictures, pixels.
      pixel_aspect: Width of a pixel divided by its height, as a picture is to be seen.
      broken: Number of pieces that could not be read since reading began.
    """

    def __init__(self, path: pathlib.Path | str, label: str = ""):
        """Opens a video and reads its first picture.

        Args:
          path: The file, or an address.
          label: What messages call it; its path if empty.

        Raises:
          UserError: If PyAV is not installed, or the file is no video.
        """
        self.path = label or str(path)
        self._av = import_pyav(self.path)
        self._place = str(path)
        self.broken = 0
        try:
            with self._av.open(self._place) as container:
                if container.format.name in _GUESSES:
                    raise OSError("it is a guess")
                stream = container.streams.video[0]
                self.number = stream.frames
                rate = stream.average_rate or Fraction(25)
                self.time_base = stream.time_base or 1 / rate
                first = next(container.decode(stream))
                self.size = turn_upright(first).shape[:2]
                self.pixel_aspect = find_pixel_aspect(stream, first)
            with self._av.open(self._place) as container:
                step = _find_step(container)
                self.rate = 1 / (step * self.time_base) if step else rate
        except (OSError, IndexError, StopIteration, self._av.FFmpegError) as error:
            raise UserError(
                f"{self.path} can be read neither as a picture nor as a video"
            ) from error

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Reads from the beginning.

        Pieces that cannot be read are named in the log, counted and left out.

        Yields:
          Time of a picture since the first in units of `time_base`, growing, and
          uint8 [H, W, 3]. Where the file's times jump back, they go on from there.

        Raises:
          UserError: If its pictures change their size.
        """
        self.broken = 0
        step = max(1, round(1 / (self.rate * self.time_base)))
        last, start = -step, None
        for frame in self._decode():
            pixels = turn_upright(frame)
            if pixels.shape[:2] != self.size:
                raise UserError(
                    f"video {self.path} changes its size at second "
                    f"{float((last + step) * self.time_base):.2f}, from "
                    f"{format_size(self.size)} to {format_size(pixels.shape)}"
                )
            if frame.pts is None:
                last += step
            else:
                if start is None or frame.pts - start <= last:
                    start = frame.pts - last - step
                last = frame.pts - start
            yield last, pixels

    def _decode(self) -> Iterator[Any]:
        """Decodes what can be read of the file."""
        read = 0
        try:
            with self._av.open(self._place) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                for packet in container.demux(stream):
                    try:
                        frames = packet.decode()
                    except self._av.FFmpegError as error:
                        self._count_broken(read, error)
                        continue
                    yield from frames
                    read += len(frames)
        except (OSError, self._av.FFmpegError) as error:
            self._count_broken(read, error)

    def _count_broken(self, read: int, error: Exception) -> None:
        self.broken += 1
        reason = getattr(error, "strerror", None) or error
        LOG.error("%s: cannot be read after %d pictures: %s", self.path, read, reason)

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
    """Writes an MP4 with H.264, which gets its name when it is closed.

    Whatever ends it, what was added until then can be played; after a full disk, the
    part of it that found room.
    """

    def __init__(
        self,
        path: pathlib.Path,
        rate: Fraction,
        time_base: Fraction,
        pixel_aspect: Fraction = Fraction(1),
    ):
        """Prepares a file; nothing is written before the first picture.

        Args:
          path: The file to write.
          rate: Average number of pictures in a second.
          time_base: Duration of a unit of `add`'s `time`, seconds.
          pixel_aspect: Width of a pixel divided by its height, for players.
        """
        self._av = import_pyav(path)
        self._path, self._partial = path, path.with_name(f"{path.name}.part")
        self._rate, self._time_base = rate, time_base
        self._pixel_aspect = pixel_aspect
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

    def __exit__(self, kind, *details):
        if self._container is None:
            return
        failure = None
        for close in (self._flush, self._container.close):
            try:
                close()
            except (OSError, self._av.FFmpegError) as error:
                failure = error
        with contextlib.suppress(OSError):
            if self._partial.stat().st_size:
                self._partial.replace(self._path)
            else:
                self._partial.unlink()
        if failure and kind is None:
            raise UserError(
                f"cannot write {self._path}: {failure.strerror}"
            ) from failure

    def _flush(self) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode())

    def _open(self, height: int, width: int) -> None:
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        # Each piece can be played as soon as it is written.
        options = {"movflags": "hybrid_fragmented"}
        self._container = self._av.open(
            str(self._partial), "w", format="mp4", options=options
        )
        codecs = self._av.codecs_available
        codec = "libx264" if "libx264" in codecs else "mpeg4"
        stream = self._container.add_stream(codec, rate=self._rate)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        stream.codec_context.time_base = self._time_base
        stream.codec_context.sample_aspect_ratio = self._pixel_aspect
        self._stream = stream


def format_size(size: tuple[int, ...]) -> str:
    """Formats height and width as people write them: 640 x 480 (width x height)."""
    return f"{size[1]} x {size[0]}"


def _find_step(container) -> int:
    """Finds the usual time between pictures; 0 if the file does not tell.

    The file's own average is too low where pictures are missing.
    """
    packets = itertools.islice(container.demux(video=0), SAMPLED_PACKETS)
    times = sorted(packet.pts for packet in packets if packet.pts is not None)
    steps = np.diff(times)
    return int(np.median(steps)) if steps.size else 0


def find_pixel_aspect(stream, frame) -> Fraction:
    """Finds the width of a pixel divided by its height; 1 if the file does not tell."""
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    a, b, *_ = _read_display_matrix(frame)
    return 1 / aspect if abs(a) < abs(b) else aspect


def _read_display_matrix(frame) -> tuple[int, int, int, int]:
    """Reads a, b, c and d of a picture's display matrix; see `turn_upright`."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    return a, b, c, d


def turn_upright(frame) -> np.ndarray:
    """Converts a decoded picture to uint8 [H, W, 3], turned and mirrored as it says.

    Its display matrix [[a, b, u], [c, d, v], [x, y, w]] sends (column, row) to
    (a column + c row + x, b column + d row + y); see ISO/IEC 14496-12, 6.2.2.
    """
    pixels = frame.to_ndarray(format="rgb24")
    a, b, c, d = _read_display_matrix(frame)
    if abs(a) < abs(b):  # columns become rows
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def import_pyav(path: pathlib.Path | str) -> Any:
    """Imports PyAV.

    Raises:
      UserError: If it is not installed.
    """
    return import_extra("av", "video", f"{path} is taken for a video")
