"""One file of the data set at a time: made, or taken from a build before."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterable, Iterator

import tensorflow_datasets as tfds
from tqdm import tqdm

from fgbg_tfds.labelling import Studio
from fgbg_tfds.settings import Settings
from fgbg_tfds.staging import Staging, link

EXAMPLES_PER_SHARD = 512


@dataclasses.dataclass(frozen=True)
class Shard:
    """Makes a shard's examples when called; small enough to be sent to workers.

    Attributes:
      settings: What data set.
      split: The shard's split.
      first: Its first composite in the split.
      last: One after its last composite.
      file_name: The name of its file.
      staging: Where finished shards and batches stand.
      progress: Called with the number of examples done; never sent to workers.
    """

    settings: Settings
    split: str
    first: int
    last: int
    file_name: str
    staging: Staging
    progress: Callable[[int], object] | None = None

    def __call__(self) -> Iterator[tuple[str, dict[str, object]]]:
        """Yields (key, example); of a finished shard only (key, {}), for counting."""
        studio = open_studio(self.settings)
        composites = studio.recipe.splits[self.split][self.first : self.last]
        if self.staging.shard(self.file_name).exists():
            examples = ((studio.recipe.key(composite), {}) for composite in composites)
        else:
            examples = studio.examples(self.file_name, composites, self.staging)
        for example in examples:
            yield example
            if self.progress:
                self.progress(1)

    def __getstate__(self):
        return {**vars(self), "progress": None}


@functools.lru_cache(maxsize=1)
def open_studio(settings: Settings) -> Studio:
    """Returns the process's studio for a data set, so that its teacher loads once."""
    return Studio(settings)


def cut(
    settings: Settings,
    staging: Staging,
    file_name: Callable[[str, int, int], str],
    most_examples: int | None,
) -> dict[str, list[Shard]]:
    """Cuts each split into shards of `EXAMPLES_PER_SHARD`, as the recipe alone says.

    Args:
      settings: What data set.
      staging: Where finished shards and batches stand.
      file_name: Names a shard's file by split, index and number of shards.
      most_examples: The most examples a split gets; None for all.

    Returns:
      The shards of each split; together they draw one progress bar.
    """
    totals = {
        split: min(len(composites), most_examples or len(composites))
        for split, composites in settings.recipe.splits.items()
    }
    bar = tqdm(total=sum(totals.values()), unit=" composites", smoothing=0.05)
    shards = {}
    for split, total in totals.items():
        starts = range(0, total, EXAMPLES_PER_SHARD)
        shards[split] = [
            Shard(
                settings,
                split,
                first,
                min(first + EXAMPLES_PER_SHARD, total),
                file_name(split, index, len(starts)),
                staging,
                bar.update,
            )
            for index, first in enumerate(starts)
        ]
    return shards


class ResumingWriter(tfds.core.writer.ExampleWriter):
    """Writes shards as TFDS does, unless a build before this one did."""

    def __init__(self, file_format, staging: Staging):
        super().__init__(file_format=file_format)
        self._staging = staging

    def write(self, path, examples: Iterable[tuple[object, bytes]]):
        """Links a finished shard to `path`, or writes and keeps it."""
        path = pathlib.Path(path)
        finished = self._staging.shard(path.name)
        if finished.exists():
            link(finished, path)
            return None
        positions = super().write(path, _in_fixed_order(examples))
        self._staging.keep_shard(path)
        return positions


def _in_fixed_order(
    examples: Iterable[tuple[object, bytes]],
) -> Iterator[tuple[object, bytes]]:
    """Serialises examples again with their features in order.

    TFDS leaves the order to protobuf, which takes another in every process.
    """
    import tensorflow as tf

    for key, serialized in examples:
        example = tf.train.Example.FromString(serialized)
        yield key, example.SerializeToString(deterministic=True)


def beam_runner(options) -> str:
    """Returns the runner that Beam's options name; TFDS's command line passes none."""
    import apache_beam as beam  # Slow to import, and most builds need none of it.

    named = options.view_as(beam.options.pipeline_options.StandardOptions).runner
    return named or "DirectRunner"
