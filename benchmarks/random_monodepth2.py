"""Writes a monodepth2 of random weights, in the original's two files.

    python benchmarks/random_monodepth2.py ~/weights/mono+stereo_640x192
    FGBG_WEIGHTS=~/weights tfds build fgbg_tfds --config configs/original.json

They stand in for the published weights, whose licence is non-commercial, wherever a
build by that teacher is to be tried or timed: the network, the files and the time are
the same, and the depth means nothing. PyTorch is not needed.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests" / "fgbg_tfds" / "depth")]

HEIGHT, WIDTH = 192, 640


def main() -> None:
    """Writes the files and prints their names and sizes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path, help="new folder to write to")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights")
    arguments = parser.parse_args()
    folder = arguments.folder.expanduser()
    if folder.exists():
        parser.error(f"{folder} exists; name a new folder")
    import monodepth2_reference

    monodepth2_reference.write_folder(folder, HEIGHT, WIDTH, seed=arguments.seed)
    for path in sorted(folder.iterdir()):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
