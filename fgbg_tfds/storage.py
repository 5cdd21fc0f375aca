"""Disks and buckets: their differences and their errors."""

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
    """Tells whether a path is on a file system, with links, locks and free space."""
    return "://" not in os.fspath(path)


def link(source: epath.PathLike, target: epath.PathLike) -> None:
    """Links `target` to `source`, or copies it where there are no links."""
    source, target = epath.Path(source), epath.Path(target)
    if not is_local(target):
        if not target.exists():
            source.copy(target)  # files of a bucket appear whole
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
def report_disk_errors(folder: epath.PathLike) -> Iterator[None]:
    """Turns the errors of a full or read-only disk or bucket into an `InputError`.

    Where TFDS cannot remove its folder after an error, since workers that have not
    heard of it still put files there, the error is raised that was the first.
    """
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
        if getattr(error, "errno", None) == errno.ENOTEMPTY and error.__context__:
            raise error.__context__ from None
        reason = os.strerror(getattr(error, "errno", None) or errno.ENOSPC)
        if isinstance(error, OSError) and error.errno not in REFUSALS:
            raise
        raise InputError(
            f"{folder}: cannot be written: {reason}; make room or give another "
            "--data_dir; what is finished is kept for the next try"
        ) from error
