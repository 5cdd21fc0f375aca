"""Looks at data sets: `python -m fgbg_tfds gallery fgbg/sample`."""

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
      argv: The words after `python -m fgbg_tfds`; None takes sys.argv's.

    Returns:
      The exit status: 0, or 1 after a user's mistake, told on stderr.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = argparse.ArgumentParser("python -m fgbg_tfds", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    summary = "write one PNG to judge a data set by"
    gallery = commands.add_parser("gallery", help=summary, description=summary)
    gallery.add_argument("dataset", help="such as fgbg/sample or fgbg/streets")
    gallery.add_argument("--split", default="train", help="default: %(default)s")
    gallery.add_argument("--count", type=int, default=8, help="rows (%(default)s)")
    gallery.add_argument(
        "--data_dir", help="where data sets lie; default: TFDS's place"
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
