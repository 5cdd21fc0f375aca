"""Takes from a camera's frames photos of the empty scene and cut-outs of what passed.

python -m trainer.harvest street.mp4 --out=cam1
tfds build fgbg_tfds --config cam1/config.json
python -m trainer.main --flagfile=configs/adapt.flags --dataset=fgbg/cam1
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import pathlib
import re

import numpy as np
import tqdm

from trainer.command_line import make_main, start
from trainer.errors import UserError
from trainer.files import lock_folder, name_failures, require_writable, write_atomically
from trainer.harvest.cutouts import Cutout, CutoutCollector
from trainer.harvest.photos import Photo, PhotoCollector, list_views
from trainer.harvest.sheet import draw_sheet
from trainer.predict import (
    Observer,
    Predictor,
    ShadowFinder,
    ShrinkingPredictor,
    Tracker,
    encode_picture,
    find_frames,
    find_objects,
    find_pictures,
    hide_password,
    open_scene,
    parse_model,
    parse_path,
    parse_place,
    parse_positive,
    round_answer,
)
from trainer.shipped import PRETRAINED, WEIGHTS_FILE

LOG = logging.getLogger("trainer")

FEWEST = 3  # photos or cut-outs that a data set needs, one for each split
BACKGROUNDS, FOREGROUNDS = "backgrounds", "foregrounds"
PHOTOS_OF_SCENE = 3
UNKNOWN_LENGTH = 300  # frames that a video is taken to have if it does not say
SHEET, CONFIG, BACKGROUND = "sheet.jpg", "config.json", "background.png"
LEAST_SCALE, MOST_SCALE = 0.05, 0.9  # of a view's side, for the data set's config


def run(arguments: argparse.Namespace) -> None:
    """Harvests as the command line asks.

    Raises:
      UserError: If model, background or frames cannot be used, if --out has a harvest,
        or if fewer than `FEWEST` cut-outs are found; nothing is written then.
    """
    out, name = arguments.out, arguments.out.resolve().name
    require_writable(out, "out")
    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise UserError(
            f"--out={out}: the data set will be called fgbg/{name}, which takes "
            "letters, digits and _, and begins with a letter; choose another folder"
        )
    for place in arguments.frames:
        if isinstance(place, str):
            raise UserError(
                f"{hide_password(place)}: a harvest needs a film or pictures; record "
                "one first, such as with ffmpeg"
            )
    frames = find_frames(arguments.frames)
    frames.check(frames.sizes[0], str(frames.paths[0]))
    empty = find_pictures(arguments.background) if arguments.background else None
    if empty:
        empty.check(frames.sizes[0], str(frames.paths[0]))
    former = _list_harvested(out)
    if former and not arguments.overwrite:
        raise UserError(
            f"--out={out} has {len(former)} pictures already, such as {former[0]}; "
            "choose another folder, or add --overwrite to remove them"
        )
    predictor = Predictor(arguments.model)
    with lock_folder(out, f"another process writes to --out={out}; choose another"):
        scene = open_scene(None, empty, frames, arguments.scene_frames, predictor)
        photos, cutouts, left_out = _collect(arguments, frames, scene, predictor)
        if len(cutouts) < FEWEST:
            reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.most_common())
            raise UserError(
                f"{len(cutouts)} cut-outs were found, and a data set needs {FEWEST} at "
                f"least; left out: {reasons or 'nothing, since nothing was new'}; "
                "give a longer film, or a lower --min_side"
            )
        _remove(out, former)
        _write(out, name, scene[0], photos, cutouts)
    reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.most_common(4))
    LOG.info("%d photos, %d cut-outs in %s", len(photos), len(cutouts), out)
    LOG.info("left out: %s", reasons or "nothing")
    LOG.info("look at %s, remove what is not good, and go on with:", out / SHEET)
    LOG.info("tfds build fgbg_tfds --config %s", out / CONFIG)
    if frames.broken:
        raise UserError(
            f"{frames.broken} frames could not be read; the others are harvested"
        )


def _collect(arguments, frames, scene, predictor):
    background, spread = scene
    size = background.shape[:2]
    shrinking = ShrinkingPredictor(predictor, size, arguments.rows)
    look = Observer(shrinking, background, spread)
    every = max(1, -(-frames.number // arguments.max_frames)) if frames.number else 1
    number = -(-frames.number // every)
    photos = PhotoCollector(background, number or UNKNOWN_LENGTH, arguments.photos)
    cutouts, track = CutoutCollector(background, arguments.min_side), Tracker()
    shadows = ShadowFinder()
    bar = tqdm.tqdm(
        frames.read(), "harvest", frames.number or None, unit="frame",
        dynamic_ncols=True,
    )  # fmt: skip
    for index, frame in enumerate(bar):
        if index % every:
            continue
        mask, depth = look(frame)
        objects = track(find_objects(round_answer(mask, depth)))
        photos.add(frame.name, frame.pixels, mask)
        cutouts.add(frame.name, frame.pixels, mask, objects)
        shadows.add(frame.pixels, background, objects)
    ratio = shadows.find_ratio()
    if ratio is not None:
        LOG.info(
            "hard shadows, %.0f %% as bright, are cut off", 100 * np.exp(ratio.mean())
        )
    found = cutouts.choose(arguments.cutouts, ratio)
    return list(photos.make_photos(ratio)), found, cutouts.left_out


def _write(
    out: pathlib.Path,
    name: str,
    scene: np.ndarray,
    photos: list[Photo],
    cutouts: list[Cutout],
) -> None:
    views = list_views(photos[0].pixels.shape[:2])
    groups = max(1, len(photos) // PHOTOS_OF_SCENE)
    for view, window in views.items():
        for index, photo in enumerate(photos):
            # Each scene has photos of the whole time, so that its light changes.
            folder = out / BACKGROUNDS / f"{view}_{index % groups + 1}"
            picture = encode_picture(photo.pixels[window], ".png")
            write_atomically(folder / f"{photo.name}.png", picture)
    for each in cutouts:
        path = out / FOREGROUNDS / f"{each.name}.png"
        write_atomically(path, encode_picture(each.pixels, ".png"))
    write_atomically(out / BACKGROUND, encode_picture(scene, ".png"))
    write_atomically(out / SHEET, draw_sheet(photos, cutouts))
    view = next(iter(views.values()))
    config = _make_config(out, name, cutouts, view[0].stop - view[0].start)
    write_atomically(out / CONFIG, json.dumps(config, indent=1) + "\n")


def _make_config(out, name, cutouts, side: int) -> dict:
    """Makes the data set's config: things come as large as they were seen."""
    shares = np.array([each.side / side for each in cutouts])
    low, high = np.clip(np.quantile(shares, [0.1, 0.9]), LEAST_SCALE, MOST_SCALE)
    return {
        "name": name,
        "foregrounds": str(out / FOREGROUNDS),
        "backgrounds": str(out / BACKGROUNDS),
        "placements": 3,
        "scale": [round(float(low), 3), round(float(max(high, 1.2 * low)), 3)],
    }


