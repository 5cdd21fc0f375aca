"""Files of this machine: their paths as users write them, and atomic writing."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping

from fgbg_tfds.errors import InputError


def expand(path: str | os.PathLike) -> pathlib.Path:
    """Expands `~` and `~user` at the front of a path.

    Raises:
      InputError: If that user has no home folder.
    """
    try:
        return pathlib.Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{path}: {pathlib.Path(path).parts[0]} is no home folder; give the path "
            "of one that is there"
        ) from error


def parse_path(text: str) -> pathlib.Path:
    """Parses a path of a command line; see `expand`.

    Raises:
      argparse.ArgumentTypeError: If it is empty, or nobody's.
    """
    if not text:
        raise argparse.ArgumentTypeError("the path is empty; give a file or a folder")
    try:
        return expand(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def require_writable(folder: pathlib.Path, advice: str = "give another folder") -> None:
    """Checks that files can be written to a folder, and leaves nothing there.

    Args:
      folder: The folder. If it is missing, the one that it will be made in is checked.
      advice: Words for the message that say what would be right.

    Raises:
      InputError: If they cannot, or a file is in the folder's place.
    """
    absolute = folder.absolute()
    there = next(p for p in (absolute, *absolute.parents) if os.path.lexists(p))
    try:
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{there} is a file")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written to ({error.strerror or error}); {advice}"
        ) from error


@contextlib.contextmanager
def name_failures(path: pathlib.Path) -> Iterator[None]:
    """Turns the errors of writing a file or folder into an `InputError` that names it.

    Raises:
      InputError: If the block raises an OSError, such as that of a full disk.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}); make room, or "
            "give another place"
        ) from error


def write_atomically(path: pathlib.Path, content: bytes) -> None:
    """Writes a file atomically: a reader finds the old one or the new one, whole.

    Its folder is made if need be.

    Raises:
      InputError: If it cannot be written.
    """
    write_together({path: content})


def write_together(contents: Mapping[pathlib.Path, bytes]) -> None:
    """Writes files atomically, and none of them if one finds no room.

    Args:
      contents: The files' bytes by path; see `write_atomically`.

    Raises:
      InputError: If one cannot be written.
    """
    partials = {
        path: path.with_name(f".fgbg-{os.getpid()}-{number}.part")
        for number, path in enumerate(contents)
    }
    try:
        for path, partial in partials.items():
            with name_failures(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                partial.write_bytes(contents[path])
        for path, partial in partials.items():
            with name_failures(path):
                partial.replace(path)
    finally:
        for partial in partials.values():
            with contextlib.suppress(OSError):
                partial.unlink()
