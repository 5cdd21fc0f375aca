"""Peak memory of a build, for a small and a ten times larger data set.

    python benchmarks/build_memory.py --teacher embedded

Each build is a `tfds build` in a process of its own; the peak is the kernel's
figure of its resident memory. Prints a line for each and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

PACKAGE = pathlib.Path(__file__).parents[1] / "fgbg_tfds"
LAUNCH = "from tensorflow_datasets.scripts.cli.main import launch_cli; launch_cli()"


def build(config: dict[str, object], folder: str) -> tuple[int, float]:
    """Builds a data set; returns peak memory in bytes and seconds."""
    words = [sys.executable, "-c", LAUNCH, "build", str(PACKAGE)]
    words += ["--data_dir", folder, "--config", json.dumps(config)]
    log = os.open(pathlib.Path(folder) / "log", os.O_WRONLY | os.O_CREAT)
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    pid = os.posix_spawn(sys.executable, words, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    os.close(log)
    if status:
        sys.exit((pathlib.Path(folder) / "log").read_text()[-2000:])
    return usage.ru_maxrss * 1024, time.perf_counter() - start


def main() -> None:
    """Builds both and prints their peaks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--foregrounds", default="drawn:10")
    parser.add_argument("--backgrounds", default="drawn:10")
    parser.add_argument("--teacher", default="none")
    parser.add_argument("--labelling", default="composite")
    parser.add_argument("--placements", type=int, nargs=2, default=(20, 200))
    arguments = parser.parse_args()
    peaks = []
    for placements in arguments.placements:
        config = {
            "name": "measured",
            "foregrounds": arguments.foregrounds,
            "backgrounds": arguments.backgrounds,
            "teacher": arguments.teacher,
            "labelling": arguments.labelling,
            "placements": placements,
        }
        with tempfile.TemporaryDirectory() as folder:
            peak, seconds = build(config, folder)
            infos = pathlib.Path(folder).glob("fgbg/*/*/dataset_info.json")
            splits = json.loads(next(infos).read_text())["splits"]
        count = sum(int(n) for split in splits for n in split["shardLengths"])
        size = sum(int(split["numBytes"]) for split in splits)
        peaks.append(peak)
        print(
            f"{count:8d} composites: peak {peak / 1e9:.2f} GB, "
            f"{size / count / 1e3:.1f} KB each, {seconds:.0f} s",
            flush=True,
        )
    print(f"ratio of the peaks: {peaks[1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
