"""What the page does when somebody presses, uploads or moves something.

Handlers are generators of updates: values of the page's parts, by their names.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
import tempfile
import time
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

import gradio
import numpy as np

from trainer.demo.archive import write_archive
from trainer.demo.drawing import (
    draw_caption,
    draw_reading,
    draw_status,
    draw_table,
    draw_views,
)
from trainer.demo.looks import (
    Look,
    count_kept,
    describe_look,
    look_at_frames,
    make_observer,
)
from trainer.demo.network import SharedNetwork
from trainer.demo.uploads import (
    Clip,
    choose_evenly,
    describe_clip,
    describe_shrinking,
    read_clip,
    read_pair,
    read_upload,
    shrink,
)
from trainer.errors import UserError
from trainer.predict import (
    FEWEST_FRAMES,
    Frame,
    Observer,
    check_size,
    find_scene,
    make_estimator,
)

Updates = Iterator[dict[str, Any]]
Result = TypeVar("Result")

WEBCAM_SIDE = 640  # pixels; each picture leaves files for half an hour
TOLD_EVERY = 0.2  # seconds
WELCOME = "Give an empty scene and a frame of the same camera, or click an example."
GONE = (
    "There are no answers, or they were kept for half an hour and are gone; look again."
)
HINT = '<p class="hint">Click a pixel to read its distance.</p>'
TAKE = "Take this as the empty scene"


class Handlers:
    """Handlers of one page."""

    def __init__(self, network: SharedNetwork, max_frames: int):
        """Takes a network.

        Args:
          network: The network.
          max_frames: Frames of a video that are answered, at most.
        """
        self._network, self._max_frames = network, max_frames

    def greet(self) -> Updates:
        """Says that the network is being loaded, until it is."""
        if not self._network.loaded:
            yield {"loading": draw_status("The network is being loaded …", "busy")}
            self._network.wait()
        yield {"loading": ""}

    def look_at_pictures(
        self, empty: str | None, frame: str | None, threshold: float, area: float
    ) -> Updates:
        """Looks at a frame before its empty scene, both given as files."""
        if not empty or not frame:
            missing = "empty scene" if not empty else "frame"
            raise UserError(f"The {missing} is missing; give a picture of it.")
        yield from _begin("Looking …")
        scene, seen = read_pair(empty, frame)
        observer = make_observer(self._network, scene.pixels)
        frames = [Frame(pathlib.Path(seen.name).stem, seen.pixels)]
        note = describe_shrinking(seen.size, seen.pixels.shape)
        look = yield from _report(
            "Looking …", look_at_frames("pictures", frames, observer, note)
        )
        yield from _show_new(look, threshold, area)

    def look_at_video(
        self, video: str | None, empty: str | None, threshold: float, area: float
    ) -> Updates:
        """Looks at frames of a video; without an empty scene, it is found in them."""
        if not video:
            raise UserError("The video is missing; give one.")
        yield from _begin("Reading the video …")
        scene = read_upload(empty, "empty scene") if empty else None
        clip = yield from _report("Reading the video …", read_clip(video))
        if scene:
            owner = f"the empty scene {scene.name}"
            check_size(pathlib.Path(video).name, clip.size, scene.size, owner)
            observer = make_observer(self._network, scene.pixels)
        else:
            busy = "Finding the empty scene behind what passes …"
            yield {"status": draw_status(busy, "busy")}
            observer = self._find_scene(clip)
        size = clip.frames[0].pixels.shape
        frames = choose_evenly(clip.frames, count_kept(size, self._max_frames))
        note = " ".join([describe_clip(clip), describe_shrinking(clip.size, size)])
        look = yield from _report(
            f"Looking at {len(frames)} frames …",
            look_at_frames("video", frames, observer, note.strip()),
        )
        yield from _show_new(look, threshold, area)

    def _find_scene(self, clip: Clip) -> Observer:
        if len(clip.frames) < FEWEST_FRAMES:
            raise UserError(
                f"{len(clip.frames)} frame(s) do not show what is behind them; give a "
                f"picture of the empty scene, or a video of at least {FEWEST_FRAMES}"
            )
        pictures = [frame.pixels for frame in clip.frames]
        scene = find_scene(pictures, make_estimator(self._network))
        spread = scene.spread if scene.spread.restless.any() else None
        return make_observer(self._network, scene.background, spread)

    def watch(
        self,
        pixels: np.ndarray | None,
        observer: Observer | None,
        look: Look | None,
        threshold: float,
        area: float,
    ) -> Updates:
        """Looks at the webcam's next picture, uint8 [H, W, 3]."""
        if pixels is None:
            return
        pixels = shrink(pixels, WEBCAM_SIDE)
        number = 1
        if look and look.source == "webcam":
            number = int(look.frames[0].name) + 1
        frame = Frame(f"{number:06d}", pixels, seconds=time.monotonic())
        if observer is None or observer.background.shape != pixels.shape:
            look = Look("webcam", (frame,))
            text = f"Leave the picture, and press “{TAKE}”."
        else:
            look = yield from _report("", look_at_frames("webcam", (frame,), observer))
            text = look.note or "Live."
        yield {
            "status": draw_status(text),
            "look": look,
            "results": gradio.update(visible=True),
            "number": gradio.update(visible=False, value=1),
            **_show(look, 1, threshold, area),
        }

    def redraw(
        self, look: Look | None, number: float, threshold: float, area: float
    ) -> Updates:
        """Shows the same answer with another threshold or minimum area."""
        shown = _show(_require(look), number, threshold, area)
        yield {name: shown[name] for name in ("overlay", "mask", "table")}

    def walk(
        self, look: Look | None, number: float, threshold: float, area: float
    ) -> Updates:
        """Shows another frame of a video."""
        shown = _show(_require(look), number, threshold, area)
        yield {**shown, "reading": HINT}

    def take(
        self,
        look: Look | None,
        number: float,
        frame: str | None,
        threshold: float,
        area: float,
    ) -> Updates:
        """Takes the frame that is shown as the empty scene."""
        look = _require(look)
        shown = look.frames[_place(look, number)]
        if look.source == "pictures":
            text = "That is the empty scene now. Give a frame to compare it with."
            yield {
                "empty": frame,
                "frame": None,
                "look": None,
                "results": gradio.update(visible=False),
                "status": draw_status(text),
            }
            return
        observer = make_observer(self._network, shown.pixels)
        if look.source == "webcam":
            yield {"scene": observer, "status": draw_status("Taken.")}
            return
        note = f"Frame {_place(look, number) + 1} is the empty scene."
        again = yield from _report(
            "Looking again …", look_at_frames("video", look.frames, observer, note)
        )
        yield {"look": again, "status": draw_status(describe_look(again))}
        yield _show(again, number, threshold, area)

    def download(self, look: Look | None, threshold: float, area: float) -> Updates:
        """Packs all answers into a zip."""
        look = _require(look)
        if not look.answers:
            raise UserError(f"There is no answer yet; press “{TAKE}”.")
        # The page copies the file before it asks for the next update.
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "fgbg.zip"
            write_archive(path, look, threshold, area)
            yield {"zip": str(path)}

    def read_pixel(
        self, look: Look | None, number: float, column: int, row: int
    ) -> Updates:
        """Reads distance and probability of a pixel of the frame that is shown."""
        look = _require(look)
        if look.answers:
            answer = look.answers[_place(look, number)]
            yield {"reading": draw_reading(answer, int(column), int(row))}


