"""Finds in every frame of a fixed camera the new pixels, and the depth of all pixels.

python -m trainer.predict --model=runs/cpu --background=empty.jpg frames/
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import pathlib
import signal
import sys

import numpy as np

from trainer.command_line import run_command
from trainer.errors import UserError
from trainer.files import lock_folder, require_writable, write_atomically
from trainer.picture_files import read_picture, read_size
from trainer.predict.answers import FILMED, KINDS, encode_picture
from trainer.predict.frames import compute_median, find_frames
from trainer.predict.predictor import Predictor, find_model
from trainer.predict.record import BACKGROUND, claim_folder, describe_command
from trainer.predict.writing import predict_frames

LOG = logging.getLogger("trainer")

MEDIAN_FRAMES = 25
FEWEST_FRAMES = 3  # with fewer, one of them would be compared with itself


def run(arguments: argparse.Namespace) -> None:
    """Predicts as the command line asks, or goes on with what it has begun.

    Raises:
      UserError: If model, background or frames cannot be used, if --out has answers of
        another command, or, after the others are answered, if some frames could not
        be read.
    """
    # All checks come before anything is written, the quick ones first.
    if arguments.background and arguments.median_frames:
        raise UserError(
            f"--median_frames={arguments.median_frames} is for a run without "
            "--background; leave one of them out"
        )
    model, out = find_model(arguments.model), arguments.out
    require_writable(out, "out")
    frames = find_frames(arguments.frames)
    if arguments.background:
        size = read_size(arguments.background)
        frames.check(size, f"the background {arguments.background}")
    else:
        frames.check(frames.sizes[0], str(frames.paths[0]))
    predictor = Predictor(model)
    median_frames = arguments.median_frames or MEDIAN_FRAMES
    command = describe_command(
        model, arguments.background or f"median of {median_frames}", frames.paths
    )
    with lock_folder(out, f"another process writes to --out={out}; choose another"):
        record = claim_folder(out, command, arguments.overwrite)
        films = set(FILMED) & set(arguments.write) if frames.video else set()
        # Finished videos stay; one that was cut short is written anew.
        kinds = [kind for kind in arguments.write if kind not in record.films]
        scene = arguments.background or out / BACKGROUND
        if scene.exists():
            background = read_picture(scene)
            record.write(out)
        else:
            background = _find_background(frames, median_frames)
            record.write(out)
            write_atomically(scene, encode_picture(background, ".png"))
        LOG.info("the background is %s", scene)
        number = predict_frames(predictor, background, frames, out, kinds)
        if films:
            films |= set(record.films)
            dataclasses.replace(record, films=tuple(sorted(films))).write(out)
    LOG.info("%d frames: %s in %s", number, ", ".join(arguments.write), out)
    if frames.broken:
        raise UserError(
            f"{frames.broken} frames could not be read, and {number} are answered"
        )


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    kinds = "\n".join(f"  {name:12}{text}" for name, text in KINDS.items())
    parser = argparse.ArgumentParser(
        "python -m trainer.predict",
        description=__doc__,
        epilog=f"kinds of answers for --write:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        type=_parse_path,
        required=True,
        metavar="DIR",
        help="the exported network, such as runs/cpu/export/1, or a run such as "
        "runs/cpu, whose newest export is taken",
    )
    parser.add_argument(
        "--background",
        type=_parse_path,
        metavar="FILE",
        help="picture of the empty scene, by the same camera and of the same size; "
        "without it, the median of frames spread over all of them",
    )
    parser.add_argument(
        "--median_frames",
        type=_parse_positive,
        metavar="N",
        help="without --background: number of frames of the median (up to twice as "
        "many of a video); objects that stand still in half of them stay in it "
        "(default: 25)",
    )
    parser.add_argument(
        "--out",
        type=_parse_path,
        default=pathlib.Path("predictions"),
        metavar="DIR",
        help="folder to write to (default: predictions)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="remove the answers that are in --out; without it, the same command goes "
        "on where it was stopped, and another one is refused",
    )
    parser.add_argument(
        "--write",
        type=_parse_kinds,
        default=tuple(KINDS),
        metavar="NAME,…",
        help="kinds of answers to write (default: all)",
    )
    parser.add_argument(
        "frames",
        type=_parse_path,
        nargs="+",
        help="folders of pictures, pictures, or one video (which needs PyAV: "
        "pip install '.[video]')",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
      argv: The arguments; those of the process if None.

    Returns:
      The exit status; see `run_command`.
    """
    arguments = make_parser().parse_args(argv)
    LOG.handlers[:] = [logging.StreamHandler()]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    return run_command(lambda: run(arguments))


def _find_background(frames, number: int) -> np.ndarray:
    """Computes the median of some frames."""
    LOG.info("no --background: taking the median of frames")
    chosen = frames.sample(number)
    if len(chosen) < FEWEST_FRAMES:
        raise UserError(
            f"--background is missing: the median of {len(chosen)} frame(s) is no "
            f"empty scene; give a picture of it, or at least {FEWEST_FRAMES} frames"
        )
    return compute_median(chosen)


def _parse_kinds(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in KINDS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(KINDS)}")
    return names


def _parse_path(text: str) -> pathlib.Path:
    try:
        return pathlib.Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def _parse_positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
