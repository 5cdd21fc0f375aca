"""Keeps what a build has finished, so that a killed one can go on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pathlib
import shutil
import struct
from collections.abc import Iterator, Sequence

from fgbg_tfds.errors import InputError
from fgbg_tfds.labelling import Encoded

_BOX = struct.Struct("<4d")


class Staging:
    """A folder beside the data set with its finished shards and batches.

    Finished shards are hard links to those in TFDS's own partial folder, so
    they take no room of their own; batches are kept only while their shard is
    not finished. Everything appears by renaming or linking: what is there is
    whole.

    Attributes:
      folder: The folder; it exists once the staging is opened.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def shard(self, name: str) -> pathlib.Path:
        """Returns where a shard stands when it is finished."""
        return self.folder / name

    def keep_shard(self, path: pathlib.Path) -> None:
        """Takes note of a finished shard; its batches are no longer needed."""
        link(path, self.shard(path.name))
        for batch in self.folder.glob(f"{path.name}.batch-*"):
            batch.unlink()

    def batch(self, shard: str, index: int) -> list[Encoded] | None:
        """Returns the examples of a finished batch, None where it is not finished."""
        path = self._batch_path(shard, index)
        if not path.exists():
            return None
        import tensorflow as tf  # Slow to import; most users of this module need none.

        records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
        return [
            Encoded(fgbg, mask, metres, _BOX.unpack(box))
            for fgbg, mask, metres, box in zip(*[iter(records)] * 4, strict=True)
        ]

    def keep_batch(self, shard: str, index: int, examples: Sequence[Encoded]) -> None:
        """Writes the examples of a batch."""
        import tensorflow as tf

        path = self._batch_path(shard, index)
        partial = path.with_name(path.name + ".partial")
        with tf.io.TFRecordWriter(str(partial)) as writer:
            for example in examples:
                writer.write(example.fgbg)
                writer.write(example.mask)
                writer.write(example.depth)
                writer.write(_BOX.pack(*example.bbox))
        partial.rename(path)

    def _batch_path(self, shard: str, index: int) -> pathlib.Path:
        return self.folder / f"{shard}.batch-{index:05d}"


class BuildLock:
    """Lets one build at a time work on a config; a killed build lets go of it."""

    def __init__(self, config_folder: pathlib.Path):
        self._path = config_folder / "building.lock"

    def __enter__(self):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InputError(
                f"{self._path.parent}: another build of this config is at work; wait "
                "for it or stop it"
            ) from error
        return self

    def __exit__(self, *exception):
        self._path.unlink(missing_ok=True)
        self._file.close()


def require_room(folder: pathlib.Path, needed: int) -> None:
    """Raises an `InputError` where the disk has less room than a build needs.

    Args:
      folder: Where the build will write; it need not exist yet.
      needed: Bytes.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise InputError(
            f"{folder}: the build needs about {needed / 1e9:.1f} GB, but only "
            f"{free / 1e9:.1f} GB are free; make room or give another --data_dir"
        )


@contextlib.contextmanager
def disk_errors_told(folder: pathlib.Path) -> Iterator[None]:
    """Turns what a full or read-only disk raises into an `InputError`."""
    import tensorflow as tf

    refusals = (
        PermissionError,
        tf.errors.ResourceExhaustedError,
        tf.errors.PermissionDeniedError,
    )
    try:
        yield
    except refusals as error:
        raise InputError(f"{folder}: cannot be written: {error}") from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR):
            raise
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}; make room or give another "
            "--data_dir; what is finished is kept for the next try"
        ) from error


def open_staging(config_folder: pathlib.Path, fingerprint: str) -> Staging:
    """Opens the staging folder of a build and removes what killed ones left.

    Args:
      config_folder: The folder of the config's versions; its lock is held.
      fingerprint: Of all that decides the bytes; what was staged under another
        is removed.

    Returns:
      The staging; its folder exists.
    """
    folder = config_folder / f"resume.{fingerprint}"
    for leftover in (
        *config_folder.glob("incomplete.*"),
        *config_folder.glob("resume.*"),
    ):
        if leftover != folder:
            shutil.rmtree(leftover)
    folder.mkdir(parents=True, exist_ok=True)
    for partial in folder.glob("*.partial"):
        partial.unlink()
    return Staging(folder)


def close_staging(config_folder: pathlib.Path) -> None:
    """Removes all staging folders of a config that is built."""
    for folder in config_folder.glob("resume.*"):
        shutil.rmtree(folder)


def link(source: pathlib.Path, target: pathlib.Path) -> None:
    """Makes `target` the same file as `source`, or a copy where links are not had."""
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        partial = target.with_name(target.name + ".partial")
        shutil.copyfile(source, partial)
        partial.rename(target)
