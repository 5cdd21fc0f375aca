"""The files of the data set: cut by the recipe, written here or by Beam's workers."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import operator
import os
import pathlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import tensorflow_datasets as tfds
from etils import epath
from tqdm import tqdm

from fgbg_tfds.errors import InputError
from fgbg_tfds.settings import Settings
from fgbg_tfds.storage import link
from fgbg_tfds.writing.examples import Studio
from fgbg_tfds.writing.staging import Staging

EXAMPLES_PER_SHARD = 512
MOST_SHARDS = 1000  # of a split; larger splits get larger shards
_OPENING = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of the data set; small enough to be sent to workers.

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
    """Returns the process's studio for a data set, so that its teacher loads once."""
    return Studio(settings)


def cut(
    settings: Settings,
    file_name: Callable[[str, int, int], str],
    most_examples: int | None,
) -> dict[str, list[Shard]]:
    """Cuts each split into shards, as the recipe alone says.

    Args:
      settings: What data set.
      file_name: Names a shard's file by split, index and number of shards.
      most_examples: The most examples a split gets; None for all.

    Returns:
      The shards of each split, of `EXAMPLES_PER_SHARD` examples, or more where
      there would be more than `MOST_SHARDS`.
    """
    shards = {}
    for split, composites in settings.recipe.splits.items():
        total = min(len(composites), most_examples or len(composites))
        size = max(EXAMPLES_PER_SHARD, math.ceil(total / MOST_SHARDS))
        starts = range(0, total, size)
        shards[split] = [
            Shard(
                split,
                first,
                min(first + size, total),
                file_name(split, index, len(starts)),
            )
            for index, first in enumerate(starts)
        ]
    return shards


class ShardWriter:
    """Writes shards into TFDS's folder, or takes those of a build before this one.

    It can be sent to workers.

    Args:
      settings: What data set.
      fingerprint: The data set's; pictures that make another are refused.
      features: TFDS's features.
      file_format: TFDS's file format.
      folder: Where the files go.
      staging: Where finished shards and batches stand.
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
          done: Called with the number of examples that were done.

        Raises:
          InputError: If this machine's pictures are not those of the data set.
        """
        todo = []
        for shard in shards:
            finished = self._staging.shard(shard.file_name)
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
                f"{self._settings.foregrounds}, {self._settings.backgrounds}: other "
                "pictures or weights than where the build was started; give all "
                "workers the same"
            )
        pieces = (
            (
                shard.file_name,
                studio.recipe.splits[shard.split][shard.first : shard.last],
            )
            for shard in todo
        )
        examples = studio.examples(pieces, self._staging)
        for name, members in itertools.groupby(examples, operator.itemgetter(0)):
            path = self._folder / name
            self._writer.write(path, self._serialized(members, done))
            self._staging.keep_shard(path)

    def _serialized(
        self, members: Iterable[tuple[str, str, dict]], done: Callable[[int], object]
    ) -> Iterator[tuple[str, bytes]]:
        """Serialises examples with their features in order.

        TFDS leaves the order to protobuf, which takes another in every process.
        """
        import tensorflow as tf

        for _, key, fields in members:
            example = tf.train.Example.FromString(
                self._features.serialize_example(fields)
            )
            yield key, example.SerializeToString(deterministic=True)
            done(1)


def write_here(shards: Sequence[Shard], writer: ShardWriter) -> None:
    """Writes shards in this process, with a progress bar."""
    total = sum(map(len, shards))
    with tqdm(total=total, unit=" composites", smoothing=0.05) as bar:
        writer.write(shards, bar.update)


def write_with_beam(
    shards: Sequence[Shard], writer: ShardWriter, runner: object, options: object
) -> None:
    """Writes shards by the workers of a Beam runner.

    Args:
      shards: The shards; they and the writer are all that goes to the workers.
      writer: Writes them.
      runner: A Beam runner or its name; None takes what the options name.
      options: Beam's PipelineOptions, or None.
    """
    import apache_beam as beam  # Slow to import, and most builds need none of it.

    here = str(pathlib.Path(__file__).parents[2])  # for processes of this machine
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        dict.fromkeys(filter(None, [here, *known]))
    )
    options = options or beam.options.pipeline_options.PipelineOptions()
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(shards, reshuffle=True)
            | "Write" >> beam.Map(_write_one, writer)
        )


def total_bytes(folder: epath.PathLike, shards: Sequence[Shard]) -> int:
    """Returns the size of the files of shards in `folder`."""
    paths = [epath.Path(folder) / shard.file_name for shard in shards]
    with ThreadPoolExecutor() as pool:  # a bucket answers slowly
        return sum(pool.map(lambda path: path.stat().length, paths))


def _write_one(shard: Shard, writer: ShardWriter) -> None:
    writer.write([shard], lambda count: None)
