"""Measures the peak memory of `python -m fgbg_tfds parquet` and `coco` by examples.

    python benchmarks/conversion_memory.py --dataset=fgbg/streets --counts=1000,4000

Each row is a process of its own. Memory that does not grow with the examples is that of
Python, TensorFlow and one group of rows.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from fgbg_tfds.built_data import open_built_data


def measure(words: list[str]) -> tuple[float, float]:
    """Measures seconds and peak MiB of a command of `fgbg_tfds`."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "fgbg_tfds", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"python -m fgbg_tfds {' '.join(words)}: ended with {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def repeat(split: str, count: int, total: int) -> str:
    """Names `count` examples of a split of `total`, which is repeated if need be."""
    whole, rest = divmod(count, total)
    return "+".join([split] * whole + ([f"{split}[:{rest}]"] if rest else []))


def main() -> None:
    """Prints a row for each command and number of examples."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="fgbg/sample")
    parser.add_argument("--data_dir")
    parser.add_argument("--split", default="train")
    parser.add_argument(
        "--counts",
        default="500,2000",
        help="examples; the split is repeated for more than it has",
    )
    arguments = parser.parse_args()
    data = open_built_data(arguments.dataset, arguments.data_dir)
    total = data.count(arguments.split)
    print("| | examples | seconds | MB written | peak memory, MiB |")
    print("|---|---|---|---|---|")
    for command in ("parquet", "coco"):
        for count in arguments.counts.split(","):
            with tempfile.TemporaryDirectory() as out:
                words = [command, arguments.dataset, f"--out={out}/{command}"]
                words.append(f"--split={repeat(arguments.split, int(count), total)}")
                if arguments.data_dir:
                    words.append(f"--data_dir={arguments.data_dir}")
                seconds, peak = measure(words)
                files = [
                    path for path in pathlib.Path(out).rglob("*") if path.is_file()
                ]
                size = sum(path.stat().st_size for path in files) / 1e6
            print(f"| {command} | {count} | {seconds:.0f} | {size:.0f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
