"""Peak memory of a build, for a small and a ten times larger data set.

    python benchmarks/build_memory.py --teacher embedded

Each build is a `tfds build` in a process of its own; the peak is the kernel's
figure of its resident memory. Prints a line for each and their ratio.
"""

from __future__ import annotations

import argparse
import pathlib
import tempfile

from build_process import build, examples_in, splits_of


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
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            taken = build(config, folder)
            splits = splits_of(folder).values()
        count = sum(map(examples_in, splits))
        size = sum(int(split["numBytes"]) for split in splits)
        peaks.append(taken.peak_bytes)
        print(
            f"{count:8d} composites: peak {taken.peak_bytes / 1e9:.2f} GB, "
            f"{size / count / 1e3:.1f} KB each, {taken.seconds:.0f} s",
            flush=True,
        )
    print(f"ratio of the peaks: {peaks[1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
