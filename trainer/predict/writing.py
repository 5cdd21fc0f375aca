"""The answers for many frames, written as they come."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tqdm

from trainer.files import write_atomically
from trainer.predict.answers import (
    DEFAULT_KINDS,
    FILMED,
    SUFFIXES,
    Answer,
    draw_answer,
    encode_picture,
    locate_answer,
    read_answer,
    round_answer,
)
from trainer.predict.frames import Frame, check_size
from trainer.predict.live import AnyFrames, LiveFrames
from trainer.predict.object_files import OBJECT_KINDS, ObjectsWriter, name_session
from trainer.predict.video import VideoWriter

# A frame to its mask and depth, float32 [H, W, 1].
Look = Callable[[Frame], tuple[np.ndarray, np.ndarray]]


def predict_frames(
    look: Look,
    wanted: tuple[int, int],
    frames: AnyFrames,
    folder: pathlib.Path,
    kinds: Iterable[str] = DEFAULT_KINDS,
    min_area: int | None = None,
) -> int:
    """Writes the answers for all frames, with a progress bar.

    Answers that are there stay as they are. What needs all frames in their order is
    made anew from mask and depth where these are there.

    Args:
      look: Answers for a frame.
      wanted: Height and width of the background.
      frames: Frames of the same size.
      folder: Gets a folder of PNGs or JPEGs for each kind. For a video, those of
        `FILMED` become MP4s.
      kinds: Some of `KINDS`.
      min_area: Pixels that an object has at least; see `find_objects`.

    Returns:
      Number of frames that have answers.

    Raises:
      UserError: If a frame cannot be read, or an answer cannot be written.
    """
    ordered = find_ordered(kinds, frames)
    pictures = tuple(kind for kind in kinds if kind not in ordered)

    def find_missing(name: str) -> list[str]:
        paths = {kind: locate_answer(folder, kind, name) for kind in pictures}
        return [kind for kind, path in paths.items() if not path.exists()]

    names = () if frames.video or ordered else (path.stem for path in frames.paths)
    answered = frozenset(name for name in names if not find_missing(name))
    number = len(answered)
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(writer)
            for writer in _make_writers(folder, ordered, frames, min_area)
        ]
        bar = stack.enter_context(
            tqdm.tqdm(
                total=frames.number or None,
                initial=number,
                unit="frame",
                dynamic_ncols=True,
            )
        )
        reading = stack.enter_context(contextlib.closing(frames.read(answered)))
        for frame in reading:
            check_size(frame.name, frame.pixels.shape[:2], wanted, "the background")
            missing = find_missing(frame.name)
            if missing or ordered:
                answer = _read_or_predict(look, frame, folder)
                for kind in missing:
                    path = locate_answer(folder, kind, frame.name)
                    picture = draw_answer(frame.pixels, answer, kind)
                    write_atomically(path, encode_picture(picture, path.suffix))
                for writer in writers:
                    writer.add(frame, answer)
            bar.update()
            number += 1
    return number


def find_ordered(kinds: Iterable[str], frames: AnyFrames) -> tuple[str, ...]:
    """Finds those of some kinds that are made of all frames in their order."""
    filmed = FILMED if frames.video else ()
    return tuple(kind for kind in kinds if kind in filmed or kind not in SUFFIXES)


class _FilmWriter:
    """Films one kind of picture of the answers."""

    def __init__(self, folder: pathlib.Path, kind: str, video: Any, session: str):
        self._kind = kind
        self._writer = VideoWriter(
            folder / name_session(f"{kind}.mp4", session),
            video.rate,
            video.time_base,
            video.pixel_aspect,
        )

    def add(self, frame: Frame, answer: Answer) -> None:
        self._writer.add(draw_answer(frame.pixels, answer, self._kind), frame.time)

    def __enter__(self):
        self._writer.__enter__()
        return self

    def __exit__(self, *details):
        self._writer.__exit__(*details)


def _make_writers(folder, ordered, frames, min_area):
    session = frames.begun if isinstance(frames, LiveFrames) else ""
    for kind in ordered:
        if kind in FILMED:
            yield _FilmWriter(folder, kind, frames.video, session)
    objects = tuple(kind for kind in ordered if kind in OBJECT_KINDS)
    if objects:
        yield ObjectsWriter(folder, objects, min_area, session)


def _read_or_predict(look: Look, frame: Frame, folder: pathlib.Path) -> Answer:
    answer = read_answer(folder, frame.name, frame.pixels.shape[:2])
    return answer or round_answer(*look(frame))
