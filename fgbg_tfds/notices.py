"""What TensorFlow writes on stderr when it starts, whatever its log level.

`trainer/notices.py` drops the same, as `tests/test_notices.py` checks.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator

# That a machine has no GPU, or a processor of its own, is no news to its user; that a
# GPU cannot be used is: only the error of a missing driver, 303, is left out.
_NOTICE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|I0000 \S+ +\d+ (port|cudart_stub|cpu_feature_guard)\.cc:"
    rb"|To enable the following instructions"
    rb"|E0000 .* failed call to cuInit: .*\(303\)"
)


@contextlib.contextmanager
def drop_notices() -> Iterator[None]:
    """Drops such notices from stderr; what else is written there comes at the end."""
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            rest = [line for line in written if not _NOTICE.match(line)]
            os.write(2, b"".join(rest))


def find_devices() -> None:
    """Has TensorFlow look for devices, which it else does at its first work."""
    import tensorflow as tf

    with drop_notices():
        tf.config.list_physical_devices()
