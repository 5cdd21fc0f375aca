"""`python -m fgbg_tfds.depth train`: trains the embedded teacher."""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import time

import numpy as np

from fgbg_tfds.depth import EMBEDDED_WEIGHTS
from fgbg_tfds.depth.embedded.training import (
    Schedule,
    draw_scenes,
    train_network,
)
from fgbg_tfds.depth.embedded.weight_file import compute_digest, write_weights
from fgbg_tfds.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    schedule = Schedule()
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=EMBEDDED_WEIGHTS,
        help="the weights' file, *.npz (default: the package's own)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=schedule.seed,
        help="seed of scenes, weights and order",
    )
    parser.add_argument(
        "--scenes", type=int, default=schedule.scenes, help="number of distinct scenes"
    )
    parser.add_argument(
        "--steps", type=int, default=schedule.steps, help="optimizer steps"
    )
    parser.add_argument(
        "--pasted",
        type=float,
        default=schedule.pasted,
        help="probability of pasted cut-outs in a scene",
    )
    parser.add_argument(
        "--edge_weight",
        type=float,
        default=schedule.edge_weight,
        help="weight of gradient matching in the loss",
    )
    parser.add_argument(
        "--batch_size", type=int, default=schedule.batch_size, help="scenes in a step"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="processes that draw scenes; the weights do not depend on it",
    )


def run(arguments: argparse.Namespace) -> None:
    """Draws the scenes, trains, and writes the weights.

    Args:
      arguments: The arguments of `add_arguments`.

    Raises:
      InputError: If a flag is out of its range.
    """
    for flag in ("scenes", "steps", "batch_size", "workers"):
        if getattr(arguments, flag) < 1:
            raise InputError(f"--{flag} is {getattr(arguments, flag)}; use 1 or more")
    if not 0 <= arguments.pasted <= 1:
        raise InputError(
            f"--pasted is {arguments.pasted}; use a probability from 0 to 1"
        )
    if arguments.out.suffix != ".npz":
        raise InputError(f"--out is {arguments.out}; use a name that ends in .npz")
    schedule = dataclasses.replace(
        Schedule(),
        **{
            name: getattr(arguments, name)
            for name in (
                "seed",
                "scenes",
                "steps",
                "pasted",
                "edge_weight",
                "batch_size",
            )
        },
    )
    started, busy = time.monotonic(), _measure_cpu_seconds()
    first = schedule.seed * 10_000_000
    images, logs = draw_scenes(
        range(first, first + schedule.scenes),
        schedule.scene_size,
        schedule.pasted,
        arguments.workers,
    )
    drawn = time.monotonic() - started
    weights, losses = train_network(schedule, images, logs)
    write_weights(arguments.out, weights)
    count = sum(array.size for array in weights.values())
    print(
        f"{schedule.scenes} scenes in {drawn:.0f} s, {schedule.steps} steps in "
        f"{time.monotonic() - started - drawn:.0f} s, "
        f"{_measure_cpu_seconds() - busy:.0f} s of processor time in all; "
        f"loss of the last 100 steps {np.mean(losses[-100:]):.4f}"
    )
    print(f"{arguments.out}: {count} weights, sha256 {compute_digest(arguments.out)}")


def _measure_cpu_seconds() -> float:
    """Measures the processor time of this process and of its children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
