"""The end of a command: its exit status, and one line where it is not 0."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from trainer.errors import UserError

LOG = logging.getLogger("trainer")

STOPPED = 130  # as of shells: 128 and SIGINT


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
