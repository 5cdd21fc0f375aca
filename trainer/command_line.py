"""Commands from their arguments to their end: one line where the status is not 0."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from trainer.errors import UserError

LOG = logging.getLogger("trainer")

STOPPED = 130  # as of shells: 128 and SIGINT


def make_main(
    make_parser: Callable[[], argparse.ArgumentParser],
    command: Callable[[argparse.Namespace], None],
) -> Callable[..., int]:
    """Makes the `main` of a command.

    Args:
      make_parser: Makes the parser of its command line.
      command: Does what the arguments ask for.

    Returns:
      A function of the arguments, those of the process if None, to the exit status of
      `run_logged_command`.
    """

    def main(argv: list[str] | None = None) -> int:
        arguments = make_parser().parse_args(argv)
        return run_logged_command(lambda: command(arguments))

    return main


def start(main: Callable[[], int]) -> NoReturn:
    """Starts a command as this process, which SIGTERM ends as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())


def run_logged_command(command: Callable[[], None]) -> int:
    """Runs a command as `run_command`, and shows on stderr what it tells on its way."""
    LOG.handlers[:] = [logging.StreamHandler()]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    return run_command(command)


def run_command(command: Callable[[], None]) -> int:
    """Runs a command to whichever end it comes to.

    Args:
      command: The command.

    Returns:
      The exit status: 0; 1 after a mistake; `STOPPED` after Ctrl-C. A line on stderr
      goes with the last two.
    """
    try:
        command()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what is written is whole", file=sys.stderr)
        return STOPPED
    return 0
