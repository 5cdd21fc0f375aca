"""Draws data sets, and a film to try a network on.

python -m fgbg_tfds gallery fgbg/sample
python -m fgbg_tfds film --out=film
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import sys

from fgbg_tfds.command_line import run_command
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import parse_path
from fgbg_tfds.film import save_film
from fgbg_tfds.gallery import FORMATS, save_gallery


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
      argv: The arguments; those of the process if None.

    Returns:
      The exit status; see `run_command`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return run_command(lambda: _run(argv))


def _run(argv: list[str] | None) -> None:
    parser = argparse.ArgumentParser(
        "python -m fgbg_tfds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    summary = "draw examples of a data set as one picture, to judge it by"
    gallery = commands.add_parser("gallery", help=summary, description=summary)
    gallery.add_argument("dataset", help="such as fgbg/sample or fgbg/streets")
    gallery.add_argument("--split", default="train", help="default: %(default)s")
    gallery.add_argument("--count", type=int, default=8, help="rows (%(default)s)")
    gallery.add_argument(
        "--data_dir",
        type=os.path.expanduser,  # perhaps in a bucket, so no path
        help="folder of the data sets; default: TFDS's own",
    )
    gallery.add_argument(
        "--out",
        type=parse_path,
        help=f"file ending in {', '.join(FORMATS)}; default: gallery_NAME.png in this "
        "folder",
    )
    gallery.set_defaults(run=_draw_gallery)
    summary = "draw a film of a street: empty.png, frames/ and what is new in truth/"
    film = commands.add_parser("film", help=summary, description=summary)
    film.add_argument(
        "--out",
        type=parse_path,
        default=pathlib.Path("film"),
        help="folder (default: %(default)s)",
    )
    film.add_argument("--frames", type=int, default=60, help="number (%(default)s)")
    film.add_argument(
        "--size", type=int, default=320, help="pixels of a side (%(default)s)"
    )
    film.set_defaults(run=_draw_film)
    arguments = parser.parse_args(argv)
    arguments.run(arguments)


def _draw_gallery(arguments: argparse.Namespace) -> None:
    name = re.sub(r"[^\w.+-]", "_", arguments.dataset)  # Windows takes no : and no *
    output = arguments.out or pathlib.Path(f"gallery_{name}.png")
    if arguments.count < 1:
        raise InputError(f"--count={arguments.count}: give at least 1")
    drawn = save_gallery(
        arguments.dataset, output, arguments.split, arguments.count, arguments.data_dir
    )
    if drawn < arguments.count:
        split = f"{arguments.dataset}, {arguments.split}"
        print(f"{split}: has {drawn} examples; all are drawn", file=sys.stderr)
    print(output)


def _draw_film(arguments: argparse.Namespace) -> None:
    save_film(arguments.out, arguments.frames, arguments.size)
    print(arguments.out)


if __name__ == "__main__":
    sys.exit(main())
