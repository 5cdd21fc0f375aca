"""`python -m fgbg_tfds.depth train`: trains the embedded teacher."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import pathlib
import tempfile
import time

import numpy as np

from fgbg_tfds.depth import EMBEDDED_WEIGHTS
from fgbg_tfds.depth.embedded.photos import load_swatches
from fgbg_tfds.depth.embedded.scenes import HELD_OUT, draw_scenes
from fgbg_tfds.depth.embedded.training import Schedule, train_network
from fgbg_tfds.depth.embedded.weight_file import compute_digest, write_weights
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import (
    name_failures,
    parse_path,
    require_writable,
    write_atomically,
)

_SEEDS = 10_000_000  # scenes of a seed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    schedule = Schedule()
    parser.add_argument(
        "--out",
        type=parse_path,
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
        "--steps",
        type=int,
        default=schedule.steps,
        help="optimizer steps; in 40 %% more after them, cut-outs are pasted anew into "
        "every scene",
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
        "--photos",
        type=parse_path,
        default=None,
        help="folder of photos without depth, 'backgrounds', and of cut-outs, "
        "'foregrounds', such as ../shared/pictures/wide; scenes are dressed with "
        "pieces of them (default: none)",
    )
    parser.add_argument(
        "--workdir",
        type=parse_path,
        default=None,
        help="folder in which scenes and training are kept every so often; the same "
        "command goes on from there (default: nothing is kept)",
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
      InputError: If a flag is out of its range, or the file cannot be written.
    """
    _check(arguments)
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
                "photos",
            )
        },
    )
    if schedule.photos:
        load_swatches(schedule.photos)  # Unreadable ones are told at once.
    workdir = arguments.workdir
    if workdir:
        _claim(workdir, schedule)
    started, busy = time.monotonic(), _measure_cpu_seconds()
    images, logs = _draw_or_load(schedule, arguments.workers, workdir)
    drawn = time.monotonic() - started
    kept = workdir / "checkpoint" if workdir else None
    weights, losses = train_network(schedule, images, logs, kept=kept)
    _keep(weights, arguments.out)
    count = sum(array.size for array in weights.values())
    print(
        f"{schedule.scenes} scenes in {drawn:.0f} s, {schedule.all_steps} steps in "
        f"{time.monotonic() - started - drawn:.0f} s, "
        f"{_measure_cpu_seconds() - busy:.0f} s of processor time in all; "
        f"loss of the last 100 steps {np.mean(losses[-100:]):.4f}"
    )
    print(f"{arguments.out}: {count} weights, sha256 {compute_digest(arguments.out)}")


def _claim(workdir: pathlib.Path, schedule: Schedule) -> None:
    """Notes the schedule in the folder; refuses one with another schedule."""
    path = workdir / "schedule.json"
    note = {**dataclasses.asdict(schedule), "photos": str(schedule.photos)}
    text = json.dumps(note, indent=1) + "\n"
    if path.exists():
        try:
            known = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read ({error}); give another --workdir"
            ) from error
        if known != text:
            raise InputError(
                f"--workdir {workdir} holds a training with other flags "
                f"({path.name}); repeat those, or give another --workdir"
            )
        return
    with name_failures(workdir):
        workdir.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())


def _draw_or_load(
    schedule: Schedule, workers: int, workdir: pathlib.Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """Draws the scenes, or loads those that an earlier run kept."""
    paths = [workdir / f"{name}.npy" for name in ("images", "logs")] if workdir else []
    if paths and paths[-1].exists():
        try:
            images, logs = map(np.load, paths)
        except (EOFError, OSError, ValueError) as error:
            raise InputError(
                f"the scenes that --workdir {workdir} keeps cannot be read ({error}); "
                "delete the folder, or give another"
            ) from error
        return images, logs
    first = schedule.seed * _SEEDS
    images, logs = draw_scenes(
        range(first, first + schedule.scenes),
        schedule.scene_size,
        schedule.pasted,
        workers,
        photos=schedule.photos if schedule.dressed else None,
    )
    for path, array in zip(paths, (images, logs), strict=False):
        partial = path.with_suffix(".part.npy")
        with name_failures(path):
            np.save(partial, array)
            partial.replace(path)
    return images, logs


def _keep(weights: dict[str, np.ndarray], path: pathlib.Path) -> None:
    """Writes the weights; elsewhere if need be, since they took an hour."""
    try:
        write_weights(path, weights)
    except InputError as error:
        elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="fgbg-")) / path.name
        write_weights(elsewhere, weights)
        raise InputError(f"{error}; the weights are kept in {elsewhere}") from error


def _check(arguments: argparse.Namespace) -> None:
    """Checks all flags, since training takes an hour."""
    for flag in ("scenes", "steps", "batch_size", "workers"):
        if getattr(arguments, flag) < 1:
            raise InputError(f"--{flag} is {getattr(arguments, flag)}; use 1 or more")
    if arguments.batch_size > arguments.scenes:
        raise InputError(
            f"--batch_size is {arguments.batch_size}; use at most the "
            f"{arguments.scenes} of --scenes"
        )
    most = (HELD_OUT - arguments.scenes) // _SEEDS
    if not 0 <= arguments.seed <= most:
        raise InputError(
            f"--seed is {arguments.seed}; use 0 to {most}, since scenes of others are "
            "held out"
        )
    if not 0 <= arguments.edge_weight < math.inf:
        raise InputError(
            f"--edge_weight is {arguments.edge_weight}; use a number from 0 up"
        )
    if not 0 <= arguments.pasted <= 1:
        raise InputError(
            f"--pasted is {arguments.pasted}; use a probability from 0 to 1"
        )
    if arguments.out.suffix != ".npz":
        raise InputError(f"--out is {arguments.out}; use a name that ends in .npz")
    if arguments.out.is_dir():
        raise InputError(f"--out is {arguments.out}, a folder; use the name of a file")
    require_writable(arguments.out.parent, "give another --out")
    if arguments.workdir:
        require_writable(arguments.workdir, "give another --workdir")


def _measure_cpu_seconds() -> float:
    """Measures the processor time of this process and of its children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
