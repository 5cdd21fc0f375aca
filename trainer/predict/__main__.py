"""Finds in every frame of a fixed camera the new pixels, and the depth of all pixels.

python -m trainer.predict street.mp4
python -m trainer.predict --model=runs/cpu --background=empty.jpg frames/
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import pathlib
import signal
import sys

from trainer.command_line import run_command
from trainer.errors import UserError
from trainer.files import lock_folder, require_writable
from trainer.predict.answers import FILMED, KINDS
from trainer.predict.frames import find_frames, find_pictures
from trainer.predict.predictor import Predictor, find_model
from trainer.predict.record import claim_folder, describe_command
from trainer.predict.scenes import open_scene
from trainer.predict.shrinking import ROWS, ShrinkingPredictor
from trainer.predict.watching import Watcher
from trainer.predict.writing import predict_frames
from trainer.shipped import PRETRAINED, WEIGHTS_FILE

LOG = logging.getLogger("trainer")

SCENE_FRAMES = 60


def run(arguments: argparse.Namespace) -> None:
    """Predicts as the command line asks, or goes on with what it has begun.

    Raises:
      UserError: If model, background or frames cannot be used, if --out has answers of
        another command, or, after the others are answered, if some frames could not
        be read.
    """
    # All checks come before anything is written, the quick ones first.
    if arguments.background and arguments.scene_frames:
        raise UserError(
            f"--scene_frames={arguments.scene_frames} is for a run without "
            "--background; leave one of them out"
        )
    model, out = find_model(arguments.model), arguments.out
    require_writable(out, "out")
    given = [*arguments.frames, *filter(None, [arguments.background])]
    if out.resolve() in [path.resolve() for path in given]:
        raise UserError(
            f"--out={out} is a folder of frames or of the background, and answers "
            "would be taken for these; choose another --out"
        )
    frames = find_frames(arguments.frames)
    empty = find_pictures(arguments.background) if arguments.background else None
    if empty:
        owner = f"the background {empty.paths[0]}"
        frames.check(empty.sizes[0], owner)
        empty.check(empty.sizes[0], owner)
    else:
        frames.check(frames.sizes[0], str(frames.paths[0]))
    predictor = Predictor(model)
    number = arguments.scene_frames or SCENE_FRAMES
    command = describe_command(
        model,
        empty.paths if empty else f"behind {number} frames",
        frames.paths,
        arguments.whole_every,
        arguments.rows,
    )
    with lock_folder(out, f"another process writes to --out={out}; choose another"):
        record = claim_folder(out, command, arguments.overwrite)
        record.write(out)
        films = set(FILMED) & set(arguments.write) if frames.video else set()
        # Finished videos stay; one that was cut short is written anew.
        kinds = [kind for kind in arguments.write if kind not in record.films]
        background, spread = open_scene(out, empty, frames, number, predictor)
        size = background.shape[:2]
        shrinking = ShrinkingPredictor(predictor, size, arguments.rows)

        def look(window, frame):
            amount = spread.amount[window] if spread else None
            return shrinking(background[window], frame[window], amount)

        watcher = Watcher(look, arguments.whole_every)

        def answer(frame):
            mask, depth = watcher(frame)
            return (spread.calm(mask, frame) if spread else mask), depth

        number = predict_frames(answer, size, frames, out, kinds)
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
        type=_parse_model,
        default=WEIGHTS_FILE,
        metavar="PATH",
        help="an exported network, such as runs/cpu/export/1, or a run such as "
        "runs/cpu, whose newest export is taken, or a file of weights, *.npz "
        f"(default: {PRETRAINED}, the network that comes with the package)",
    )
    parser.add_argument(
        "--background",
        type=_parse_path,
        metavar="PATH",
        help="picture of the empty scene, by the same camera and of the same size, or "
        "a folder of several, which also show what moves by itself; without it, the "
        "empty scene is found in the frames",
    )
    parser.add_argument(
        "--scene_frames",
        type=_parse_positive,
        metavar="N",
        help="without --background: number of frames, spread over all of them, that "
        f"the empty scene is found in (default: {SCENE_FRAMES})",
    )
    parser.add_argument(
        "--rows",
        type=_parse_positive,
        default=ROWS,
        metavar="N",
        help="shrink frames whose shorter side has more pixels to so many before the "
        "network looks; more show what is smaller, and take longer (default: "
        f"{ROWS})",
    )
    parser.add_argument(
        "--whole_every",
        type=_parse_positive,
        default=1,
        metavar="N",
        help="look at the first of N frames whole, and at the others where something "
        "changed, which is quicker; for frames that follow each other closely "
        "(default: 1, all of them)",
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


def _parse_kinds(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in KINDS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(KINDS)}")
    return names


def _parse_model(text: str) -> pathlib.Path:
    return WEIGHTS_FILE if text == PRETRAINED else _parse_path(text)


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
