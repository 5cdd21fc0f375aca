"""A look of the network at frames, kept for one user of the page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Sequence

import numpy as np

from trainer.predict import (
    FEWEST_SAMPLED,
    MIN_SHARE,
    Answer,
    Frame,
    Object,
    Observer,
    ShadowRemoval,
    ShrinkingPredictor,
    Spread,
    Tracker,
    find_objects,
    round_answer,
)

DEFAULT_AREA = 100 * MIN_SHARE  # percent of the picture
KEPT_BYTES = 100_000_000  # of a user's frames and answers
BYTES = 6  # of a pixel: colours, mask, depth


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """Frames, their empty scene and their answers.

    Probabilities are kept, so that another threshold needs no second look.

    Attributes:
      source: 'pictures', 'video' or 'webcam'.
      frames: The frames.
      background: uint8 [H, W, 3]; None as long as there is no empty scene.
      answers: An answer for each frame; none as long as there is no empty scene.
      observer: Goes on with the next frame.
      note: Words for the user.
    """

    source: str
    frames: tuple[Frame, ...]
    background: np.ndarray | None = None
    answers: tuple[Answer, ...] = ()
    observer: Observer | None = None
    note: str = ""
    _found: dict = dataclasses.field(default_factory=dict)

    def find_objects(self, threshold: float, area: float) -> list[list[Object]]:
        """Finds the objects of each frame, numbered over all of them.

        Args:
          threshold: Probability from which on a pixel is new.
          area: Percent of the picture that an object has at least.
        """
        wanted = threshold, area
        found = self._found.get(wanted)
        if found is None:
            tracker, found = Tracker(), []
            for answer in self.answers:
                # Of the usual share, the slider's decimals are not to take a pixel.
                least = math.ceil(round(area / 100 * answer.mask.size, 6))
                found.append(tracker(find_objects(answer, max(1, least), threshold)))
            self._found.clear()
            self._found[wanted] = found
        return found


def make_observer(
    network: Callable, background: np.ndarray, spread: Spread | None = None
) -> Observer:
    """Makes an observer of frames before an empty scene, uint8 [H, W, 3]."""
    height, width, _ = background.shape
    shrinking = ShrinkingPredictor(network, (height, width))
    return Observer(shrinking, background, spread)


def count_kept(size: tuple[int, ...], most: int) -> int:
    """Counts the frames of a size that are kept for a user, at most `most`."""
    return max(1, min(most, KEPT_BYTES // (BYTES * size[0] * size[1])))


def look_at_frames(
    source: str, frames: Sequence[Frame], observer: Observer, note: str = ""
) -> Generator[float, None, Look]:
    """Looks at frames in their order.

    Yields:
      The part of them that is answered, 0 to 1.

    Returns:
      The look.

    Raises:
      UserError: If the network cannot take them.
    """
    answers = []
    for number, frame in enumerate(frames):
        yield number / len(frames)
        answers.append(observer(frame))
    if observer.move:
        note = f"{note} {str(observer.move).capitalize()}.".strip()
    if len(frames) >= FEWEST_SAMPLED and _take_shadows_off(frames, answers, observer):
        note = f"{note} Hard shadows are not new.".strip()
    return Look(
        source,
        tuple(frames),
        observer.background,
        tuple(round_answer(*each) for each in answers),
        observer,
        note,
    )


def _take_shadows_off(
    frames: Sequence[Frame],
    answers: list[tuple[np.ndarray, np.ndarray]],
    observer: Observer,
) -> bool:
    """Takes hard shadows off masks, in place, where what passes has some."""
    removal = ShadowRemoval()
    for frame, (mask, _) in zip(frames, answers, strict=True):
        removal.look(mask, frame.pixels, observer.background)
    removal.learn()
    if removal.ratio is None:
        return False
    for place, (frame, (mask, depth)) in enumerate(zip(frames, answers, strict=True)):
        answers[place] = removal(mask, frame.pixels, observer.background), depth
    return True


def describe_look(look: Look) -> str:
    """Describes a look in a line for its user."""
    height, width, _ = look.frames[0].pixels.shape
    count = len(look.frames)
    done = f"{count} frames answered" if count > 1 else "Answered"
    return f"{done}, {width} x {height} pixels. {look.note}".strip()
