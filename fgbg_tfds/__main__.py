"""Draws data sets: `python -m fgbg_tfds gallery fgbg/sample`."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

from fgbg_tfds.errors import InputError
from fgbg_tfds.gallery import save_gallery


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
      argv: The arguments; those of the process if None.

    Returns:
      The exit status: 0, or 1 after a mistake, with one line on stderr.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = argparse.ArgumentParser("python -m fgbg_tfds", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    summary = "draw examples of a data set as one PNG, to judge it by"
    gallery = commands.add_parser("gallery", help=summary, description=summary)
    gallery.add_argument("dataset", help="such as fgbg/sample or fgbg/streets")
    gallery.add_argument("--split", default="train", help="default: %(default)s")
    gallery.add_argument("--count", type=int, default=8, help="rows (%(default)s)")
    gallery.add_argument(
        "--data_dir", help="folder of the data sets; default: TFDS's own"
    )
    gallery.add_argument(
        "--out", type=pathlib.Path, help="default: gallery_NAME.png in this folder"
    )
    arguments = parser.parse_args(argv)
    name = arguments.dataset.replace("/", "_").replace(":", "_")
    output = arguments.out or pathlib.Path(f"gallery_{name}.png")
    try:
        if arguments.count < 1:
            raise InputError(f"--count={arguments.count}: give at least 1")
        save_gallery(
            arguments.dataset,
            output,
            arguments.split,
            arguments.count,
            arguments.data_dir,
        )
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
