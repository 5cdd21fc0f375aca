"""Measures the work that is left to a build that was killed at half.

    python benchmarks/build_resume.py

Builds a data set whole, builds it again until half of the composites are done,
kills that (kill -9), gives the same command again, and compares the bytes. Every
time holds the start of the process and the loading of the teacher.
"""

from __future__ import annotations

import argparse
import hashlib
import pathlib
import sys
import tempfile

from build_process import build, examples_in, splits_of


def digests(data_dir: pathlib.Path) -> dict[str, str]:
    """Returns the sha256 of every file of the data sets in a folder."""
    return {
        str(path.relative_to(data_dir)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data_dir.glob("fgbg/**/*"))
        if path.is_file()
    }


def main() -> None:
    """Builds three times, prints the times and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--foregrounds", default="drawn:10")
    parser.add_argument("--backgrounds", default="drawn:10")
    parser.add_argument("--teacher", default="embedded")
    parser.add_argument("--placements", type=int, default=40)
    arguments = parser.parse_args()
    config = {"name": "killed", **vars(arguments)}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        undisturbed, disturbed = pathlib.Path(one), pathlib.Path(other)
        whole = build(config, undisturbed)
        count = sum(map(examples_in, splits_of(undisturbed).values()))
        killed = build(config, disturbed, stop_after=count // 2)
        rest = build(config, disturbed)
        same = digests(undisturbed) == digests(disturbed)
    print(f"{count} composites, teacher {arguments.teacher}")
    for name, taken in ("whole", whole), ("killed at half", killed), ("the rest", rest):
        print(
            f"{name:16}{taken.seconds:8.1f} s{taken.processor_seconds:8.1f} s of "
            "processor"
        )
    print(
        f"the rest / whole: {rest.seconds / whole.seconds:.2f}, of processor time "
        f"{rest.processor_seconds / whole.processor_seconds:.2f}"
    )
    print("same bytes" if same else "OTHER BYTES")
    sys.exit(not same)


if __name__ == "__main__":
    main()
