"""Keeps what a build has finished, so that a killed one can go on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shutil
import struct
import time
from collections.abc import Sequence

from absl import logging
from etils import epath

from fgbg_tfds.errors import InputError
from fgbg_tfds.storage import is_local, link
from fgbg_tfds.writing.examples import Encoded

_BOX = struct.Struct("<4d")
WRITING_SECONDS = 3


class Staging:
    """A folder beside the data set with its finished shards and batches.

    Finished shards are hard links to those in TFDS's own partial folder, so
    they take no room of their own; batches are kept only while their shard is
    not finished. Everything appears by renaming or linking: what is there is
    whole. In a bucket shards are copied, for want of links, and batches are not
    kept: writing each would take longer than the teacher needs for it.

    Attributes:
      folder: The folder; it exists once the staging is opened.
    """

    def __init__(self, folder: epath.PathLike):
        self.folder = epath.Path(folder)

    def shard(self, name: str) -> epath.Path:
        """Returns where a shard stands when it is finished."""
        return self.folder / name

    def keep_shard(self, path: epath.Path) -> None:
        """Takes note of a finished shard; its batches are no longer needed."""
        link(path, self.shard(path.name))
        if is_local(self.folder):
            for batch in _beginning_with(self.folder, f"{path.name}.batch-"):
                batch.unlink(missing_ok=True)

    def batch(self, shard: str, index: int) -> list[Encoded] | None:
        """Returns the examples of a finished batch, None where it is not finished."""
        path = self._batch_path(shard, index)
        if not is_local(path) or not path.exists():
            return None
        import tensorflow as tf  # Slow to import; most users of this module need none.

        records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
        return [
            Encoded(fgbg, mask, metres, _BOX.unpack(box))
            for fgbg, mask, metres, box in zip(*[iter(records)] * 4, strict=True)
        ]

    def keep_batch(self, shard: str, index: int, examples: Sequence[Encoded]) -> None:
        """Writes the examples of a batch, unless the folder lies in a bucket."""
        if not is_local(self.folder):
            return
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

    def _batch_path(self, shard: str, index: int) -> epath.Path:
        return self.folder / f"{shard}.batch-{index:05d}"


class BuildLock:
    """Lets one build at a time work on a config; a killed build lets go of it.

    A bucket has no such lock: there the user sees to it, as the log says.
    """

    def __init__(self, config_folder: epath.PathLike):
        self._path = epath.Path(config_folder) / "building.lock"

    def __enter__(self):
        self._file = None
        if not is_local(self._path):
            logging.info(
                "%s: cannot be locked; build this config from one place only",
                self._path.parent,
            )
            return self
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(
                os.fstat(file.fileno()), pathlib.Path(self._path).stat()
            ):
                raise BlockingIOError  # another one came and went meanwhile
        except (BlockingIOError, FileNotFoundError) as error:
            file.close()
            raise InputError(
                f"{self._path.parent}: another build of this config is at work; wait "
                "for it or stop it"
            ) from error
        self._file = file
        return self

    def __exit__(self, *exception):
        if self._file:
            self._path.unlink(missing_ok=True)
            self._file.close()


def require_room(folder: epath.PathLike, needed: int) -> None:
    """Raises an `InputError` where the disk has less room than a build needs.

    What earlier builds of the config left counts as free: it is used or removed.

    Args:
      folder: Where the build will write; it need not exist yet. A bucket is
        taken to have room.
      needed: Bytes.
    """
    if not is_local(folder):
        return
    folder = pathlib.Path(folder)
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free + _left_bytes(folder)
    if free < needed:
        raise InputError(
            f"{folder}: the build needs about {_as_size(needed)}, but only "
            f"{_as_size(free)} are free; make room or give another --data_dir"
        )


def _left_bytes(folder: pathlib.Path) -> int:
    """Returns the size of what builds left in a config's folder, links once."""
    files = (
        path.stat()
        for left in leftovers(folder)
        for path in pathlib.Path(left).glob("*")
    )
    return sum({stat.st_ino: stat.st_size for stat in files}.values())


def _as_size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def open_staging(config_folder: epath.PathLike, fingerprint: str) -> Staging:
    """Opens the staging folder of a build and removes what killed ones left.

    Args:
      config_folder: The folder of the config's versions; its lock is held.
      fingerprint: Of all that decides the bytes; what was staged under another
        is removed.

    Returns:
      The staging; its folder exists.
    """
    folder = epath.Path(config_folder) / f"resume.{fingerprint}"
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in leftovers(config_folder):
        if leftover != folder:
            leftover.rmtree()
    for partial in folder.iterdir():
        if partial.suffix == ".partial":
            partial.unlink()
    return Staging(folder)


def leftovers(config_folder: epath.PathLike) -> list[epath.Path]:
    """Returns the folders that builds of a config work in, or were killed in."""
    return [
        *_beginning_with(config_folder, "resume."),
        *_beginning_with(config_folder, "incomplete."),
    ]


def close_staging(config_folder: epath.PathLike) -> None:
    """Removes all staging folders of a config that is built.

    And what a build that was killed while TFDS noted its configs left: TFDS writes
    that in a moment, so what is seconds old is nobody's.
    """
    for folder in leftovers(config_folder):
        folder.rmtree()
    notes = epath.Path(config_folder).parent / ".config"
    for partial in _beginning_with(notes, "incomplete."):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - partial.stat().mtime > WRITING_SECONDS:
                partial.unlink()


def remove_leftovers(config_folder: epath.PathLike) -> None:
    """Removes what is left of a build that was killed when all was done."""
    lock = epath.Path(config_folder) / "building.lock"
    if leftovers(config_folder) or lock.exists():
        # Another build may be at work, or the disk be read-only by now.
        with contextlib.suppress(InputError, OSError), BuildLock(config_folder):
            close_staging(config_folder)


def _beginning_with(folder: epath.PathLike, start: str) -> list[epath.Path]:
    folder = epath.Path(folder)
    if not folder.exists():
        return []
    return [path for path in folder.iterdir() if path.name.startswith(start)]