def _begin(text: str) -> Updates:
    """Hides earlier answers, which would be taken for those to come."""
    yield {
        "status": draw_status(text, "busy"),
        "look": None,
        "results": gradio.update(visible=False),
        "reading": HINT,
    }


def _report(
    text: str, work: Generator[float, None, Result]
) -> Generator[dict[str, Any], None, Result]:
    """Shows how far some work is, and returns its result; silent without a text."""
    told = -math.inf
    while True:
        try:
            share = next(work)
        except StopIteration as end:
            return end.value
        if text and time.monotonic() - told >= TOLD_EVERY:
            told = time.monotonic()
            yield {"status": draw_status(text, "busy", share)}


def _show_new(look: Look, threshold: float, area: float) -> Updates:
    count = len(look.frames)
    yield {
        "look": look,
        "status": draw_status(describe_look(look)),
        "results": gradio.update(visible=True),
        "number": gradio.update(
            visible=count > 1, maximum=max(2, count), value=1, interactive=True
        ),
        "reading": HINT,
        **_show(look, 1, threshold, area),
    }


def _show(look: Look, number: float, threshold: float, area: float) -> dict[str, Any]:
    place = _place(look, number)
    frame = look.frames[place]
    if not look.answers:
        return {
            "overlay": frame.pixels,
            "mask": None,
            "depth": None,
            "table": "",
            "caption": "",
        }
    objects = look.find_objects(threshold, area)[place]
    views = draw_views(frame.pixels, look.answers[place], objects, threshold)
    several = look.source == "video"
    return {
        **dataclasses.asdict(views),
        "table": draw_table(objects),
        "caption": draw_caption(frame, place, len(look.frames)) if several else "",
    }


def _require(look: Look | None) -> Look:
    if look:
        return look
    raise UserError(GONE)


def _place(look: Look, number: float) -> int:
    return min(max(int(number), 1), len(look.frames)) - 1
