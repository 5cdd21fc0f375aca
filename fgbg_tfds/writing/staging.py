"""Finished shards and batches of a build, from which a killed one goes on."""

from __future__ import annotations

import contextlib
import itertools
import json
import pathlib
import shutil
import struct
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import filelock
from absl import logging
from etils import epath

from fgbg_tfds.compose import Recipe
from fgbg_tfds.errors import InputError
from fgbg_tfds.storage import is_local, link
from fgbg_tfds.writing.examples import Encoded, estimate_example_bytes

_BOX = struct.Struct("<4d")
WRITING_SECONDS = 3
ORIGIN = "origin.json"
LOCK = ".building.lock"


class Staging:
    """A folder beside the data set with its finished shards and batches.

    Finished shards are hard links to those in TFDS's own partial folder, so that they
    take no space. Batches are kept only while their shard is not finished. All files
    appear by renaming or linking, so that each is whole. In a bucket, which has no
    links, shards are copied, and batches are not kept: writing one would take longer
    than the teacher needs for it.

    Attributes:
      folder: The folder; it exists once the staging is opened.
    """

    def __init__(self, folder: epath.PathLike):
        self.folder = epath.Path(folder)

    def locate_shard(self, name: str) -> epath.Path:
        """Returns the path of a shard, which exists once it is finished."""
        return self.folder / name

    def list_names(self) -> frozenset[str]:
        """Lists the names of what is finished: shards, and batches of others."""
        return frozenset(path.name for path in self.folder.iterdir())

    @contextlib.contextmanager
    def write_whole(self, path: epath.PathLike) -> Iterator[epath.Path]:
        """Has a file appear at `path` when it is whole.

        An engine may have two processes write the same file: it gives a shard away
        again when it hears nothing of a worker, which may be alive. So each has a file
        of its own, here, where what a killed one leaves is removed. In a bucket, files
        appear whole.

        Yields:
          The path to write to.
        """
        if not is_local(path):
            yield epath.Path(path)
            return
        partial = self.folder / f"{epath.Path(path).name}.{uuid.uuid4().hex}.partial"
        try:
            yield partial
            partial.replace(path)  # the other process may have been first
        finally:
            partial.unlink(missing_ok=True)

    def keep_shard(self, path: epath.Path) -> None:
        """Keeps a finished shard, and removes its batches."""
        link(path, self.locate_shard(path.name))
        if is_local(self.folder):
            # By number: a list of the folder for each shard is the square of them.
            for index in itertools.count():
                batch = self._batch_path(path.name, index)
                if not batch.exists():
                    break
                batch.unlink(missing_ok=True)

    def read_batch(self, shard: str, index: int) -> list[Encoded] | None:
        """Reads the examples of a finished batch, None where it is not finished."""
        path = self._batch_path(shard, index)
        if not is_local(path) or not path.exists():
            return None
        import tensorflow as tf  # Slow to import, and seldom needed.

        try:
            records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
        except tf.errors.NotFoundError:  # another worker has finished the shard
            return None
        return [
            Encoded(fgbg, mask, metres, _BOX.unpack(box))
            for fgbg, mask, metres, box in zip(*[iter(records)] * 4, strict=True)
        ]

    def keep_batch(self, shard: str, index: int, examples: Sequence[Encoded]) -> None:
        """Writes the examples of a batch, unless the folder lies in a bucket."""
        if not is_local(self.folder):
            return
        import tensorflow as tf

        with (
            self.write_whole(self._batch_path(shard, index)) as partial,
            tf.io.TFRecordWriter(str(partial)) as writer,
        ):
            for example in examples:
                writer.write(example.fgbg)
                writer.write(example.mask)
                writer.write(example.depth)
                writer.write(_BOX.pack(*example.bbox))

    def _batch_path(self, shard: str, index: int) -> epath.Path:
        return self.folder / f"{shard}.batch-{index:05d}"


class BuildLock:
    """A lock that lets one build at a time work on a config.

    A killed build releases it. Its hidden file stays. A bucket has no locks; the log
    says so.
    """

    def __init__(self, config_folder: epath.PathLike):
        self._folder = epath.Path(config_folder)
        self._lock: filelock.BaseFileLock | None = None

    def __enter__(self):
        if not is_local(self._folder):
            logging.info(
                "%s: cannot be locked; build this config from one place only",
                self._folder,
            )
            return self
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._folder / LOCK, is_singleton=False)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise InputError(
                f"{self._folder}: another build of this config is at work; wait for it "
                "or stop it"
            ) from error
        self._lock = lock
        return self

    def __exit__(self, *exception):
        if self._lock:
            self._lock.release()


