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


@contextlib.contextmanager
def exit_on_input_error() -> Iterator[None]:
    """Ends the `tfds` command with an `InputError`'s message and no traceback.

    The command is TFDS's, so there is no `main` of ours to do this in. In other
    programs the error is raised.
    """
    try:
        yield
    except InputError as error:
        if "tensorflow_datasets.scripts.cli.main" in sys.modules:
            sys.exit(f"error: {error}")
        raise
