"""Writes the depth of photos: metres as a 16-bit PNG, and depth as colour."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence

import numpy as np
import tqdm
from absl import logging

from fgbg_tfds.compose import list_pictures
from fgbg_tfds.depth import PRECISIONS, TEACHERS, Teacher, load_teacher
from fgbg_tfds.depth.answers import is_answer, locate_answers, write_answers
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import parse_path, require_writable
from fgbg_tfds.picture_files import read_picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "photos",
        nargs="+",
        type=parse_path,
        metavar="photo.jpg",
        help="photos, and folders of photos",
    )
    parser.add_argument("--teacher", choices=TEACHERS, default="embedded")
    parser.add_argument("--weights", help="a path, or the name of downloaded weights")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument(
        "--out", type=parse_path, help="folder to write to; else beside each photo"
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs the command. A photo that cannot be read is named, and the others go on.

    Raises:
      InputError: If anything but a photo's content is wrong, before anything is
        written; or at the end, if photos could not be read.
    """
    photos = find_photos(arguments.photos)
    _check_answers(photos, arguments.out)
    _warn_of_others(photos, arguments.out)
    teacher = load_teacher(arguments.teacher, arguments.weights, arguments.precision)
    card = teacher.card
    kind = "metric" if card.metric else "not metric"
    print(f"{card.name} {card.weights}, {card.precision}: {card.rule} ({kind})")
    unread = 0
    with tqdm.tqdm(photos, unit="photo") as bar:
        for photo in bar:
            answers = locate_answers(photo, arguments.out)
            try:
                metres = measure_photo(teacher, photo)
            except InputError as error:
                unread += 1
                message = f"{error}{_describe_earlier(answers)}"
                if len(photos) == 1:
                    raise InputError(message) from error
                tqdm.tqdm.write(f"error: {message}", file=sys.stderr)
                continue
            write_answers(answers, metres)
            tqdm.tqdm.write("\n".join(map(str, answers)))
    if unread:
        raise InputError(f"{unread} of {len(photos)} photos could not be read")


def find_photos(paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Finds photos, without those that are answers of an earlier run.

    Args:
      paths: Photos, and folders of photos, whose subfolders are not entered.

    Returns:
      The photos in the order given; those of a folder by name.

    Raises:
      InputError: If a path is not there, or there are no photos.
    """
    found = []
    for path in paths:
        if path.is_dir():
            found += _list_photos(path)
        elif path.is_file():
            found.append(path)
        else:
            kind = "is no file" if os.path.lexists(path) else "is not there"
            raise InputError(
                f"photo {path} {kind}; expected a picture file or a folder of them"
            )
    photos = [path for path in found if not is_answer(path)]
    answers = [path for path in found if is_answer(path)]
    if answers:
        logging.warning(
            "left out %d answers of an earlier run, such as %s",
            len(answers),
            answers[0],
        )
    if not photos:
        raise InputError(
            f"{answers[0]} is an answer of this command; give it photos instead"
        )
    return photos


def measure_photo(teacher: Teacher, photo: pathlib.Path) -> np.ndarray:
    """Estimates a photo's depth.

    Args:
      teacher: A loaded teacher.
      photo: The photo's path.

    Returns:
      float32 [H, W], metres.

    Raises:
      InputError: If the photo cannot be read, or is too large for the memory.
    """
    import tensorflow as tf

    picture = read_picture(photo)
    try:
        return teacher(picture[None])[0]
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        height, width = picture.shape[:2]
        raise InputError(
            f"{photo}: {width}x{height} pixels do not fit into memory; reduce it"
        ) from error


def _list_photos(folder: pathlib.Path) -> list[pathlib.Path]:
    """Lists a folder's pictures, but for the depth of others among them."""
    pictures = [pathlib.Path(path) for path in list_pictures(folder).values()]
    depths = {path for photo in pictures for path in locate_answers(photo, None)}
    photos = [path for path in pictures if is_answer(path) or path not in depths]
    if others := len(pictures) - len(photos):
        logging.warning(
            "%s: left out %d called like the depth of others", folder, others
        )
    return photos


def _check_answers(photos: Sequence[pathlib.Path], out: pathlib.Path | None) -> None:
    """Checks the places of all answers, before a network is loaded."""
    for folder in dict.fromkeys(out or photo.parent for photo in photos):
        require_writable(folder, "give another --out")
    places: dict[str, pathlib.Path] = {}
    for photo in photos:
        answers = locate_answers(photo, out)
        place = os.path.normcase(answers.depth.resolve())
        if place in places:
            raise InputError(
                f"photos {places[place]} and {photo} would be written to the same "
                "file; expected different names"
            )
        places[place] = photo
        for path in answers:
            if os.path.lexists(path) and not is_answer(path):
                raise InputError(
                    f"{path} is there, and is no answer of this command; move it, or "
                    "give another --out"
                )


def _warn_of_others(photos: Sequence[pathlib.Path], out: pathlib.Path | None) -> None:
    """Warns of answers in `out` that could be taken for those of this run."""
    if not out or not out.is_dir():
        return
    own = {path for photo in photos for path in locate_answers(photo, out)}
    others = [path for path in sorted(out.iterdir()) if path not in own]
    if earlier := [path for path in others if is_answer(path)]:
        logging.warning(
            "%s holds %d answers to other photos, of an earlier run, such as %s",
            out,
            len(earlier),
            earlier[0].name,
        )


def _describe_earlier(answers: Sequence[pathlib.Path]) -> str:
    there = [str(path) for path in answers if path.exists()]
    return f"; answers of an earlier run: {', '.join(there)}" if there else ""
