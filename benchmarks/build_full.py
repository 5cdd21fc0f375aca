"""The whole of a config, once: time, processor time, memory, size, splits.

    python benchmarks/build_full.py --config configs/full.json --data_dir DIR

Runs `tfds build` in a process of its own and prints the rows of the table in
docs/scale.md. Killed, the same command goes on; its time is then that of the rest.
"""

from __future__ import annotations

import argparse
import json
import pathlib

from build_process import build, examples_in, splits_of


def main() -> None:
    """Builds and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config", type=pathlib.Path, default=pathlib.Path("configs/full.json")
    )
    parser.add_argument("--data_dir", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.data_dir.mkdir(parents=True, exist_ok=True)
    taken = build(json.loads(arguments.config.read_text()), arguments.data_dir)
    splits = splits_of(arguments.data_dir)
    counts = {name: examples_in(split) for name, split in splits.items()}
    files = {name: len(split["shardLengths"]) for name, split in splits.items()}
    size = sum(int(split["numBytes"]) for split in splits.values())
    count = sum(counts.values())
    rows = {
        "composites": f"{count:,}",
        **{
            f"of them in `{name}`": f"{counts[name]:,} in {files[name]} files"
            for name in splits
        },
        "time": f"{taken.seconds / 60:.1f} min",
        "composites a second": f"{count / taken.seconds:.0f}",
        "processor time a composite": f"{taken.processor_seconds / count * 1e3:.2f} ms",
        "peak memory": f"{taken.peak_bytes / 1e9:.2f} GB",
        "size": f"{size / 1e9:.2f} GB, {size / count / 1e3:.1f} KB a composite",
    }
    print("| | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
