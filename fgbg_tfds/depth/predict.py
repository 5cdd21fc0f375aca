"""Writes the depth of photos: metres as a 16-bit PNG, and depth as colour."""

from __future__ import annotations

import argparse
import pathlib

import numpy as np
import tqdm
from PIL import Image

from fgbg_tfds.colours import colour_depth
from fgbg_tfds.contract import DEPTH_UNITS
from fgbg_tfds.depth import PRECISIONS, TEACHERS, Teacher, load_teacher
from fgbg_tfds.errors import InputError
from fgbg_tfds.picture_files import read_picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("photos", nargs="+", type=pathlib.Path, metavar="photo.jpg")
    parser.add_argument("--teacher", choices=TEACHERS, default="embedded")
    parser.add_argument("--weights", help="a path, or the name of downloaded weights")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument(
        "--out", type=pathlib.Path, help="folder to write to; else beside each photo"
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    _check_photos(arguments.photos, arguments.out)
    teacher = load_teacher(arguments.teacher, arguments.weights, arguments.precision)
    card = teacher.card
    kind = "metric" if card.metric else "not metric"
    print(f"{card.name} {card.weights}, {card.precision}: {card.rule} ({kind})")
    for photo in tqdm.tqdm(arguments.photos, unit="photo"):
        depth, picture = predict_photo(teacher, photo, arguments.out)
        tqdm.tqdm.write(f"{depth}\n{picture}")


def _check_photos(photos: list[pathlib.Path], out: pathlib.Path | None) -> None:
    """Checks the photos before a network is loaded."""
    places = {}
    for photo in photos:
        if not photo.is_file():
            raise InputError(f"photo {photo} is not there; expected a picture file")
        place = ((out or photo.parent).resolve(), photo.stem)
        if place in places:
            raise InputError(
                f"photos {places[place]} and {photo} would be written to the same "
                "file; expected different names"
            )
        places[place] = photo


def predict_photo(
    teacher: Teacher, photo: pathlib.Path, out: pathlib.Path | None = None
) -> tuple[pathlib.Path, pathlib.Path]:
    """Estimates one photo's depth and writes it.

    Args:
      teacher: A loaded teacher.
      photo: The photo's path.
      out: The folder to write to, made if need be; None is the photo's own.

    Returns:
      The paths of `NAME_depth.png`, 16 bits, in 1/256 metre up to 255.996 m, and of
      `NAME_depth_colour.png`, where near is bright.

    Raises:
      InputError: If the photo cannot be read.
    """
    metres = teacher(read_picture(photo)[None])[0]
    folder = out or photo.parent
    folder.mkdir(parents=True, exist_ok=True)
    depth_path = folder / f"{photo.stem}_depth.png"
    steps = np.clip(np.round(metres * DEPTH_UNITS), 1, 2**16 - 1).astype(np.uint16)
    Image.fromarray(steps).save(depth_path)
    colour_path = folder / f"{photo.stem}_depth_colour.png"
    Image.fromarray(colour_depth(metres)).save(colour_path)
    return depth_path, colour_path
