"""`python -m fgbg_tfds.depth train`: trains the embedded teacher."""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import time

import numpy as np

from fgbg_tfds.depth.embedded.training import Recipe, draw_scenes, train_network
from fgbg_tfds.depth.embedded.weight_file import EMBEDDED, digest, write_weights
from fgbg_tfds.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's flags."""
    recipe = Recipe()
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=EMBEDDED,
        help="the weights' file, *.npz (default: the package's own)",
    )
    parser.add_argument("--seed", type=int, default=recipe.seed, help="of everything")
    parser.add_argument(
        "--scenes", type=int, default=recipe.scenes, help="distinct scenes to draw"
    )
    parser.add_argument(
        "--steps", type=int, default=recipe.steps, help="optimizer steps"
    )
    parser.add_argument(
        "--pasted",
        type=float,
        default=recipe.pasted,
        help="part of the scenes with pasted cut-outs",
    )
    parser.add_argument(
        "--edge_weight",
        type=float,
        default=recipe.edge_weight,
        help="weight of gradient matching in the loss",
    )
    parser.add_argument(
        "--batch_size", type=int, default=recipe.batch_size, help="scenes in a step"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="processes that draw scenes; changes nothing but the time",
    )


def run(arguments: argparse.Namespace) -> None:
    """Draws the scenes, trains, writes the weights.

    Args:
      arguments: What `add_arguments` declared.

    Raises:
      InputError: If a flag is out of its range.
    """
    for flag in ("scenes", "steps", "batch_size", "workers"):
        if getattr(arguments, flag) < 1:
            raise InputError(f"--{flag} is {getattr(arguments, flag)}; use 1 or more")
    if not 0 <= arguments.pasted <= 1:
        raise InputError(f"--pasted is {arguments.pasted}; use a part from 0 to 1")
    if arguments.out.suffix != ".npz":
        raise InputError(f"--out is {arguments.out}; use a name that ends in .npz")
    recipe = dataclasses.replace(
        Recipe(),
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
    started, busy = time.monotonic(), _cpu_seconds()
    first = recipe.seed * 10_000_000
    images, logs = draw_scenes(
        range(first, first + recipe.scenes),
        recipe.scene_size,
        recipe.pasted,
        arguments.workers,
    )
    drawn = time.monotonic() - started
    weights, losses = train_network(recipe, images, logs)
    write_weights(arguments.out, weights)
    count = sum(array.size for array in weights.values())
    print(
        f"{recipe.scenes} scenes in {drawn:.0f} s, {recipe.steps} steps in "
        f"{time.monotonic() - started - drawn:.0f} s, "
        f"{_cpu_seconds() - busy:.0f} s of processor time in all; "
        f"loss of the last 100 steps {np.mean(losses[-100:]):.4f}"
    )
    print(f"{arguments.out}: {count} weights, sha256 {digest(arguments.out)}")


def _cpu_seconds() -> float:
    """Processor time of this process and of those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
