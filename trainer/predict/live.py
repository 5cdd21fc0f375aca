"""Live cameras: streams of the network, and devices, read with PyAV.

A thread reads as fast as frames come and keeps the newest; the others are dropped and
counted. A stream that breaks off is opened again.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import pathlib
import re
import signal
import threading
import time
from collections.abc import Container, Generator
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import tqdm

from trainer.errors import UserError
from trainer.predict.frames import (
    Frame,
    PictureFrames,
    VideoFrames,
    check_size,
)
from trainer.predict.pace import Pace
from trainer.predict.video import (
    VideoReader,
    find_pixel_aspect,
    format_size,
    import_pyav,
    turn_upright,
)

LOG = logging.getLogger("trainer")

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://.+", re.IGNORECASE)
DEVICES = "/dev/video"
OPEN_SECONDS, READ_SECONDS = 10.0, 10.0  # without a frame, the stream is broken off
WAITS = (1, 2, 4, 8, 15, 30)  # seconds before a stream is opened again
PATIENCE = 600.0  # seconds without a frame, after which the command ends
WARM_UP = 60.0  # seconds in which the empty scene is found


class LiveFrames:
    """The frames of a live camera, as fast as they are asked for.

    Attributes:
      address: Where it is, without password.
      size: Height and width of its frames, pixels.
      finite: Whether it says how long it is; then it is a film, and no camera.
      number: 0: it has no end.
      rate, time_base, pixel_aspect: As of a `VideoReader`; times are milliseconds.
      begun: Date and time at which it was opened, UTC.
      received: Number of frames that came.
      dropped: Number of those that came faster than they were asked for.
      broken: 0: a stream that breaks off is opened again.
    """

    number = 0
    broken = 0
    time_base = Fraction(1, 1000)

    def __init__(
        self, address: str, pace: Pace | None = None, patience: float = PATIENCE
    ):
        """Opens a stream and reads its first frame.

        Args:
          address: 'rtsp://…', 'http://…', or '/dev/video0'.
          pace: Which of the frames are wanted; all if None.
          patience: Seconds without a frame, after which reading ends.

        Raises:
          UserError: If PyAV is not installed, or nothing can be read there.
        """
        self.address = hide_password(address)
        self._av = import_pyav(self.address)
        self._address, self._pace, self._patience = address, pace, patience
        try:
            with self._open() as container:
                stream = container.streams.video[0]
                self.finite = bool(container.duration)
                self.rate = stream.average_rate or Fraction(25)
                first = next(container.decode(stream))
                self.size = turn_upright(first).shape[:2]
                self.pixel_aspect = find_pixel_aspect(stream, first)
        except (OSError, LookupError, StopIteration, self._av.FFmpegError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(
                f"{self.address} cannot be read ({reason}); is the camera on, and "
                "can its address be opened by a player?"
            ) from error
        self.paths, self.sizes = (pathlib.Path(self.address),), (self.size,)
        self.video = self
        self.received = self.dropped = 0
        self._begun = time.monotonic()
        self.begun = _find_clock(0).strftime("%Y%m%dT%H%M%S")
        self._newest: tuple[float, Any] | None = None
        self._failure: Exception | None = None
        self._arrived = threading.Condition()
        self._ended = self._interrupted = False
        self._thread: threading.Thread | None = None

    def describe_files(self) -> dict[str, list[int]]:
        """Describes where the frames come from, for the record."""
        return {self.address: []}

    def check(self, size: tuple[int, int], owner: str) -> None:
        """Checks the size against the background's; see `PictureFrames.check`."""
        check_size(self.address, self.size, size, owner)

    def sample(self, number: int) -> list[np.ndarray]:
        """Takes `number` frames, evenly spread over `WARM_UP` seconds."""
        chosen: list[np.ndarray] = []
        begun = time.monotonic()
        bar = tqdm.tqdm(total=number, desc="background", dynamic_ncols=True)
        every = WARM_UP / number
        with contextlib.closing(self.read()) as frames:
            for frame in frames:
                if time.monotonic() - begun >= len(chosen) * every:
                    chosen.append(frame.pixels)
                    bar.update()
                if len(chosen) == number:
                    break
        bar.close()
        self.dropped = 0  # none was asked for but these
        return chosen

    def read(self, without: Container[str] = ()) -> Generator[Frame]:
        """Reads the newest frame each time, until the stream is silent for long.

        Raises:
          UserError: If its frames change their size, or no frame has come for long.
        """
        del without
        handlers = self._heed_interrupts()
        last = -1
        try:
            self._start()
            while True:
                arrived, decoded = self._wait()
                pixels = turn_upright(decoded)
                if pixels.shape[:2] != self.size:
                    raise UserError(
                        f"{self.address} changes its size from "
                        f"{format_size(self.size)} to {format_size(pixels.shape)}; "
                        "begin again with another --out"
                    )
                seconds = arrived - self._begun
                last = max(last + 1, round(1000 * seconds))
                clock = _find_clock(time.monotonic() - arrived)
                name = clock.strftime("%Y%m%dT%H%M%S.%f")[:-3]
                stamp = clock.isoformat(timespec="milliseconds")
                yield Frame(name, pixels, last, seconds, stamp)
        finally:
            self._end()
            for number, handler in handlers.items():
                signal.signal(number, handler)
            if self._interrupted:  # and nobody waited for another frame
                raise KeyboardInterrupt

    def _heed_interrupts(self) -> dict:
        """Lets Ctrl-C end the reading between two frames, a second one at once.

        Python would raise it wherever it is, and where TensorFlow calls Python, or
        something is just being deleted, it was lost: the command went on for ever.

        Returns:
          The handlers of before, by their signals.
        """
        self._interrupted = False
        if threading.current_thread() is not threading.main_thread():
            return {}

        def note(number, stack):
            if self._interrupted:
                signal.default_int_handler(number, stack)
            self._interrupted = True

        return {n: signal.signal(n, note) for n in (signal.SIGINT, signal.SIGTERM)}

    def _end(self) -> None:
        """Ends the thread, which the interpreter must not leave while it decodes."""
        self._ended = True
        if self._thread:
            self._thread.join(OPEN_SECONDS + READ_SECONDS)

    def _start(self) -> None:
        self._end()
        self._ended, self._newest, self._failure = False, None, None
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _wait(self) -> tuple[float, Any]:
        """Waits for the newest frame: when it came, and what is decoded of it."""
        deadline = time.monotonic() + self._patience
        with self._arrived:
            while self._newest is None or self._interrupted:
                if self._interrupted:
                    raise KeyboardInterrupt
                if self._failure:
                    raise self._failure
                left = deadline - time.monotonic()
                if left <= 0:
                    raise UserError(
                        f"{self.address}: no frame for {self._patience:.0f} seconds; "
                        "what came before is answered"
                    )
                self._arrived.wait(min(left, 0.5))  # so that Ctrl-C is heard
            newest, self._newest = self._newest, None
            return newest

    def _receive(self) -> None:
        """Reads all frames and keeps the newest; runs in a thread."""
        failures = 0
        while not self._ended:
            try:
                with self._open() as container:
                    for decoded in container.decode(video=0):
                        if self._ended:
                            return
                        failures = 0
                        self._keep(decoded)
                reason: Any = "it ended"
            except (OSError, LookupError, self._av.FFmpegError) as error:
                reason = getattr(error, "strerror", None) or error
            except Exception as error:  # told where frames are awaited
                with self._arrived:
                    self._failure = error
                    self._arrived.notify()
                return
            wait = WAITS[min(failures, len(WAITS) - 1)]
            failures += 1
            if not self._ended:
                LOG.warning("%s: %s; opened again in %d s", self.address, reason, wait)
                for _ in range(10 * wait):
                    if self._ended:
                        return
                    time.sleep(0.1)

    def _keep(self, decoded: Any) -> None:
        now = time.monotonic()
        with self._arrived:
            self.received += 1
            if self._pace and not self._pace.wants(now):
                return
            self.dropped += self._newest is not None
            self._newest = (now, decoded)
            self._arrived.notify()

    def _open(self):
        if self._address.startswith(DEVICES):
            return self._av.open(self._address, format="v4l2", timeout=OPEN_SECONDS)
        options = {}
        if self._address.lower().startswith("rtsp"):
            options["rtsp_transport"] = "tcp"  # no torn pictures
        return self._av.open(
            self._address, options=options, timeout=(OPEN_SECONDS, READ_SECONDS)
        )


AnyFrames = PictureFrames | VideoFrames | LiveFrames


def open_address(
    address: str, pace: Pace | None = None, patience: float = PATIENCE
) -> LiveFrames | VideoFrames:
    """Opens a camera, or a film on a web server, which says how long it is.

    Args:
      address: See `LiveFrames`.
      pace: Which of the frames are wanted; all if None.
      patience: Seconds without a frame, after which reading a camera ends.

    Raises:
      UserError: If nothing can be read there.
    """
    camera = LiveFrames(address, pace, patience)
    if camera.finite:
        return VideoFrames(VideoReader(address, hide_password(address)), pace)
    return camera


def is_live(text: str) -> bool:
    """Tells whether a command line's word is an address or a device, not a file."""
    return bool(ADDRESS.fullmatch(text)) or text.startswith(DEVICES)


def hide_password(address: str) -> str:
    """Leaves out user and password of an address."""
    if not ADDRESS.fullmatch(address):
        return address
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _find_clock(ago: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago)
