"""The page: which handler each of its parts calls."""

from __future__ import annotations

import functools
import pathlib
import secrets
import tempfile
from collections.abc import Callable
from typing import Any

import gradio
import numpy as np

from trainer.demo.drawing import draw_status
from trainer.demo.handlers import Handlers
from trainer.demo.layout import EXAMPLES, KEPT, place_parts
from trainer.errors import UserError
from trainer.predict import encode_picture
from trainer.shipped import DRAWN

CLEANED_EVERY = 300  # seconds
WAITING = 20  # requests
STREAMS, STREAMED = 2, 600  # webcams at a time, and seconds of one
NETWORK = "network"  # one name for all that ask the network, one at a time
TITLE = "fgbg: what is new, and how far"
SCROLL = """() => { if (innerWidth < 700) document.getElementById('status')
.scrollIntoView({behavior: 'smooth', block: 'start'}); }"""
SAVE = """(file) => { if (!file) return; const link = document.createElement('a');
link.href = file.url; link.download = 'fgbg.zip'; link.click(); }"""


def make_page(handlers: Handlers) -> gradio.Blocks:
    """Makes the page.

    Args:
      handlers: They do the work.
    """
    with gradio.Blocks(
        title=TITLE,
        analytics_enabled=False,
        delete_cache=(CLEANED_EVERY, KEPT),
        fill_width=True,
    ) as page:
        parts = place_parts()
        _connect(page, parts, handlers)
    return page


def _connect(page: gradio.Blocks, parts: dict[str, Any], handlers: Handlers) -> None:
    shown = [parts[name] for name in ("overlay", "mask", "depth", "table", "caption")]
    told = [parts["status"]]
    fresh = [
        *(parts[name] for name in ("look", "results", "number", "reading")),
        *told,
        *shown,
    ]
    sliders = [parts["threshold"], parts["area"]]
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    slow: dict[str, Any] = {**quiet, "concurrency_limit": 1, "concurrency_id": NETWORK}
    quick: dict[str, Any] = {
        **quiet,
        "concurrency_limit": 4,
        "trigger_mode": "always_last",
    }

    def call(handler: Callable) -> Callable:
        @functools.wraps(handler)  # for the names of its arguments
        def run(*arguments):
            yield from _run(handler, parts, *arguments)

        return run

    page.load(
        call(handlers.greet), None, [parts["loading"], *told],
        concurrency_limit=None, api_visibility="private", **quiet,
    )  # fmt: skip
    pictures: dict[str, Any] = {
        "fn": call(handlers.look_at_pictures),
        "inputs": [parts["empty"], parts["frame"], *sliders],
        "outputs": fresh,
        **slow,
    }
    parts["look_at_pictures"].click(None, js=SCROLL)
    parts["look_at_pictures"].click(api_name="look_at_pictures", **pictures)
    parts["look_at_video"].click(None, js=SCROLL)
    parts["look_at_video"].click(
        call(handlers.look_at_video),
        [parts["video"], parts["video_empty"], *sliders],
        fresh,
        api_name="look_at_video",
        **slow,
    )
    parts["examples"].select(
        _choose_example, None, [parts["empty"], parts["frame"]],
        api_visibility="private", **quiet,
    ).then(None, js=SCROLL).then(api_visibility="private", **pictures)  # fmt: skip
    parts["webcam"].stream(
        call(handlers.watch),
        [parts["webcam"], parts["scene"], parts["look"], *sliders],
        fresh,
        stream_every=0.5,
        time_limit=STREAMED,
        # A stream keeps its place as long as it runs; the network has its own lock.
        concurrency_limit=STREAMS,
        api_visibility="private",
        **quiet,
    )
    answered = [parts["look"], parts["number"], *sliders]
    # One event of both sliders, so that the answer to the last move comes last.
    gradio.on(
        [slider.input for slider in sliders],
        call(handlers.redraw),
        answered,
        [parts["overlay"], parts["mask"], parts["table"], *told],
        api_name="redraw",
        **quick,
    )
    parts["number"].input(
        call(handlers.walk),
        answered,
        [*shown, parts["reading"], *told],
        api_name="walk",
        **quick,
    )
    for name in ("take", "take_webcam"):
        parts[name].click(
            call(handlers.take),
            [parts["look"], parts["number"], parts["frame"], *sliders],
            [parts["empty"], parts["frame"], parts["scene"], *fresh],
            api_name=name,
            api_visibility="public" if name == "take" else "private",
            **slow,
        )
    parts["download"].click(
        call(handlers.download),
        [parts["look"], *sliders],
        [parts["zip"], *told],
        api_name="download",
        **quiet,
    ).then(None, parts["zip"], None, js=SAVE)

    def read_pixel(look, number, event: gradio.SelectData):
        yield from call(handlers.read_pixel)(look, number, *event.index)

    for name in ("overlay", "mask", "depth"):
        parts[name].select(
            read_pixel,
            [parts["look"], parts["number"]],
            [parts["reading"], *told],
            api_visibility="private",
            **quick,
        )


def _run(handler: Callable, parts: dict[str, Any], *arguments):
    """Runs a handler; a mistake becomes one line on the page."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            for updates in handler(*arguments):
                yield {
                    parts[name]: _save(value, name, pathlib.Path(folder))
                    for name, value in updates.items()
                }
        except UserError as error:
            yield {parts["status"]: draw_status(str(error), "error")}


def _save(value: Any, name: str, folder: pathlib.Path) -> Any:
    """Saves a picture under a name of its own; other values are handed on.

    Gradio copies the file before it asks for the next update. It names pictures itself
    by their content, and writes one anew while another user, who has the same, reads.
    """
    if not isinstance(value, np.ndarray):
        return value
    suffix = ".png" if name == "mask" else ".jpg"
    path = folder / f"{name}_{secrets.token_hex(8)}{suffix}"
    path.write_bytes(encode_picture(value, suffix))
    return str(path)


def _choose_example(event: gradio.SelectData):
    pair = list(EXAMPLES.values())[event.index]
    return [str(DRAWN / name) for name in pair]
