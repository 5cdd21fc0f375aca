"""How fast examples are read: ours beside tfds.load as it comes.

    python benchmarks/read_speed.py --dataset=fgbg/sample --split=train
    python benchmarks/read_speed.py --dataset=fgbg/sample --decoders

Rows are read in turns, so that a busy machine disturbs all alike; medians are printed.
Processor time is that of all threads, so it holds on a busy machine too: divided by the
number of cores it is the most that could be read there.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import tensorflow as tf

from trainer import data
from trainer.augment import Augmentation
from trainer.data import datasets

BATCH = 32


def streams(builder, split: str) -> dict[str, tf.data.Dataset]:
    """Endless batches by the name of their row; others stand beside the first."""
    size = data.picture_size(builder, split)
    plain = builder.as_dataset(split=split, shuffle_files=False)
    encoded = datasets.encoded(builder, split)
    decoded = encoded.map(
        lambda example: datasets.decode(builder, example), tf.data.AUTOTUNE
    )
    return {
        "tfds.load": plain.batch(BATCH).repeat().prefetch(2),
        "not decoded": encoded.batch(BATCH).repeat().prefetch(2),
        "decoded": decoded.batch(BATCH).repeat().prefetch(2),
        "training, nothing augmented": data.training_batches(
            builder, split, size=size, batch_size=BATCH, seed=0,
            augmentation=Augmentation(zoom=1.0, colour=0.0, flip=False),
        ),
        "training, zoom, colour, flip": data.training_batches(
            builder, split, size=size, batch_size=BATCH, seed=0,
            augmentation=Augmentation(),
        ),
    }  # fmt: skip


def decoders(builder, split: str) -> dict[str, tf.data.Dataset]:
    """Endless batches of one decoded picture each, by the picture's name."""
    return {
        name: datasets.encoded(builder, split, (name,))
        .map(lambda example: datasets.decode(builder, example), tf.data.AUTOTUNE)
        .batch(BATCH)
        .repeat()
        .prefetch(2)
        for name in data.FEATURES
    }


def read(stream: tf.data.Dataset, batches: int) -> tuple[float, float]:
    """Examples a second, and milliseconds of processor time an example."""
    iterator = iter(stream)
    for _ in range(8):  # fills what is read ahead, finds the number of threads
        next(iterator)
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(batches):
        next(iterator)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return batches * BATCH / wall, 1000 * processor / (batches * BATCH)


def main() -> None:
    """Prints a row for each way to read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="fgbg/sample")
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--split", default="train")
    parser.add_argument("--batches", type=int, default=60, help="a row and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--decoders", action="store_true", help="each picture of the four by itself"
    )
    arguments = parser.parse_args()
    builder = data.open_dataset(arguments.dataset, arguments.data_dir)
    rows = (decoders if arguments.decoders else streams)(builder, arguments.split)
    results = {name: [] for name in rows}
    for _ in range(arguments.rounds):
        for name, stream in rows.items():
            results[name].append(read(stream, arguments.batches))
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
