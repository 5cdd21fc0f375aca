"""The limits of a server, and the refusals that keep them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

MEGA = 1_000_000


class Refusal(Exception):
    """Refuses a request in one line, with the status of HTTP that fits.

    Attributes:
      status: 400 a mistake in what was sent, 404 no such model or version, 408 too
        slow, 413 too large, 503 too busy.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Attributes:
      queue: Requests at a time, from their first byte to the last of their answer.
      request_bytes: Bytes of one request.
      waiting_bytes: Bytes of all these requests and of the answers that are not sent.
      pixels: Pixels of one picture, and of all pictures that the network looks at
        together.
      seconds: Time in which a request has to come, and a piece of its answer to go.
    """

    queue: int
    request_bytes: int
    waiting_bytes: int
    pixels: int
    seconds: float = 60.0


class Queue:
    """The requests that a server has taken, so many and so large at most.

    Used by the thread of the event loop alone.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        self._number = self._bytes = 0

    @contextlib.contextmanager
    def enter(self, size: int) -> Iterator[Callable[[int], None]]:
        """Counts a request as long as the block runs.

        Args:
          size: Its bytes.

        Yields:
          A function of the bytes of its answer, which counts these too.

        Raises:
          Refusal: If there is no room for it.
        """
        limits = self._limits
        if self._number >= limits.queue:
            raise Refusal(
                503, f"busy: {limits.queue} requests wait already; ask again later"
            )
        if self._bytes + size > limits.waiting_bytes:
            raise Refusal(
                503,
                f"busy: requests and answers that wait have {self._bytes / MEGA:g} MB; "
                "ask again later",
            )
        counted = 0

        def count(more: int) -> None:
            nonlocal counted
            counted += more
            self._bytes += more

        self._number += 1
        count(size)
        try:
            yield count
        finally:
            self._number -= 1
            self._bytes -= counted
