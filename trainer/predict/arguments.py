"""The command line of `python -m trainer.predict`."""

from __future__ import annotations

import argparse
import pathlib

from trainer.predict.answers import KINDS
from trainer.predict.calibration import FIELD_OF_VIEW, KnownDistance
from trainer.predict.live import PATIENCE, is_live
from trainer.predict.scenes import SCENE_FRAMES
from trainer.predict.shrinking import ROWS
from trainer.shipped import PRETRAINED, WEIGHTS_FILE

RUNNING = "running"  # a background that keeps up with the day

DESCRIPTION = """Finds what is new in the frames of a fixed camera, and all depth.

python -m trainer.predict street.mp4
python -m trainer.predict --out=door rtsp://user:password@192.168.1.20/stream
python -m trainer.predict --model=runs/cpu --background=empty.jpg frames/
"""


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    kinds = "\n".join(f"  {name:12}{text}" for name, text in KINDS.items())
    parser = argparse.ArgumentParser(
        "python -m trainer.predict",
        description=DESCRIPTION,
        epilog=f"kinds of answers for --write:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model(parser)
    parser.add_argument(
        "--background",
        type=_parse_background,
        metavar="PATH",
        help="picture of the empty scene, by the same camera and of the same size, or "
        "a folder of several, which also show what moves by itself; or `running`, for "
        "a scene that is found and then keeps up with the day; without it, the empty "
        "scene is found in the frames, and that of a live camera keeps up",
    )
    parser.add_argument(
        "--settle",
        type=parse_amount,
        metavar="MINUTES",
        help="let the scene keep up with the day; what stays for so long becomes scene "
        "(default of a running scene: 10)",
    )
    parser.add_argument(
        "--scene_frames",
        type=parse_positive,
        metavar="N",
        help="without --background: number of frames, spread over all of them, that "
        f"the empty scene is found in (default: {SCENE_FRAMES})",
    )
    parser.add_argument(
        "--keep_shadows",
        action="store_true",
        help="let hard shadows be new; else they are taken off the masks, where what "
        "passes has shadows of one colour through which the ground shows",
    )
    parser.add_argument(
        "--rows",
        type=parse_positive,
        default=ROWS,
        metavar="N",
        help="shrink frames whose shorter side has more pixels to so many before the "
        "network looks; more show what is smaller, and take longer (default: "
        f"{ROWS})",
    )
    parser.add_argument(
        "--whole_every",
        type=parse_positive,
        default=1,
        metavar="N",
        help="look at the first of N frames whole, and at the others where something "
        "changed, which is quicker; for frames that follow each other closely "
        "(default: 1, all of them)",
    )
    parser.add_argument(
        "--stride",
        type=parse_positive,
        default=1,
        metavar="N",
        help="answer one of N frames (default: 1, all of them)",
    )
    parser.add_argument(
        "--max_fps",
        type=parse_amount,
        metavar="N",
        help="answer no more than N frames of a second (default: all)",
    )
    parser.add_argument(
        "--fps",
        type=parse_amount,
        metavar="N",
        help="frames a second of a folder of pictures, for their times (default: it "
        "is not known, and answers have no times)",
    )
    parser.add_argument(
        "--patience",
        type=parse_amount,
        default=PATIENCE,
        metavar="SECONDS",
        help="end when a camera has shown nothing for so long; until then it is opened "
        f"again and again (default: {PATIENCE:g})",
    )
    parser.add_argument(
        "--known_distance",
        type=_parse_known_distance,
        action="append",
        metavar="X,Y,METRES",
        help="column and row of a point of the empty scene, and how far from the "
        "camera it was taped; brings depth to metres; repeat it for more points. Kept "
        "beside the background, and used again",
    )
    parser.add_argument(
        "--camera_height",
        type=parse_amount,
        metavar="METRES",
        help="height of the camera above flat ground, which fills the lower part of "
        "the picture; with --horizon, brings depth to metres",
    )
    parser.add_argument(
        "--horizon",
        type=float,
        metavar="ROW",
        help="row at which flat ground would end; below 0 lies above the picture",
    )
    parser.add_argument(
        "--field_of_view",
        type=_parse_angle,
        default=FIELD_OF_VIEW,
        metavar="DEGREES",
        help="horizontal angle that the camera sees, for --camera_height (default: "
        f"{FIELD_OF_VIEW:g})",
    )
    parser.add_argument(
        "--out",
        type=parse_path,
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
        "--min_area",
        type=parse_positive,
        metavar="PIXELS",
        help="of an object, at least (default: 0.05 %% of the frame)",
    )
    parser.add_argument(
        "--write",
        type=_parse_kinds,
        metavar="NAME,…",
        help="kinds of answers to write (default: all but coco; of a live camera, "
        "overlay and objects)",
    )
    parser.add_argument(
        "frames",
        type=parse_place,
        nargs="+",
        help="folders of pictures, pictures, or one video, or one live camera "
        "(rtsp://…, http://…, /dev/video0); the last two need PyAV: pip install "
        "'.[video]'",
    )
    return parser


def _parse_background(text: str) -> pathlib.Path | str:
    return RUNNING if text == RUNNING else parse_path(text)


def _parse_known_distance(text: str) -> KnownDistance:
    try:
        return KnownDistance.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text} is not X,Y,METRES, such as 320,400,7.5"
        ) from error


def _parse_angle(text: str) -> float:
    degrees = parse_amount(text)
    if degrees >= 180:
        raise argparse.ArgumentTypeError(f"{text} is no angle below 180 degrees")
    return degrees


def _parse_kinds(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in KINDS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(KINDS)}")
    return names


def add_model(parser: argparse.ArgumentParser) -> None:
    """Adds the option --model, the network that is asked."""
    parser.add_argument(
        "--model",
        type=parse_model,
        default=WEIGHTS_FILE,
        metavar="PATH",
        help="an exported network, such as runs/cpu/export/1, or a run such as "
        "runs/cpu, whose newest export is taken, or a file of weights, *.npz, or one "
        "for another runtime, *.onnx or *.tflite "
        f"(default: {PRETRAINED}, the network that comes with the package)",
    )


def parse_model(text: str) -> pathlib.Path:
    """Parses where a network is: a path, or `pretrained`."""
    return WEIGHTS_FILE if text == PRETRAINED else parse_path(text)


def parse_path(text: str) -> pathlib.Path:
    """Parses a path, in which `~` is a home folder."""
    try:
        return pathlib.Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def parse_place(text: str) -> pathlib.Path | str:
    """Parses where frames are: a path, or the address or device of a live camera."""
    return text if is_live(text) else parse_path(text)


def parse_port(text: str) -> int:
    """Parses a port, 0 to 65535; 0 is any that is free."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port, 0 to 65535")
    return int(text)


def parse_amount(text: str) -> float:
    """Parses a number above 0."""
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return amount


def parse_positive(text: str) -> int:
    """Parses a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 on")
    return int(text)
