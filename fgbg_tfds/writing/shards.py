"""The files of the data set: cut by the recipe, and written."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import operator
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import tensorflow_datasets as tfds
from etils import epath
from tqdm import tqdm

from fgbg_tfds.compose import Recipe
from fgbg_tfds.errors import InputError
from fgbg_tfds.settings import Settings
from fgbg_tfds.storage import link
from fgbg_tfds.writing.examples import Studio, estimate_example_bytes
from fgbg_tfds.writing.fingerprint import get_versions
from fgbg_tfds.writing.staging import Staging

EXAMPLES_PER_SHARD = 512
MAX_SHARDS = 1000  # of a split; larger splits get larger shards
_OPENING = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Shard:
    """The description of a file of the data set, which is sent to workers.

    Attributes:
      split: Its split.
      first: Its first composite in the split.
      last: One after its last composite.
      file_name: The name of its file.
    """

    split: str
    first: int
    last: int
    file_name: str

    def __len__(self) -> int:
        return self.last - self.first


@functools.lru_cache(maxsize=1)
def open_studio(settings: Settings) -> Studio:
    """Opens a data set's studio once in a process, so that its teacher loads once."""
    return Studio(settings)


@dataclasses.dataclass(frozen=True)
class Cut:
    """The cut of splits into files that a build asks for.

    Attributes:
      max_examples: Maximum number of examples in a split; None for all.
      num_shards: Number of files of a split, or fewer if it has fewer examples; None
        for files of `EXAMPLES_PER_SHARD`.
      max_per_shard: Maximum number of examples in a file; None for no other limit.
    """

    max_examples: int | None = None
    num_shards: int | None = None
    max_per_shard: int | None = None

    @classmethod
    def from_download_config(
        cls, config: tfds.download.DownloadConfig, image_size: int
    ) -> Cut:
        """Reads the cut from the flags of `tfds build`.

        Raises:
          InputError: If they cannot be had.
        """
        default = tfds.download.DownloadConfig()
        if config.num_shards is not None and config.num_shards < 1:
            raise InputError(f"--num_shards {config.num_shards}: give at least 1")
        limit = config.max_examples_per_split
        if limit is not None and limit < 1:
            raise InputError(f"--max_examples_per_split {limit}: give at least 1")
        per_shard = None
        if config.max_shard_size != default.max_shard_size:
            if config.num_shards:
                raise InputError(
                    "--num_shards and --max_shard_size_mb: give one of them"
                )
            one = estimate_example_bytes(image_size)
            per_shard = config.max_shard_size // one
            if not per_shard:
                raise InputError(
                    f"--max_shard_size_mb: an example of {image_size} x {image_size} "
                    f"pixels may take {one / 2**20:.1f} MB; give more"
                )
        return cls(limit, config.num_shards, per_shard)

    @property
    def is_chosen(self) -> bool:
        """Whether the number of files was asked for."""
        return bool(self.num_shards or self.max_per_shard)

    @property
    def name(self) -> str:
        """A name for the files of this cut."""
        parts = [str(self.max_examples or "all")]
        if self.num_shards:
            parts.append(f"in_{self.num_shards}")
        if self.max_per_shard:
            parts.append(f"by_{self.max_per_shard}")
        return "_".join(parts)

    def find_starts(self, total: int) -> list[int]:
        """Finds the first examples of the files of a split of `total` examples."""
        if self.num_shards:
            number = min(self.num_shards, total)
            return [index * total // number for index in range(number)]
        size = max(EXAMPLES_PER_SHARD, math.ceil(total / MAX_SHARDS))
        return list(range(0, total, min(size, self.max_per_shard or size)))


def cut_shards(
    recipe: Recipe, file_name: Callable[[str, int, int], str], cut: Cut
) -> dict[str, list[Shard]]:
    """Cuts each split of a recipe into shards.

    Args:
      recipe: The data set's recipe.
      file_name: Names a shard's file by split, index and number of shards.
      cut: The cut that is asked for.

    Returns:
      The shards of each split, of `EXAMPLES_PER_SHARD` examples, or more where
      there would be more than `MAX_SHARDS`, if nothing else is asked for.
    """
    shards = {}
    for split, composites in recipe.splits.items():
        total = min(len(composites), cut.max_examples or len(composites))
        starts = cut.find_starts(total)
        shards[split] = [
            Shard(split, first, last, file_name(split, index, len(starts)))
            for index, (first, last) in enumerate(itertools.pairwise([*starts, total]))
        ]
    return shards


class ShardWriter:
    """Writes shards into TFDS's folder, or takes over those of an earlier build.

    It is sent to workers.

    Args:
      settings: The data set's settings.
      fingerprint: The data set's; pictures with another fingerprint are refused.
      features: TFDS's features.
      file_format: TFDS's file format.
      folder: Folder of the files.
      staging: Finished shards and batches.
    """

    def __init__(
        self,
        settings: Settings,
        fingerprint: str,
        features: tfds.features.FeaturesDict,
        file_format,
        folder: epath.PathLike,
        staging: Staging,
    ):
        self._settings = settings
        self._fingerprint = fingerprint
        self._features = features
        self._writer = tfds.core.writer.ExampleWriter(file_format=file_format)
        self._folder = epath.Path(folder)
        self._staging = staging

    def write(self, shards: Sequence[Shard], done: Callable[[int], object]) -> None:
        """Writes shards one after another; the teacher does not wait between them.

        Args:
          shards: The shards.
          done: Called with the number of examples done.

        Raises:
          InputError: If this machine's pictures are not those of the data set.
        """
        todo = []
        for shard in shards:
            finished = self._staging.locate_shard(shard.file_name)
            if finished.exists():
                link(finished, self._folder / shard.file_name)
                done(len(shard))
            else:
                todo.append(shard)
        if not todo:
            return
        with _OPENING:  # a worker may write in several threads
            studio = open_studio(self._settings)
            _ = studio.teacher
        if studio.fingerprint != self._fingerprint:
            raise InputError(
                f"{self._settings.foregrounds}, {self._settings.backgrounds}: on "
                f"{socket.gethostname()} are other pictures, weights or versions "
                f"({_format_versions()}) than where the build was started; give all "
                "workers the same"
            )
        pieces = (
            (
                shard.file_name,
                studio.recipe.splits[shard.split][shard.first : shard.last],
            )
            for shard in todo
        )
        examples = studio.make_examples(pieces, self._staging)
        for name, members in itertools.groupby(examples, operator.itemgetter(0)):
            path = self._folder / name
            with self._staging.write_whole(path) as partial:
                self._writer.write(partial, self._serialize(members, done))
            self._staging.keep_shard(path)

    def count_finished(self, shards: Iterable[Shard]) -> int:
        """Counts the examples of the shards that are finished, by whichever process."""
        finished = self._staging.list_names()
        return sum(len(shard) for shard in shards if shard.file_name in finished)

    def _serialize(
        self, members: Iterable[tuple[str, str, dict]], done: Callable[[int], object]
    ) -> Iterator[tuple[str, bytes]]:
        """Serialises examples with their features in a fixed order.

        TFDS leaves the order to protobuf, which differs between processes.
        """
        import tensorflow as tf

        for _, key, fields in members:
            example = tf.train.Example.FromString(
                self._features.serialize_example(fields)
            )
            yield key, example.SerializeToString(deterministic=True)
            done(1)


def write_locally(shards: Sequence[Shard], writer: ShardWriter) -> None:
    """Writes shards in this process, with a progress bar."""
    total = sum(map(len, shards))
    with tqdm(total=total, unit=" composites", smoothing=0.05) as bar:
        writer.write(shards, bar.update)


def write_one(shard: Shard, writer: ShardWriter) -> None:
    """Writes one shard, in whichever process: the task of a worker."""
    writer.write([shard], lambda count: None)


def count_bytes(folder: epath.PathLike, shards: Sequence[Shard]) -> int:
    """Adds up the sizes of the files of shards in `folder`."""
    paths = [epath.Path(folder) / shard.file_name for shard in shards]
    with ThreadPoolExecutor() as pool:  # a bucket answers slowly
        return sum(pool.map(lambda path: path.stat().length, paths))


def _format_versions() -> str:
    return ", ".join(f"{name} {version}" for name, version in get_versions().items())
