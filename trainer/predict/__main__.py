"""Says of every frame of a fixed camera what is new in it, and how far everything is.

python -m trainer.predict --model=runs/cpu/export/1 --background=empty.jpg frames/
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import pathlib
import signal
import sys
from collections.abc import Iterable

import numpy as np
import PIL.Image
import tqdm

from trainer import figures
from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.predict.frames import (
    Frame,
    PictureFrames,
    VideoFrames,
    check_size,
    find_frames,
    median_background,
    picture_size,
    read_picture,
)
from trainer.predict.predictor import Predictor, check_model
from trainer.predict.video import VideoWriter

LOG = logging.getLogger("trainer")

WRITTEN = {
    "mask": "8-bit PNG, 255 is surely new",
    "depth": "16-bit PNG, metres = value / 256",
    "depth_view": "depth as colour: bright is 1 m, dark is 80 m",
    "overlay": "the frame with what is new in red",
}


def predict_frames(
    predictor: Predictor,
    background: np.ndarray,
    frames: PictureFrames | VideoFrames,
    folder: pathlib.Path,
    written: Iterable[str] = tuple(WRITTEN),
) -> int:
    """Writes the answers for all frames, with a progress bar.

    Args:
      predictor: The network.
      background: uint8 [H, W, 3], the empty scene.
      frames: Frames of the same size.
      folder: Gets a folder of PNGs or JPEGs for each of `written`; of a video, the
        depth view and the overlay become MP4s.
      written: Some of `WRITTEN`.

    Returns:
      Number of frames.

    Raises:
      UserError: If a frame cannot be read, or an answer cannot be written.
    """
    number = 0
    with contextlib.ExitStack() as stack:
        writers = {}
        if frames.video:
            for name in {"depth_view", "overlay"} & set(written):
                path = folder / f"{name}.mp4"
                video = VideoWriter(path, frames.video.rate, frames.video.time_base)
                writers[name] = stack.enter_context(video)
        bar = stack.enter_context(
            tqdm.tqdm(total=frames.number or None, unit="frame", dynamic_ncols=True)
        )
        for frame in frames:
            check_size(
                frame.name,
                frame.pixels.shape[:2],
                background.shape[:2],
                "the background",
            )
            pictures = answers_of(frame, *predictor(background, frame.pixels), written)
            for name, picture in pictures.items():
                if name in writers:
                    writers[name].add(picture, frame.time)
                else:
                    suffix = ".png" if name in ("mask", "depth") else ".jpg"
                    path = folder / name / f"{frame.name}{suffix}"
                    write_atomically(path, _encoded(picture, suffix))
            bar.update()
            number += 1
    return number


def answers_of(
    frame: Frame, mask: np.ndarray, depth: np.ndarray, written: Iterable[str]
) -> dict[str, np.ndarray]:
    """The pictures that are written for a frame.

    Args:
      frame: The frame, H x W.
      mask: float32 [H, W, 1], 0 to 1.
      depth: float32 [H, W, 1], metres.
      written: Some of `WRITTEN`.

    Returns:
      By name: 'mask' uint8 [H, W], 'depth' uint16 [H, W] in 1/256 m, 'depth_view' and
      'overlay' uint8 [H, W, 3].
    """
    make = {
        "mask": lambda: np.rint(np.clip(mask[..., 0], 0, 1) * 255).astype(np.uint8),
        # 0 would say that depth is unknown.
        "depth": lambda: np.clip(np.rint(depth[..., 0] * 256), 1, 65535).astype(
            np.uint16
        ),
        "depth_view": lambda: figures.colours(depth),
        "overlay": lambda: figures.overlay(frame.pixels, mask),
    }
    return {name: make[name]() for name in written}


def run(arguments: argparse.Namespace) -> None:
    """Does what the command line asks for.

    Raises:
      UserError: If model, background or frames cannot be used.
    """
    # What costs little is checked first, and all of it before anything is written.
    check_model(arguments.model)
    frames = find_frames(arguments.frames)
    if arguments.background:
        size = picture_size(arguments.background)
        frames.check(size, f"the background {arguments.background}")
    else:
        frames.check(frames.sizes[0], str(frames.paths[0]))
    predictor = Predictor(arguments.model)
    if arguments.background:
        background = read_picture(arguments.background)
    else:
        background = _background(frames, arguments)
    number = predict_frames(
        predictor, background, frames, arguments.out, arguments.write
    )
    LOG.info("%d frames: %s in %s", number, ", ".join(arguments.write), arguments.out)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    kinds = "\n".join(f"  {name:12}{text}" for name, text in WRITTEN.items())
    parsed = argparse.ArgumentParser(
        "python -m trainer.predict",
        description=__doc__,
        epilog=f"what --write can name:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parsed.add_argument(
        "--model",
        type=pathlib.Path,
        required=True,
        metavar="DIR",
        help="the exported network, such as runs/cpu/export/1",
    )
    parsed.add_argument(
        "--background",
        type=pathlib.Path,
        metavar="FILE",
        help="picture of the empty scene, of the frames' size and camera; without it, "
        "the median of frames spread over all of them",
    )
    parsed.add_argument(
        "--median_frames",
        type=_positive,
        default=25,
        metavar="N",
        help="without --background: how many frames the median is of (up to twice as "
        "many of a video); what stands still in half of them becomes background "
        "(default: 25)",
    )
    parsed.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path("predictions"),
        metavar="DIR",
        help="where to write to (default: predictions)",
    )
    parsed.add_argument(
        "--write",
        type=_kinds,
        default=tuple(WRITTEN),
        metavar="NAME,…",
        help="what to write (default: all)",
    )
    parsed.add_argument(
        "frames",
        type=pathlib.Path,
        nargs="+",
        help="folders of pictures, pictures, or one video (which needs PyAV: "
        "pip install '.[video]')",
    )
    return parsed


def main(argv: list[str] | None = None) -> int:
    """Entry point.

    Args:
      argv: The words after `python -m trainer.predict`; None takes sys.argv's.

    Returns:
      The exit status: 0, or 1 after a user's mistake, told on stderr.
    """
    arguments = parser().parse_args(argv)
    LOG.handlers[:] = [logging.StreamHandler()]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        run(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what is written is whole", file=sys.stderr)
        return 130
    return 0


def _background(frames, arguments: argparse.Namespace) -> np.ndarray:
    """The median of some frames, written down for the user to judge."""
    LOG.info("no --background: taking the median of frames")
    chosen = frames.sample(arguments.median_frames)
    background = median_background(chosen)
    path = arguments.out / "background.png"
    write_atomically(path, _encoded(background, ".png"))
    LOG.info("the median of %d frames is the background: see %s", len(chosen), path)
    return background


def _encoded(picture: np.ndarray, suffix: str) -> bytes:
    memory = io.BytesIO()
    kind, options = {
        ".png": ("PNG", {"compress_level": 1}),
        ".jpg": ("JPEG", {"quality": 92}),
    }[suffix]
    PIL.Image.fromarray(picture).save(memory, kind, **options)
    return memory.getvalue()


def _kinds(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in WRITTEN:
            raise argparse.ArgumentTypeError(
                f"{name!r} is none of {', '.join(WRITTEN)}"
            )
    return names


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 on")
    return int(text)


def _stop(*_) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
