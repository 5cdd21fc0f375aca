"""The answers for many frames, written as they come."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterable

import numpy as np
import tqdm

from trainer.files import write_atomically
from trainer.predict.answers import (
    FILMED,
    KINDS,
    Answer,
    draw_answer,
    encode_picture,
    locate_answer,
    read_answer,
    round_answer,
)
from trainer.predict.frames import Frame, PictureFrames, VideoFrames, check_size
from trainer.predict.video import VideoWriter

# A frame, uint8 [H, W, 3], to mask and depth, float32 [H, W, 1].
Look = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def predict_frames(
    look: Look,
    wanted: tuple[int, int],
    frames: PictureFrames | VideoFrames,
    folder: pathlib.Path,
    kinds: Iterable[str] = tuple(KINDS),
) -> int:
    """Writes the answers for all frames, with a progress bar.

    Answers that are there stay as they are. Those of a video whose mask and depth are
    there are drawn from these.

    Args:
      look: Answers for a frame.
      wanted: Height and width of the background.
      frames: Frames of the same size.
      folder: Gets a folder of PNGs or JPEGs for each kind. For a video, those of
        `FILMED` become MP4s.
      kinds: Some of `KINDS`.

    Returns:
      Number of frames that have answers.

    Raises:
      UserError: If a frame cannot be read, or an answer cannot be written.
    """
    films = tuple(kind for kind in kinds if frames.video and kind in FILMED)
    pictures = tuple(kind for kind in kinds if kind not in films)

    def find_missing(name: str) -> list[str]:
        paths = {kind: locate_answer(folder, kind, name) for kind in pictures}
        return [kind for kind, path in paths.items() if not path.exists()]

    names = () if frames.video else (path.stem for path in frames.paths)
    answered = frozenset(name for name in names if not find_missing(name))
    number = len(answered)
    with contextlib.ExitStack() as stack:
        writers = {}
        if frames.video:
            for kind in films:
                path = folder / f"{kind}.mp4"
                video = frames.video
                writers[kind] = stack.enter_context(
                    VideoWriter(path, video.rate, video.time_base, video.pixel_aspect)
                )
        bar = stack.enter_context(
            tqdm.tqdm(
                total=frames.number or None,
                initial=number,
                unit="frame",
                dynamic_ncols=True,
            )
        )
        for frame in frames.read(answered):
            check_size(frame.name, frame.pixels.shape[:2], wanted, "the background")
            missing = find_missing(frame.name)
            if missing or films:
                answer = _read_or_predict(look, frame, folder)
                for kind in (*films, *missing):
                    picture = draw_answer(frame.pixels, answer, kind)
                    if kind in writers:
                        writers[kind].add(picture, frame.time)
                    else:
                        path = locate_answer(folder, kind, frame.name)
                        write_atomically(path, encode_picture(picture, path.suffix))
            bar.update()
            number += 1
    return number


def _read_or_predict(look: Look, frame: Frame, folder: pathlib.Path) -> Answer:
    answer = read_answer(folder, frame.name, frame.pixels.shape[:2])
    return answer or round_answer(*look(frame.pixels))
