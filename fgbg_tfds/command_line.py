"""The end of a command: its exit status, and one line where it is not 0."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from fgbg_tfds.errors import InputError
from fgbg_tfds.notices import find_devices

STOPPED = 130  # as of shells: 128 and SIGINT


def run_command(command: Callable[[], None]) -> int:
    """Runs a command to whichever end it comes to.

    Args:
      command: The command. Ctrl-C and SIGTERM raise KeyboardInterrupt in it.

    Returns:
      The exit status: 0; 1 after a mistake; `STOPPED` after Ctrl-C or SIGTERM. A line
      on stderr goes with the last two.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Else a file's name that the terminal cannot show would be an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with _take_terminate_for_interrupt():
            find_devices()
            command()
            sys.stdout.flush()
        return 0
    except InputError as error:
        message = str(error)
    except MemoryError as error:
        message = f"not enough memory: {error}"
    except OSError as error:
        place = error.filename or "the output"  # of print, which has no name
        message = _give_up_output() or f"{place}: {error.strerror or error}"
    except KeyboardInterrupt:
        print("stopped; finished files stay", file=sys.stderr)
        return STOPPED
    print(f"error: {message}", file=sys.stderr)
    return 1


@contextlib.contextmanager
def spare_children() -> Iterator[None]:
    """Starts processes that Ctrl-C does not reach: it is this process that stops them.

    The terminal sends it to all, and each would print a traceback of its own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # children inherit it
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _take_terminate_for_interrupt() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _give_up_output() -> str:
    """Drops what stdout cannot take, which Python would try again to write at its end.

    Returns:
      The reason; empty if stdout took all.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return f"the output: {error.strerror}"
    return ""
