"""Files of this machine: paths as users write them, atomic writing, locks."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import tempfile
from collections.abc import Iterator

import filelock

from trainer.errors import UserError

LOCK = ".lock"


def expand(path: str, flag: str) -> pathlib.Path:
    """Expands `~` and `~user` at the front of a path.

    Args:
      path: The path as it was written.
      flag: Name of its flag, for the message.

    Raises:
      UserError: If that user has no home folder.
    """
    try:
        return pathlib.Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"--{flag}={path}: {pathlib.Path(path).parts[0]} is no home folder; give "
            "the path of one that is there"
        ) from error


def require_writable(folder: pathlib.Path, flag: str) -> None:
    """Checks that files can be written to a folder, and leaves nothing there.

    Args:
      folder: The folder. If it is missing, the one that it will be made in is checked.
      flag: Name of its flag, for the message.

    Raises:
      UserError: If they cannot, or a file is in the folder's place.
    """
    absolute = folder.absolute()
    there = next(p for p in (absolute, *absolute.parents) if os.path.lexists(p))
    try:
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{there} is a file")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise UserError(
            f"--{flag}={folder}: cannot be written to ({error.strerror or error}); "
            "give another folder"
        ) from error


@contextlib.contextmanager
def name_failures(path: pathlib.Path) -> Iterator[None]:
    """Turns the errors of writing a file or folder into a `UserError` that names it.

    Raises:
      UserError: If the block raises an OSError, such as that of a full disk.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def lock_folder(folder: pathlib.Path, busy: str) -> Iterator[None]:
    """Keeps a folder for this process as long as the block runs.

    The file `.lock` stays; it is the system that forgets the lock when a process ends,
    however it ends.

    Args:
      folder: The folder, which is made if need be.
      busy: The error's words if another process has it.

    Raises:
      UserError: If another process has it, or the folder cannot be written to.
    """
    # Not the process's own one, which would be taken twice without a word.
    lock = filelock.FileLock(folder / LOCK, timeout=0, is_singleton=False)
    with name_failures(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise UserError(busy) from error
    try:
        yield
    finally:
        lock.release()


def write_atomically(path: pathlib.Path, content: str | bytes) -> None:
    """Writes a file atomically: a reader finds the old one or the new one.

    Raises:
      UserError: If the disk is full or the folder cannot be written to.
    """
    content = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with name_failures(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
