"""The exception for mistakes that a user can correct, and how `tfds` ends with it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


class InputError(ValueError):
    """A folder, file, flag or field that cannot be used as it is.

    The message is one sentence: it names the file, flag or field, and tells what was
    wrong and what would be right. Command lines print it without a traceback and exit
    with a code other than 0.
    """


def is_tfds_command() -> bool:
    """Tells whether this process is the `tfds` command."""
    command = "tensorflow_datasets.scripts.cli.main"
    main = getattr(sys.modules["__main__"], "__spec__", None)
    return command in sys.modules or getattr(main, "name", None) == command


@contextlib.contextmanager
def exit_on_input_error() -> Iterator[None]:
    """Ends the `tfds` command with an `InputError`'s message and no traceback.

    The command is TFDS's, so there is no `main` of ours to do this in. In other
    programs the error is raised.
    """
    try:
        yield
    except InputError as error:
        if is_tfds_command():
            sys.exit(f"error: {error}")
        raise
    except KeyboardInterrupt:
        if is_tfds_command():
            sys.exit("stopped; the same command goes on from what is finished")
        raise
