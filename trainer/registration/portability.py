"""Whether graphs are to hold only operations that other runtimes have, too.

ONNX and LiteRT have no resampling by a matrix and no solving of equations, and not all
have loops. Written with gathers, elimination and unrolled loops, the same is slower in
TensorFlow.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

_PORTABLE = contextvars.ContextVar("portable", default=False)
_UNROLLED = contextvars.ContextVar("unrolled", default=False)


@contextlib.contextmanager
def build_portably(unrolled: bool = False) -> Iterator[None]:
    """Has graphs that are traced within hold only operations that all runtimes have.

    Args:
      unrolled: Whether they have no loops either.
    """
    tokens = _PORTABLE.set(True), _UNROLLED.set(unrolled)
    try:
        yield
    finally:
        _PORTABLE.reset(tokens[0])
        _UNROLLED.reset(tokens[1])


def is_portable() -> bool:
    """Tells whether the graph that is traced has to be portable."""
    return _PORTABLE.get()


def is_unrolled() -> bool:
    """Tells whether the graph that is traced must have no loops."""
    return _UNROLLED.get()
