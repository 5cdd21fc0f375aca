"""The one exception that stands for a user's mistake."""


class InputError(ValueError):
    """A folder, file, flag or field that cannot be used as it is.

    The message is one sentence for the user: it names the file, flag or field,
    says what was wrong and what would be right. Command lines print it without a
    traceback and exit with a code other than 0.
    """
