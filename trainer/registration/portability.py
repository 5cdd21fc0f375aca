"""Whether graphs are to hold only operations that other runtimes have, too.

ONNX and LiteRT have no resampling by a matrix and no solving of equations; OpenVINO
does not read the loops that tf2onnx writes. Written with gathers, elimination and
unrolled loops, the same is slower in TensorFlow.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

_PORTABLE = contextvars.ContextVar("portable", default=False)


@contextlib.contextmanager
def build_portably() -> Iterator[None]:
    """Has graphs that are traced within hold only operations that all runtimes have."""
    token = _PORTABLE.set(True)
    try:
        yield
    finally:
        _PORTABLE.reset(token)


def is_portable() -> bool:
    """Tells whether the graph that is traced has to be portable."""
    return _PORTABLE.get()
