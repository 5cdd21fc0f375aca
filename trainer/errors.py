"""The exception for mistakes that a user can correct."""

from __future__ import annotations

import re


class UserError(Exception):
    """Names the flag, file or data set that is wrong and tells what would be right.

    Command lines print it as one line, without a traceback, and exit with 1.
    """


def summarise(error: Exception) -> str:
    """Gives an error's first line, without TensorFlow's names of nodes."""
    return re.sub(r"\{\{.*?\}\}\s*", "", str(error).strip().split("\n")[0])
