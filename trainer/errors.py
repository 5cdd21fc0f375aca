"""The one exception for mistakes that the person at the keyboard can mend."""

from __future__ import annotations


class UserError(Exception):
    """Says which flag, file or data set is wrong and what would be right.

    `trainer.main` prints it as one line, without a traceback, and exits with 1.
    """
