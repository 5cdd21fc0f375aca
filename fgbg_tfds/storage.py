"""Disks and buckets: what differs between them, and what they refuse."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator

from etils import epath

from fgbg_tfds.errors import InputError

REFUSALS = (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EFBIG)


def is_local(path: epath.PathLike) -> bool:
    """Returns whether a path has a file system's links, locks and free room."""
    return "://" not in os.fspath(path)


def link(source: epath.PathLike, target: epath.PathLike) -> None:
    """Makes `target` the same file as `source`, or a copy where links are not had."""
    source, target = epath.Path(source), epath.Path(target)
    if not is_local(target):
        if not target.exists():
            source.copy(target)  # what is in a bucket appears whole
        return
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        partial = target.with_name(target.name + ".partial")
        shutil.copyfile(source, partial)
        partial.rename(target)


@contextlib.contextmanager
def disk_errors_told(folder: epath.PathLike) -> Iterator[None]:
    """Turns what a full or read-only disk or bucket raises into an `InputError`."""
    import tensorflow as tf

    refusals = (
        PermissionError,
        tf.errors.PermissionDeniedError,
        tf.errors.UnauthenticatedError,
    )
    try:
        yield
    except refusals as error:
        raise InputError(f"{folder}: cannot be written: {error}") from error
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        reason = os.strerror(getattr(error, "errno", None) or errno.ENOSPC)
        if isinstance(error, OSError) and error.errno not in REFUSALS:
            raise
        raise InputError(
            f"{folder}: cannot be written: {reason}; make room or give another "
            "--data_dir; what is finished is kept for the next try"
        ) from error
