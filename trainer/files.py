"""Atomic writing: files are whole or absent."""

from __future__ import annotations

import contextlib
import os
import pathlib

from trainer.errors import UserError


def write_atomically(path: pathlib.Path, content: str | bytes) -> None:
    """Writes a file atomically: a reader finds the old one or the new one.

    Raises:
      UserError: If the disk is full or the folder cannot be written to.
    """
    content = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
