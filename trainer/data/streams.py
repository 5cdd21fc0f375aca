"""Endless streams of encoded examples, addressed by place, and who reads which part."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from trainer.data.datasets import Builder, address, count, encoded, full_name
from trainer.errors import UserError

SHUFFLED = 8192  # examples, encoded; TFDS has shuffled the files already


@dataclasses.dataclass(frozen=True)
class Part:
    """Which part of every batch is this process's.

    Attributes:
      batch_size: Examples a step, over all workers.
      worker: Number of this process.
      workers: How many there are.
      replicas: Devices over all workers.
    """

    batch_size: int
    worker: int = 0
    workers: int = 1
    replicas: int = 1

    def of(self, stream: tf.data.Dataset) -> tf.data.Dataset:
        """Keeps this worker's of (place int64 [], example)."""
        if self.workers == 1:
            return stream
        share = self.batch_size // self.workers
        return stream.filter(
            lambda place, _: place % self.batch_size // share == self.worker
        )


def mixed(
    builders: tuple[Builder, ...],
    split: str,
    shares: tuple[int, ...],
    seed: int,
    first: int,
    read: Callable[[Builder, str], tf.data.Dataset] = encoded,
) -> tf.data.Dataset:
    """Endless encoded examples of all data sets, from a place of the stream on.

    Args:
      builders: The data sets.
      split: Split to read.
      shares: How many examples of each come in turn; one of each if empty.
      seed: Of the order.
      first: Place in the stream.
      read: Gives the examples of a split in the order of the files.

    Returns:
      Data set of encoded examples.

    Raises:
      UserError: If the split is missing or empty, or the shares do not fit.
    """
    shares = shares or (1,) * len(builders)
    if len(shares) != len(builders):
        raise UserError(
            f"--dataset_shares has {len(shares)} numbers for {len(builders)} data "
            f"sets, {full_name(builders)}; give one for each"
        )
    turns = _turns(shares)
    rounds, begun = divmod(first, len(turns))
    streams = [
        _endless(
            count(builder, split),
            read(builder, split),
            seed + which,
            rounds * share + turns[:begun].count(which),
        )
        for which, (builder, share) in enumerate(zip(builders, shares, strict=True))
    ]
    if len(streams) == 1:
        return streams[0]
    order = tf.constant(turns[begun:] + turns[:begun], tf.int64)
    choice = tf.data.Dataset.from_tensor_slices(order).repeat()
    return tf.data.Dataset.choose_from_datasets(streams, choice)


def addresses(
    builders: tuple[Builder, ...],
    split: str,
    shares: tuple[int, ...],
    seed: int,
    places: Iterable[int],
) -> list[str]:
    """Where the examples at some places of the stream `mixed` stand on disk.

    Args:
      builders: The data sets.
      split: Split to read.
      shares: How many examples of each come in turn; one of each if empty.
      seed: Of the order.
      places: Places in the stream.

    Returns:
      For each place, data set and split as in 'fgbg/sample train[12:13]'.
    """
    places = list(places)
    first, most = min(places), max(places) - min(places) + 1
    turns = _turns(shares or (1,) * len(builders))
    read = functools.partial(encoded, features=("mask",), identified=True)
    stream = mixed(builders, split, shares, seed, first, read)
    names = [
        example["tfds_id"].decode() for example in stream.take(most).as_numpy_iterator()
    ]
    return [
        address(builders[turns[place % len(turns)]], names[place - first])
        for place in places
    ]


def _turns(shares: tuple[int, ...]) -> list[int]:
    """Which data set gives each example of a round, spread as evenly as can be."""
    places = [
        ((number + 0.5) / share, which)
        for which, share in enumerate(shares)
        for number in range(share)
    ]
    return [which for _, which in sorted(places)]


def _endless(number: int, examples, seed: int, first: int) -> tf.data.Dataset:
    """Examples of one data set, epoch after epoch, each in its own order."""
    buffer = min(number, SHUFFLED)

    def epoch(which):
        # Of this function's graph alone; without it the process's seed would count.
        tf.random.set_seed(seed + 1)
        return examples.shuffle(buffer, seed=which, reshuffle_each_iteration=False)

    return (
        tf.data.Dataset.range(first // number, np.iinfo(np.int64).max)
        .flat_map(epoch)
        .skip(first % number)
    )
