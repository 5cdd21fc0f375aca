"""Measures the speed of reading: ours beside tfds.load as it comes.

    python benchmarks/read_speed.py --dataset=fgbg/sample --split=train
    python benchmarks/read_speed.py --dataset=fgbg/sample --decoders
    python benchmarks/read_speed.py --dataset=fgbg/sample --random_access

The last one reads array_record files through PyTorch and Grain, beside tfds.load;
`tfds convert_format` adds them (docs/reading.md).

Rows are read in turns, so that a busy machine disturbs all alike; medians are printed.
Processor time is that of all threads and workers, so it holds on a busy machine too:
the number of cores divided by it is the maximum number of examples in a second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Generator, Iterable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import tensorflow as tf
import tensorflow_datasets as tfds
from random_access import make_loaders, measure_processor

from trainer import data
from trainer.augment import Augmentation
from trainer.contract import FEATURES
from trainer.data.datasets import decode, read_encoded

BATCH = 32
WORKERS = 2  # processes of a loader


def make_streams(mixture: data.Mixture) -> dict[str, tf.data.Dataset]:
    """Makes endless batches by the names of rows; the first one is the reference."""
    (builder,) = mixture.builders
    plain = builder.as_dataset(split=mixture.split, shuffle_files=False)
    encoded = mixture.read_encoded()
    decoded = encoded.map(mixture.decode, tf.data.AUTOTUNE)
    return {
        "tfds.load": plain.batch(BATCH).repeat().prefetch(2),
        "not decoded": encoded.batch(BATCH).repeat().prefetch(2),
        "decoded": decoded.batch(BATCH).repeat().prefetch(2),
        "training, nothing augmented": data.make_training_batches(
            mixture, size=mixture.picture_size, batch_size=BATCH,
            augmentation=Augmentation(zoom=1.0, colour=0.0, flip=False),
        ),
        "training, zoom, colour, flip": data.make_training_batches(
            mixture, size=mixture.picture_size, batch_size=BATCH,
            augmentation=Augmentation(),
        ),
    }  # fmt: skip


def make_decoders(mixture: data.Mixture) -> dict[str, tf.data.Dataset]:
    """Makes endless batches of one decoded picture each, by the picture's name."""
    (builder,) = mixture.builders
    return {
        name: read_encoded(builder, mixture.split, (name,))
        .map(lambda example: decode(builder, example), tf.data.AUTOTUNE)
        .batch(BATCH)
        .repeat()
        .prefetch(2)
        for name in FEATURES
    }


def make_random_access(mixture: data.Mixture) -> dict[str, Iterable]:
    """Makes endless batches of what PyTorch and Grain read, and of tfds.load."""
    (builder,) = mixture.builders
    plain = builder.as_dataset(split=mixture.split, shuffle_files=False)
    # Another builder, since one that was asked for a data source reads nothing else.
    other = tfds.builder_from_directory(builder.data_path)
    source = other.as_data_source(mixture.split)
    loaders = make_loaders(source, BATCH, WORKERS)
    return {"tfds.load": plain.batch(BATCH).repeat().prefetch(2), **loaders}


def read(stream: Iterable, batches: int) -> tuple[float, float]:
    """Measures examples in a second, and processor milliseconds for an example."""
    iterator = iter(stream)
    for _ in range(8):  # fills buffers, and tunes the number of threads
        next(iterator)
    wall, processor = time.perf_counter(), measure_processor()
    for _ in range(batches):
        next(iterator)
    wall, processor = time.perf_counter() - wall, measure_processor() - processor
    return batches * BATCH / wall, 1000 * processor / (batches * BATCH)


def main() -> None:
    """Prints a row for each way to read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="fgbg/sample")
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--split", default="train")
    parser.add_argument("--batches", type=int, default=60, help="a row and round")
    parser.add_argument("--rounds", type=int, default=5)
    which = parser.add_mutually_exclusive_group()
    for name, summary in (
        ("decoders", "read each of the four pictures alone"),
        ("random_access", "read by PyTorch and Grain, where they are installed"),
    ):
        which.add_argument(f"--{name}", action="store_true", help=summary)
    arguments = parser.parse_args()
    mixture = data.open_mixture(arguments.dataset, arguments.data_dir, arguments.split)
    make = make_decoders if arguments.decoders else make_streams
    rows = (make_random_access if arguments.random_access else make)(mixture)
    results = {name: [] for name in rows}
    for _ in range(arguments.rounds):
        for name, stream in rows.items():
            results[name].append(read(stream, arguments.batches))
    for stream in rows.values():
        if isinstance(stream, Generator):
            stream.close()
    speeds = {n: statistics.median(s for s, _ in r) for n, r in results.items()}
    works = {n: statistics.median(w for _, w in r) for n, r in results.items()}
    cores, first = len(os.sched_getaffinity(0)), next(iter(rows))
    print(f"{arguments.dataset} {arguments.split}, batch {BATCH}, {cores} cores\n")
    print(f"| | examples/s | x {first} | ms of processor | cores / ms |")
    print("|---|---|---|---|---|")
    for name, speed in speeds.items():
        print(
            f"| {name} | {speed:.0f} | {speed / speeds[first]:.2f} | "
            f"{works[name]:.2f} | {1000 * cores / works[name]:.0f} |"
        )


if __name__ == "__main__":
    main()
