"""Measures the speed of monodepth2: ours, PyTorch and OpenVINO side by side.

    python benchmarks/teacher_speed.py --rounds 5

Pictures of 224 x 224 go in, metres of 224 x 224 come out, at a feed of 640 x 192;
resizing is part of it. Each contestant lives in a process of its own and takes its
turn in every round, so that a slow minute of the machine hits all. A turn during
which anyone else used the cores is run again. The ratios are medians over rounds.
`x loop` and `x bf16` are how many times faster than PyTorch's two, `of peak` is the
original's arithmetic against the machine's matrix product (more than was really done:
ours does less), `others` is the part of the cores that others had. Weights are random
unless given; PyTorch and OpenVINO are measured if installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import pathlib
import statistics
import sys
import tempfile
import time
from typing import NamedTuple

import monodepth2_runtimes as runtimes
import numpy as np

_ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests" / "fgbg_tfds" / "depth")]

_WHOLE = 400_000  # Composites of the whole recipe.
_TRIES = 10  # Turns after which a disturbed one is taken as it is.

_OURS_32, _OURS_16 = "ours, float32", "ours, bfloat16"
_TORCH, _TORCH_16 = "PyTorch loop, float32, batch 1", "PyTorch, bfloat16, batch 8"
_PEAK_32, _PEAK_16 = "matrix product, float32", "matrix product, bfloat16"
CONTESTANTS = {
    _OURS_32: (None, runtimes.ours("float32")),
    _OURS_16: (None, runtimes.ours("bfloat16")),
    _TORCH: ("torch", runtimes.pytorch_loop),
    _TORCH_16: ("torch", runtimes.pytorch_bfloat16),
    "OpenVINO, float32": ("openvino", runtimes.openvino("f32")),
    "OpenVINO, bfloat16": ("openvino", runtimes.openvino("bf16")),
    _PEAK_32: (None, runtimes.matmul("float32")),
    _PEAK_16: (None, runtimes.matmul("bfloat16")),
}


def _serve(pipe, name: str, folder: pathlib.Path, images: np.ndarray) -> None:
    """Loads one contestant, then takes a turn whenever the pipe says so."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    run = CONTESTANTS[name][1](folder)
    result = run(images[:8])
    pipe.send(result if not name.startswith("matrix") else None)
    while pipe.recv():
        own, wall = time.process_time(), time.perf_counter()
        run(images)
        pipe.send((time.perf_counter() - wall, time.process_time() - own))


def _busy() -> float:
    """Returns the seconds that all cores together were busy, stolen ones included."""
    with pathlib.Path("/proc/stat").open() as file:
        fields = [int(word) for word in file.readline().split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / os.sysconf("SC_CLK_TCK")


class _Turn(NamedTuple):
    """One turn of one contestant.

    Attributes:
      others: The share of all cores' time that others used meanwhile.
      wall: Seconds it took.
      own: Seconds of all cores that it used.
    """

    others: float
    wall: float
    own: float


def _take_turn(pipe, disturbance: float) -> _Turn:
    """Runs one turn until it is undisturbed; returns the least disturbed."""
    best = _Turn(float("inf"), float("inf"), float("inf"))
    for _ in range(_TRIES):
        before = _busy()
        pipe.send(True)
        wall, own = pipe.recv()
        share = max(0.0, _busy() - before - own) / (wall * runtimes.cores())
        best = min(best, _Turn(share, wall, own))
        if share <= disturbance:
            break
    return best


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=32, help="a turn")
    parser.add_argument("--weights", type=pathlib.Path, help="a folder; else random")
    parser.add_argument(
        "--disturbance",
        type=float,
        default=0.03,
        help="the share of the cores' time, by others, beyond which a turn is repeated",
    )
    arguments = parser.parse_args()
    import monodepth2_reference

    side = runtimes.SIDE
    images = monodepth2_reference.random_images(arguments.pictures, side, side)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.weights or pathlib.Path(scratch) / "stereo_640x192"
        if not arguments.weights:
            monodepth2_reference.write_folder(folder, runtimes.HEIGHT, runtimes.WIDTH)
        turns = _measure(folder, images, arguments)
    _report(turns, arguments.pictures)


def _measure(folder: pathlib.Path, images: np.ndarray, arguments: argparse.Namespace):
    """Returns each contestant's turns, one a round."""
    context = multiprocessing.get_context("spawn")
    pipes, results, workers = {}, {}, []
    for name, (module, _) in CONTESTANTS.items():
        if module and importlib.util.find_spec(module) is None:
            print(f"{name}: {module} is not installed")
            continue
        pipes[name], other = context.Pipe()
        worker = context.Process(target=_serve, args=(other, name, folder, images))
        worker.start()
        workers.append(worker)
        results[name] = pipes[name].recv()
    for name, metres in results.items():
        if metres is not None:
            error = np.median(np.abs(metres / results[_OURS_32] - 1))
            print(f"{name}: depth differs from ours in float32 by {error:.1e} (median)")
    turns = {name: [] for name in pipes}
    try:
        for number in range(arguments.rounds):
            for name, pipe in pipes.items():
                turns[name].append(_take_turn(pipe, arguments.disturbance))
            print(f"round {number + 1} of {arguments.rounds}", flush=True)
    finally:
        for pipe in pipes.values():
            pipe.send(False)
        for worker in workers:
            worker.join()
    return turns


def _report(turns: dict[str, list[_Turn]], pictures: int) -> None:
    """Prints the table and the ratios."""
    walls = {name: [turn.wall for turn in each] for name, each in turns.items()}
    work = 2 * runtimes.multiplications() / 1e9
    peaks = {
        name: 2 * runtimes.MATRIX**3 * pictures / statistics.median(walls[name]) / 1e9
        for name in (_PEAK_32, _PEAK_16)
    }
    cores = runtimes.cores()
    print(f"\n{cores} cores; one picture is {work:.1f} GFLOP as the paper has it")
    for name, peak in peaks.items():
        print(f"{name}: {peak:.0f} GFLOP/s")
    print(
        f"\n{'':32}{'pictures/s':>11}{'x loop':>8}{'x bf16':>8}{'of peak':>9}"
        f"{'CPU ms':>8}{'400,000':>9}{'others':>8}"
    )
    for name, each in turns.items():
        if name in peaks:
            continue
        rate = pictures / statistics.median(walls[name])
        peak = peaks[_PEAK_16 if "bfloat16" in name else _PEAK_32]
        own = statistics.median(turn.own for turn in each) / pictures * 1000
        print(
            f"{name:32}{rate:11.2f}{_ratio(walls, _TORCH, name):>8}"
            f"{_ratio(walls, _TORCH_16, name):>8}{rate * work / peak:9.0%}{own:8.1f}"
            f"{_WHOLE / rate / 3600:7.1f} h{max(turn.others for turn in each):8.1%}"
        )


def _ratio(walls: dict[str, list[float]], base: str, name: str) -> str:
    """Returns the median over rounds of how many times faster `name` is."""
    if base not in walls:
        return "-"
    pairs = zip(walls[base], walls[name], strict=True)
    return f"{statistics.median(b / n for b, n in pairs):.2f}"


if __name__ == "__main__":
    main()