def _list_harvested(out: pathlib.Path) -> list[pathlib.Path]:
    return [
        path
        for folder in (BACKGROUNDS, FOREGROUNDS)
        for path in sorted((out / folder).rglob("*"))
        if path.is_file()
    ]


def _remove(out: pathlib.Path, paths: list[pathlib.Path]) -> None:
    """Removes a former harvest, and the folders of scenes that it leaves empty."""
    with name_failures(out):
        for path in paths:
            path.unlink()
        for folder in {path.parent for path in paths}:
            with contextlib.suppress(OSError):  # it holds something else
                folder.rmdir()


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        "python -m trainer.harvest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=parse_path, required=True, metavar="DIR",
        help="gets backgrounds/, foregrounds/, sheet.jpg to judge them by, and "
        "config.json; its name is that of the data set",
    )  # fmt: skip
    parser.add_argument(
        "--model", type=parse_model, default=WEIGHTS_FILE, metavar="PATH",
        help=f"see python -m trainer.predict --help (default: {PRETRAINED})",
    )  # fmt: skip
    parser.add_argument(
        "--background", type=parse_path, metavar="PATH",
        help="picture of the empty scene, or a folder of several (default: it is found "
        "in the frames)",
    )  # fmt: skip
    for flag, default, text in (
        ("--scene_frames", 60, "frames that the empty scene is found in"),
        ("--max_frames", 400, "frames that are looked at, evenly spread"),
        ("--photos", 12, "times of the film of which a photo is made"),
        ("--cutouts", 60, "cut-outs, at most"),
        ("--min_side", 24, "pixels of a cut-out's longest side, at least"),
        ("--rows", 480, "rows that larger frames are shrunk to for the network"),
    ):
        parser.add_argument(
            flag, type=parse_positive, default=default, metavar="N",
            help=f"{text} (default: {default})",
        )  # fmt: skip
    parser.add_argument(
        "--overwrite", action="store_true", help="remove the harvest that is in --out"
    )
    parser.add_argument(
        "frames", type=parse_place, nargs="+",
        help="folders of pictures, pictures, or one video",
    )  # fmt: skip
    return parser


main = make_main(make_parser, run)


if __name__ == "__main__":
    start(main)
