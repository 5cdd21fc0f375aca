"""All answers of a look as a zip, in the folders of `python -m trainer.predict`."""

from __future__ import annotations

import json
import pathlib
import zipfile

from trainer import figures
from trainer.contract import MAX_ALPHA
from trainer.demo.looks import Look
from trainer.files import name_failures
from trainer.predict import (
    BACKGROUND,
    OBJECTS,
    describe_frame,
    draw_answer,
    encode_picture,
    locate_answer,
)

KINDS = ("mask", "depth", "depth_view", "overlay")
README = """Made by python -m trainer.demo.

mask/        8 bits, 255 is surely new; the probabilities themselves
depth/       16 bits, metres = value / 256
depth_view/  depth as colour: bright is 1 m, dark is 80 m
overlay/     the frame with what is new in red
objects.jsonl  a line a frame: boxes (left, top, width, height), distances in metres
background.png  the empty scene

The pixels of an object are new with a probability of at least {threshold:g}, and are at
least {area:g} % of the picture.
"""


def write_archive(path: pathlib.Path, look: Look, threshold: float, area: float):
    """Writes the answers of a look as a zip.

    Args:
      path: The file.
      look: A look with answers.
      threshold: Of `objects.jsonl` and of the overlay's line.
      area: Of `objects.jsonl`, percent of the picture.

    Raises:
      UserError: If the disk is full.
    """
    found = look.find_objects(threshold, area)
    with name_failures(path), zipfile.ZipFile(path, "w") as archive:
        for frame, answer in zip(look.frames, look.answers, strict=True):
            for kind in KINDS:
                name = locate_answer(pathlib.Path(), kind, frame.name)
                picture = draw_answer(frame.pixels, answer, kind)
                if kind == "overlay":
                    mask = answer.mask[..., None] / MAX_ALPHA
                    picture = figures.draw_overlay(frame.pixels, mask, threshold)
                archive.writestr(str(name), encode_picture(picture, name.suffix))
        lines = [
            json.dumps(describe_frame(*each)) + "\n"
            for each in zip(look.frames, found, strict=True)
        ]
        archive.writestr(OBJECTS, "".join(lines))
        if look.background is not None:
            archive.writestr(BACKGROUND, encode_picture(look.background, ".png"))
        text = README.format(threshold=threshold, area=area)
        archive.writestr("README.txt", text)
