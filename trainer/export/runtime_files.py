"""A network in files for other runtimes, each compared with it before it counts."""

from __future__ import annotations

import contextlib
import logging
import pathlib
import time
from collections.abc import Callable, Sequence

from trainer.export.comparison import Pair, check_file
from trainer.export.conversion import convert
from trainer.export.formats import Format
from trainer.files import name_failures
from trainer.resizing import resize

LOG = logging.getLogger("trainer")


def write_runtime_file(
    path: pathlib.Path,
    answer: Callable,
    kind: Format,
    size: tuple[int, int],
    reference: Callable,
    pairs: Sequence[Pair],
) -> None:
    """Converts a network, runs the file in its runtime and compares the answers.

    Args:
      path: The file to write. One that is there stays as it is if this one fails.
      answer: The network, as `make_portable_answer` gives it.
      kind: The format.
      size: Height and width of the pictures that it is made for, if `kind` is sized.
      reference: The network, as the signature `images` of a SavedModel.
      pairs: Pictures to compare answers for; resized where the file is for others.

    Raises:
      UserError: If the network cannot be converted or the file cannot be written, its
        runtime cannot run it, or its answers differ. No file is left then.
    """
    LOG.info("converting to %s, which takes a minute or two", kind.name)
    begun = time.monotonic()
    partial = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        content = convert(answer, kind, size)
        with name_failures(path):
            partial.write_bytes(content)
        difference = check_file(partial, kind, reference, _fit(pairs, kind, size))
        with name_failures(path):
            partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    LOG.info(
        "%s, %.1f MB, after %.0f s; beside the network: %s",
        path,
        len(content) / 1e6,
        time.monotonic() - begun,
        difference,
    )


def _fit(pairs: Sequence[Pair], kind: Format, size: tuple[int, int]) -> Sequence[Pair]:
    if kind.sized:
        return [(resize(bg, size), resize(fgbg, size)) for bg, fgbg in pairs]
    # A second size, which is a multiple of nothing.
    height, width = (side * 2 // 3 - 1 for side in pairs[0][0].shape[:2])
    bg, fgbg = pairs[0]
    return [*pairs, (bg[:height, :width], fgbg[:height, :width])]
