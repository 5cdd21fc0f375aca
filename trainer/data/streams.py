"""Endless streams of encoded examples, addressed by place."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from trainer.data.datasets import Builder, count, locate_example, read_encoded
from trainer.data.mixture import Mixture

SHUFFLE_BUFFER = 8192  # examples, encoded; TFDS has shuffled the files already


def stream_examples(
    mixture: Mixture,
    first: int,
    read: Callable[[Builder, str], tf.data.Dataset] = read_encoded,
) -> tf.data.Dataset:
    """Streams encoded examples without end, from a place on.

    The order is a function of the mixture alone. Data sets give their examples in
    turn, each in epochs of its own.

    Args:
      mixture: Data sets, split, shares and seed.
      first: Place in the stream.
      read: Reads the examples of a split in the order of the files.

    Returns:
      Data set of encoded examples.

    Raises:
      UserError: If the split is missing or empty.
    """
    turns = mixture.turns
    rounds, begun = divmod(first, len(turns))
    streams = [
        _repeat_shuffled(
            read(builder, mixture.split),
            count(builder, mixture.split),
            mixture.seed + index,
            rounds * turns.count(index) + turns[:begun].count(index),
        )
        for index, builder in enumerate(mixture)
    ]
    if len(streams) == 1:
        return streams[0]
    order = tf.constant(turns[begun:] + turns[:begun], tf.int64)
    choice = tf.data.Dataset.from_tensor_slices(order).repeat()
    return tf.data.Dataset.choose_from_datasets(streams, choice)


def find_addresses(mixture: Mixture, places: Iterable[int]) -> list[str]:
    """Finds where the examples at some places of the stream stand on disk.

    Args:
      mixture: The mixture of `stream_examples`.
      places: Places in the stream.

    Returns:
      For each place, data set and split as in 'fgbg/sample train[12:13]'.
    """
    places = list(places)
    first, length = min(places), max(places) - min(places) + 1
    turns = mixture.turns

    def read_ids(builder, split):
        return read_encoded(builder, split, features=("mask",), with_ids=True)

    stream = stream_examples(mixture, first, read_ids).take(length)
    ids = [example["tfds_id"].decode() for example in stream.as_numpy_iterator()]
    return [
        locate_example(mixture.builders[turns[place % len(turns)]], ids[place - first])
        for place in places
    ]


def keep_own(
    stream: tf.data.Dataset, batch_size: int, context: tf.distribute.InputContext
) -> tf.data.Dataset:
    """Keeps the examples of each batch that are this process's.

    Args:
      stream: Data set of (place int64 [], example).
      batch_size: Examples in a batch, over all processes.
      context: This process, and how many there are.

    Returns:
      Data set of the same, without the examples of other processes.
    """
    if context.num_input_pipelines == 1:
        return stream
    own = batch_size // context.num_input_pipelines
    return stream.filter(
        lambda place, _: place % batch_size // own == context.input_pipeline_id
    )


def _repeat_shuffled(
    examples: tf.data.Dataset, number: int, seed: int, first: int
) -> tf.data.Dataset:
    """Repeats the examples of one data set, each epoch in an order of its own."""
    buffer = min(number, SHUFFLE_BUFFER)

    def epoch(index):
        # This function's graph has its own seed; the process's would count otherwise.
        tf.random.set_seed(seed + 1)
        return examples.shuffle(buffer, seed=index, reshuffle_each_iteration=False)

    return (
        tf.data.Dataset.range(first // number, np.iinfo(np.int64).max)
        .flat_map(epoch)
        .skip(first % number)
    )
