"""Draws data sets, writes them for other frameworks, and draws a film.

python -m fgbg_tfds gallery fgbg/sample
python -m fgbg_tfds parquet fgbg/sample --out=parquet
python -m fgbg_tfds coco fgbg/sample --out=coco
python -m fgbg_tfds film --out=film
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import sys

from fgbg_tfds import conversion
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
    _add_dataset(gallery)
    gallery.add_argument("--split", default="train", help="default: %(default)s")
    gallery.add_argument("--count", type=int, default=8, help="rows (%(default)s)")
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
    _add_conversions(commands)
    arguments = parser.parse_args(argv)
    arguments.run(arguments)


def _add_conversions(commands: argparse._SubParsersAction) -> None:
    """Adds the commands that write a data set for other frameworks."""
    summary = "write a data set as Parquet, for pandas and Hugging Face's datasets"
    parquet = commands.add_parser("parquet", help=summary, description=summary)
    parquet.add_argument(
        "--max_file_mb",
        type=int,
        default=conversion.MAX_FILE_MB,
        help="size of a file in 1e6 bytes, about (%(default)s)",
    )
    parquet.set_defaults(run=_write_parquet)
    summary = "write composites as JPEGs, boxes and masks as COCO's JSON"
    coco = commands.add_parser("coco", help=summary, description=summary)
    coco.add_argument(
        "--categories",
        choices=conversion.CATEGORIES,
        default=conversion.CATEGORIES[0],
        help="one for all foregrounds, or the names of the foregrounds, of which "
        "splits have none in common (%(default)s)",
    )
    coco.set_defaults(run=_write_coco)
    for command in (parquet, coco):
        _add_dataset(command)
        command.add_argument("--out", type=parse_path, required=True, help="folder")
        command.add_argument(
            "--split",
            help="such as train, train[:1000] or train,test; default: each one",
        )


def _add_dataset(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", help="such as fgbg/sample or fgbg/streets")
    command.add_argument(
        "--data_dir",
        type=os.path.expanduser,  # perhaps in a bucket, so no path
        help="folder of the data sets; default: TFDS's own",
    )


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


def _write_parquet(arguments: argparse.Namespace) -> None:
    files = conversion.write_parquet(
        arguments.dataset,
        arguments.out,
        arguments.split,
        arguments.data_dir,
        arguments.max_file_mb,
    )
    print(*files, sep="\n")


def _write_coco(arguments: argparse.Namespace) -> None:
    files = conversion.write_coco(
        arguments.dataset,
        arguments.out,
        arguments.split,
        arguments.data_dir,
        arguments.categories,
    )
    print(*files, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
