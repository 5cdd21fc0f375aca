"""What TensorFlow writes on stderr when it starts, whatever its log level.

`fgbg_tfds/notices.py` drops the same, as `tests/test_notices.py` checks.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import os
import re
import sys
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


def quieten_tensorflow() -> None:
    """Has TensorFlow imported without its notices, whoever imports it first."""
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow once, with a loader that drops its notices."""

    def find_spec(self, fullname, path=None, target=None):
        """Finds the package where Python's own finders find it."""
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def execute_quietly(module):
                with drop_notices():
                    execute(module)
                    # Else it tells of missing drivers at its first work.
                    module.config.list_physical_devices()

            spec.loader.exec_module = execute_quietly
        return spec
