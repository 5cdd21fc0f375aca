"""Eigen's dense layers against Keras's own, forward and backward, in turns.

    python benchmarks/dense_layer.py
    python benchmarks/dense_layer.py --batch_size=32 --precisions=bfloat16

Prints the median milliseconds of each, for the two layers of the network at 224 pixels
and full width; half a batch of 32 is what one device takes at a time in float32.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import tensorflow as tf
from keras import layers

from trainer.models.dense import Dense

SIZES = ((12544, 4096), (4096, 6272))  # coarse_6, coarse_7: inputs, units


def passes(layer: layers.Dense, inputs: tf.Tensor):
    """Makes a function that runs a layer forward and backward."""
    layer.build(inputs.shape)

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
        gradients = tape.gradient(outputs, [inputs, *layer.trainable_weights])
        return [outputs, *gradients]

    return run


def compare(batch_size: int, precision: str, rounds: int) -> None:
    """Prints a line for each of the two layers."""
    policy = precision if precision == "float32" else f"mixed_{precision}"
    for size, units in SIZES:
        inputs = tf.cast(tf.random.normal((batch_size, size)), precision)
        runs = {
            "ours": passes(Dense(units, dtype=policy), inputs),
            "keras": passes(layers.Dense(units, dtype=policy), inputs),
        }
        times = {name: [] for name in runs}
        for number in range(rounds + 1):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                if number:  # the first one traces
                    times[name].append(1000 * (time.perf_counter() - start))
        ours, keras = (statistics.median(times[name]) for name in ("ours", "keras"))
        print(
            f"{precision:9} batch {batch_size}, {size} to {units}: ours {ours:.1f} ms, "
            f"Keras's {keras:.1f} ms, ours / Keras's {ours / keras:.3f}",
            flush=True,
        )


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--precisions", default="float32,bfloat16")
    arguments = parser.parse_args()
    for precision in arguments.precisions.split(","):
        compare(arguments.batch_size, precision, arguments.rounds)


if __name__ == "__main__":
    main()