def estimate_bytes(recipe: Recipe, image_size: int, max_examples: int | None) -> int:
    """Estimates the disk space of a build, generously.

    Args:
      recipe: The data set's recipe.
      image_size: The side of its pictures, pixels.
      max_examples: Maximum number of examples in a split; None for all.
    """
    counts = map(len, recipe.splits.values())
    total = sum(min(count, max_examples or count) for count in counts)
    return total * estimate_example_bytes(image_size)


def require_space(folder: epath.PathLike, needed: int) -> None:
    """Checks that the disk has the space that a build needs.

    Files left by earlier builds of the config count as free: they are used or removed.

    Args:
      folder: The folder of the build; it need not exist yet. A bucket has space.
      needed: Bytes.

    Raises:
      InputError: If there is too little space.
    """
    if not is_local(folder):
        return
    folder = pathlib.Path(folder)
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free + _count_left_bytes(folder)
    if free < needed:
        raise InputError(
            f"{folder}: the build needs about {_format_size(needed)}, but only "
            f"{_format_size(free)} are free; make room or give another --data_dir"
        )


def _count_left_bytes(folder: pathlib.Path) -> int:
    """Adds up the files that builds left in a config's folder, links once."""
    files = (
        path.stat()
        for left in list_leftovers(folder)
        for path in pathlib.Path(left).glob("*")
    )
    return sum({stat.st_ino: stat.st_size for stat in files}.values())


def _format_size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def open_staging(
    config_folder: epath.PathLike,
    name: str,
    origin: dict[str, Any],
    overwrite: bool = False,
) -> Staging:
    """Opens the staging folder of a build and removes what killed ones left.

    Args:
      config_folder: The folder of the config's versions; its lock is held.
      name: Name of what the build makes; files staged under another are removed.
      origin: Settings of the build, and versions of the libraries it is made with.
      overwrite: Whether files that were staged with other versions are removed too.

    Returns:
      The staging; its folder exists.

    Raises:
      InputError: If files of the same settings were staged with other versions.
    """
    folder = epath.Path(config_folder) / f"resume.{name}"
    leftovers = [one for one in list_leftovers(config_folder) if one != folder]
    if not overwrite:
        for leftover in leftovers:
            _refuse_other_versions(leftover, origin)
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in leftovers:
        leftover.rmtree()
    for partial in folder.iterdir():
        if partial.suffix == ".partial":
            partial.unlink()
    (folder / ORIGIN).write_text(json.dumps(origin, indent=2), "utf-8")
    return Staging(folder)


def _refuse_other_versions(leftover: epath.Path, origin: dict[str, Any]) -> None:
    """Refuses to remove what the same build has staged with other libraries."""
    path = leftover / ORIGIN
    if not path.exists():
        return
    try:
        staged = json.loads(path.read_text("utf-8"))
        versions = staged["versions"]
        same = staged["settings"] == json.loads(json.dumps(origin["settings"]))
    except (ValueError, KeyError, TypeError):
        return  # no note of ours, so nothing that could be gone on from
    if same and versions != origin["versions"]:
        then, now = (
            ", ".join(f"{k} {v}" for k, v in sorted(each.items()))
            for each in (versions, origin["versions"])
        )
        raise InputError(
            f"{leftover}: holds what this build finished with {then}, and here is "
            f"{now}, which may give other bytes; install those versions to go on, or "
            "build with --overwrite to begin anew"
        )


def list_leftovers(config_folder: epath.PathLike) -> list[epath.Path]:
    """Lists the folders of a config's builds that are at work or were killed."""
    return [
        *_list_beginning_with(config_folder, "resume."),
        *_list_beginning_with(config_folder, "incomplete."),
    ]


def close_staging(config_folder: epath.PathLike) -> None:
    """Removes all staging folders of a config that is built.

    It also removes the partial notes of a build that was killed while TFDS noted its
    configs. TFDS writes these in a moment, so notes that are seconds old are left over.
    """
    for folder in list_leftovers(config_folder):
        folder.rmtree()
    notes = epath.Path(config_folder).parent / ".config"
    for partial in _list_beginning_with(notes, "incomplete."):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - partial.stat().mtime > WRITING_SECONDS:
                partial.unlink()


def remove_leftovers(config_folder: epath.PathLike) -> None:
    """Removes the leftovers of a build that was killed when all was done."""
    if list_leftovers(config_folder):
        # Another build may be at work, or the disk be read-only by now.
        with contextlib.suppress(InputError, OSError), BuildLock(config_folder):
            close_staging(config_folder)


def _list_beginning_with(folder: epath.PathLike, start: str) -> list[epath.Path]:
    folder = epath.Path(folder)
    if not folder.exists():
        return []
    return [path for path in folder.iterdir() if path.name.startswith(start)]
