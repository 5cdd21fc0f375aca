"""Finds in every frame of a fixed camera the new pixels, and the depth of all pixels.

python -m trainer.predict --model=runs/cpu/export/1 --background=empty.jpg frames/
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import pathlib
import signal
import sys
from collections.abc import Iterable

import numpy as np
import tqdm

from trainer.command_line import run_command
from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.picture_files import read_picture, read_size
from trainer.predict.answers import (
    FILMED,
    KINDS,
    SUFFIXES,
    convert_answers,
    encode_picture,
)
from trainer.predict.frames import (
    PictureFrames,
    VideoFrames,
    check_size,
    compute_median,
    find_frames,
)
from trainer.predict.predictor import Predictor, check_model
from trainer.predict.video import VideoWriter

LOG = logging.getLogger("trainer")

MEDIAN_FRAMES = 25
FEWEST_FRAMES = 3  # with fewer, one of them would be compared with itself


def predict_frames(
    predictor: Predictor,
    background: np.ndarray,
    frames: PictureFrames | VideoFrames,
    folder: pathlib.Path,
    kinds: Iterable[str] = tuple(KINDS),
) -> int:
    """Writes the answers for all frames, with a progress bar.

    Args:
      predictor: The network.
      background: uint8 [H, W, 3], the empty scene.
      frames: Frames of the same size.
      folder: Gets a folder of PNGs or JPEGs for each kind. For a video, those of
        `FILMED` become MP4s.
      kinds: Some of `KINDS`.

    Returns:
      Number of frames.

    Raises:
      UserError: If a frame cannot be read, or an answer cannot be written.
    """
    number = 0
    with contextlib.ExitStack() as stack:
        writers = {}
        if frames.video:
            for kind in set(FILMED) & set(kinds):
                path = folder / f"{kind}.mp4"
                video = VideoWriter(path, frames.video.rate, frames.video.time_base)
                writers[kind] = stack.enter_context(video)
        bar = stack.enter_context(
            tqdm.tqdm(total=frames.number or None, unit="frame", dynamic_ncols=True)
        )
        for frame in frames:
            size, wanted = frame.pixels.shape[:2], background.shape[:2]
            check_size(frame.name, size, wanted, "the background")
            mask, depth = predictor(background, frame.pixels)
            pictures = convert_answers(frame, mask, depth, kinds)
            for kind, picture in pictures.items():
                if kind in writers:
                    writers[kind].add(picture, frame.time)
                else:
                    suffix = SUFFIXES[kind]
                    path = folder / kind / f"{frame.name}{suffix}"
                    write_atomically(path, encode_picture(picture, suffix))
            bar.update()
            number += 1
    return number


def run(arguments: argparse.Namespace) -> None:
    """Predicts as the command line asks.

    Raises:
      UserError: If model, background or frames cannot be used, or, after the others
        are answered, if some frames could not be read.
    """
    # All checks come before anything is written, the quick ones first.
    if arguments.background and arguments.median_frames:
        raise UserError(
            f"--median_frames={arguments.median_frames} is for a run without "
            "--background; leave one of them out"
        )
    check_model(arguments.model)
    frames = find_frames(arguments.frames)
    if arguments.background:
        size = read_size(arguments.background)
        frames.check(size, f"the background {arguments.background}")
    else:
        frames.check(frames.sizes[0], str(frames.paths[0]))
    predictor = Predictor(arguments.model)
    if arguments.background:
        background = read_picture(arguments.background)
    else:
        background = _find_background(frames, arguments)
    number = predict_frames(
        predictor, background, frames, arguments.out, arguments.write
    )
    LOG.info("%d frames: %s in %s", number, ", ".join(arguments.write), arguments.out)
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
        help="the exported network, such as runs/cpu/export/1",
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


def _find_background(frames, arguments: argparse.Namespace) -> np.ndarray:
    """Computes the median of some frames, and writes it for the user to judge."""
    LOG.info("no --background: taking the median of frames")
    chosen = frames.sample(arguments.median_frames or MEDIAN_FRAMES)
    if len(chosen) < FEWEST_FRAMES:
        raise UserError(
            f"--background is missing: the median of {len(chosen)} frame(s) is no "
            f"empty scene; give a picture of it, or at least {FEWEST_FRAMES} frames"
        )
    background = compute_median(chosen)
    path = arguments.out / "background.png"
    write_atomically(path, encode_picture(background, ".png"))
    LOG.info("the median of %d frames is the background: see %s", len(chosen), path)
    return background


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
