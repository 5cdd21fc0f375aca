"""Runs `python -m trainer.predict`; `arguments` says what it takes."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import pathlib

from trainer.command_line import make_main, start
from trainer.errors import UserError
from trainer.files import lock_folder, require_writable
from trainer.predict.answers import DEFAULT_KINDS
from trainer.predict.arguments import RUNNING, make_parser
from trainer.predict.frames import PictureFrames, find_frames, find_pictures
from trainer.predict.live import (
    AnyFrames,
    LiveFrames,
    hide_password,
    open_address,
)
from trainer.predict.observer import Observer
from trainer.predict.pace import Pace
from trainer.predict.predictor import Predictor, find_model
from trainer.predict.record import Record, claim_folder, hash_model, hash_pictures
from trainer.predict.running import RunningScene
from trainer.predict.scenes import BACKGROUND, SCENE_FRAMES, open_scene
from trainer.predict.shadow_removal import open_shadows
from trainer.predict.shrinking import ShrinkingPredictor
from trainer.predict.surveying import (
    calibrate,
    check_survey,
    describe_survey,
    locate_calibration,
    read_calibration,
)
from trainer.predict.writing import find_ordered, predict_frames

LOG = logging.getLogger("trainer")

SETTLE = 10.0  # minutes after which what stays is scene
LIVE_KINDS = ("overlay", "objects")  # all answers of a day would fill the disk


def run(arguments: argparse.Namespace) -> None:
    """Predicts as the command line asks, or goes on with what it has begun.

    Raises:
      UserError: If model, background or frames cannot be used, if --out has answers of
        another command, or, after the others are answered, if some frames could not
        be read.
    """
    # All checks come before anything is written, the quick ones first.
    model, out = find_model(arguments.model), arguments.out
    given = None if arguments.background == RUNNING else arguments.background
    _check_flags(arguments, given)
    frames = _find_frames(arguments)
    check_survey(arguments, frames.sizes[0])
    live = isinstance(frames, LiveFrames)
    empty = find_pictures(given) if given else None
    _check_sizes(frames, empty)
    settle = _choose_settle(arguments, frames)
    number = arguments.scene_frames or SCENE_FRAMES
    scene = hash_pictures(empty.paths) if empty else f"behind {number} frames"
    network, kept = hash_model(model), locate_calibration(out, given)
    survey, calibration = describe_survey(arguments), None
    if not survey:
        calibration = read_calibration(kept, network, frames.sizes[0])
    command = Record(
        network,
        scene if settle is None else f"{scene}, what stays for {settle:g} minutes",
        frames.describe_files(),
        whole_every=arguments.whole_every,
        rows=arguments.rows,
        min_area=arguments.min_area,
        pace=_describe_pace(arguments),
        metres=calibration.made_of if calibration else survey,
        keep_shadows=arguments.keep_shadows,
    )
    write = arguments.write or (LIVE_KINDS if live else DEFAULT_KINDS)
    predictor = Predictor(model)
    with lock_folder(out, f"another process writes to --out={out}; choose another"):
        record = claim_folder(out, command, arguments.overwrite)
        record.write(out)
        # What is finished stays; what was cut short is made anew.
        kinds = [kind for kind in write if kind not in record.finished]
        # A scene that kept up is taken up again.
        kept_up = settle is not None and (out / BACKGROUND).exists()
        background, spread = open_scene(
            out, None if kept_up else empty, frames, number, predictor
        )
        size = background.shape[:2]
        shrinking = ShrinkingPredictor(predictor, size, arguments.rows)
        shadows = None
        if not arguments.keep_shadows:
            look = Observer(shrinking, background, spread).find_new
            shadows = open_shadows(out, frames, look, background)
        observer = Observer(
            shrinking,
            background,
            spread,
            arguments.whole_every,
            RunningScene(background, 60 * settle) if settle is not None else None,
            out,
            shadows,
        )
        if survey:
            calibration = calibrate(arguments, observer.scene_depth, network)
            calibration.write(kept)
        if calibration:
            observer.calibrate(calibration)
        try:
            number = predict_frames(
                observer, size, frames, out, kinds, arguments.min_area
            )
        finally:
            observer.save()
            if isinstance(frames, LiveFrames):
                LOG.info(
                    "%d frames came; %d came faster than they could be answered, and "
                    "were dropped",
                    frames.received,
                    frames.dropped,
                )
        finished = {*record.finished, *find_ordered(kinds, frames)}
        dataclasses.replace(record, finished=tuple(sorted(finished))).write(out)
    LOG.info("%d frames: %s in %s", number, ", ".join(write), out)
    if frames.broken:
        raise UserError(
            f"{frames.broken} frames could not be read, and {number} are answered"
        )


def _check_flags(arguments: argparse.Namespace, given: pathlib.Path | None) -> None:
    if given and arguments.scene_frames:
        raise UserError(
            f"--scene_frames={arguments.scene_frames} is for a run without "
            "--background; leave one of them out"
        )
    out = arguments.out
    require_writable(out, "out")
    paths = [place for place in arguments.frames if isinstance(place, pathlib.Path)]
    if out.resolve() in [path.resolve() for path in [*paths, *filter(None, [given])]]:
        raise UserError(
            f"--out={out} is a folder of frames or of the background, and answers "
            "would be taken for these; choose another --out"
        )


def _find_frames(arguments: argparse.Namespace) -> AnyFrames:
    pace = None
    if arguments.stride > 1 or arguments.max_fps:
        pace = Pace(arguments.stride, arguments.max_fps)
    addresses = [place for place in arguments.frames if isinstance(place, str)]
    if addresses and len(arguments.frames) > 1:
        raise UserError(
            f"{hide_password(addresses[0])}: a camera goes alone; "
            f"{len(arguments.frames)} places were given"
        )
    if addresses:
        frames = open_address(addresses[0], pace, arguments.patience)
    else:
        frames = find_frames(arguments.frames, arguments.fps, pace)
    pictures = isinstance(frames, PictureFrames)
    if arguments.fps and not pictures:
        raise UserError(
            f"--fps={arguments.fps:g} is for folders of pictures; a video or a camera "
            "says itself how quick it is"
        )
    if arguments.max_fps and pictures and not arguments.fps:
        raise UserError(
            f"--max_fps={arguments.max_fps:g}: pictures do not say how quick they are; "
            "add --fps=FRAMES_A_SECOND, or give --stride=N"
        )
    return frames


def _check_sizes(frames: AnyFrames, empty: PictureFrames | None) -> None:
    if empty:
        owner = f"the background {empty.paths[0]}"
        frames.check(empty.sizes[0], owner)
        empty.check(empty.sizes[0], owner)
    else:
        frames.check(frames.sizes[0], str(frames.paths[0]))


def _choose_settle(arguments: argparse.Namespace, frames: AnyFrames) -> float | None:
    """Chooses after how many minutes what stays is scene; None for never."""
    settle = arguments.settle
    if settle is None and (
        arguments.background == RUNNING
        or (arguments.background is None and isinstance(frames, LiveFrames))
    ):
        settle = SETTLE
    if settle is not None and isinstance(frames, PictureFrames) and not arguments.fps:
        raise UserError(
            "a scene that keeps up needs to know how the time goes, and pictures do "
            "not say; add --fps=FRAMES_A_SECOND"
        )
    return settle


def _describe_pace(arguments: argparse.Namespace) -> str:
    stride = f"--stride={arguments.stride}" if arguments.stride > 1 else ""
    most = f"--max_fps={arguments.max_fps:g}" if arguments.max_fps else ""
    return f"{stride} {most}".strip()


main = make_main(make_parser, run)


if __name__ == "__main__":
    start(main)
