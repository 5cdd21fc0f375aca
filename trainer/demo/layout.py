"""The parts of the page: their looks, and where they stand."""

from __future__ import annotations

import pathlib
from typing import Any

import gradio
from gradio.themes import Base as Theme
from gradio.themes import Soft

from trainer.demo.drawing import draw_legend, draw_status
from trainer.demo.handlers import HINT, TAKE, WELCOME
from trainer.demo.looks import DEFAULT_AREA
from trainer.shipped import DRAWN

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = {  # caption: empty scene and frame
    "Two cars": ("street_empty.jpg", "street_cars.jpg"),
    "Under a cloud": ("street_empty.jpg", "street_cloud.jpg"),
}
KEPT = 1800  # seconds that answers are kept for a user who does nothing
HEAD = """<header><h1>What is new, and how far?</h1>
<p>A fixed camera, its empty scene, and a frame: a network finds the new pixels and
the distance of everything. Pictures stay on the machine that runs this page.</p>
</header>"""
GUIDE = """<ol>
<li><b>Empty scene</b> A picture by a fixed camera, of the place when nothing is there.
In a video, it is found; of a webcam, it is taken.</li>
<li><b>Frame</b> Another picture by the same camera, of the same size.</li>
<li><b>Look</b> What is new, its mask, the distance of everything in metres, and a table
of objects.</li></ol>"""


def make_theme() -> Theme:
    """Makes the page's theme, whose fonts are those of the reader's system."""
    return Soft(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="slate",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    ).set(
        body_background_fill="#f6f8fa",
        body_background_fill_dark="#0b1220",
        body_text_color_subdued="*neutral_500",
        block_shadow="none",
        block_title_background_fill="none",
        block_title_background_fill_dark="none",
        block_title_padding="0",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_text_weight="500",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_large_text_weight="600",
        slider_color="*primary_600",
    )


def place_parts() -> dict[str, Any]:
    """Places all parts of the page; returns them by their names."""
    parts: dict[str, Any] = {
        "look": gradio.State(time_to_live=KEPT),
        "scene": gradio.State(time_to_live=KEPT),
    }
    gradio.HTML(HEAD, elem_id="head")
    parts["loading"] = gradio.HTML(elem_id="loading")
    with gradio.Row(elem_id="main"):
        with gradio.Column(scale=4, min_width=300, elem_id="inputs"):
            _place_inputs(parts)
        with gradio.Column(scale=9, min_width=300, elem_id="outputs"):
            parts["status"] = gradio.HTML(draw_status(WELCOME), elem_id="status")
            gradio.HTML(GUIDE, elem_id="guide")
            with gradio.Column(visible=False, elem_id="results") as parts["results"]:
                _place_results(parts)
    parts["zip"] = gradio.File(elem_id="zip")  # never seen; see `SAVE`
    return parts


def _place_inputs(parts: dict[str, Any]) -> None:
    with gradio.Tabs():
        with gradio.Tab("Pictures"):
            parts["empty"] = _place_upload("Empty scene", 190, elem_id="empty")
            parts["frame"] = _place_upload("Frame", 190, elem_id="frame")
            parts["look_at_pictures"] = gradio.Button(
                "Look", variant="primary", elem_id="look"
            )
        with gradio.Tab("Video"):
            parts["video"] = gradio.Video(
                label="Video", sources=["upload"], height=220, elem_id="video"
            )
            label = "Empty scene (optional)"
            parts["video_empty"] = _place_upload(label, 160)
            parts["look_at_video"] = gradio.Button(
                "Look", variant="primary", elem_id="look_at_video"
            )
        with gradio.Tab("Webcam"):
            parts["webcam"] = gradio.Image(
                label="Webcam",
                sources=["webcam"],
                streaming=True,
                height=260,
                webcam_options=gradio.WebcamOptions(mirror=False),
                elem_id="webcam",
            )
            parts["take_webcam"] = gradio.Button(
                TAKE, variant="primary", elem_id="take_webcam"
            )
    _place_title("Or click a drawn example")
    parts["examples"] = gradio.Gallery(
        [(str(DRAWN / frame), name) for name, (_, frame) in EXAMPLES.items()],
        show_label=False,
        columns=2,
        height=190,
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="examples",
    )


def _place_upload(label: str, height: int, **options: Any) -> gradio.Image:
    """Places a picture that is handed on as a file.

    So it is `trainer.predict` that reads it, and says in a line what is wrong with it.
    The method is replaced here, and not in a class of ours, since Gradio writes a .pyi
    beside the module of every class that is derived from a part of its own.
    """
    image = gradio.Image(
        label=label,
        type="filepath",
        sources=["upload", "clipboard"],
        height=height,
        buttons=[],
        **options,
    )
    image.preprocess = lambda payload: payload.path if payload else None
    return image


def _place_results(parts: dict[str, Any]) -> None:
    parts["number"] = gradio.Slider(
        1, 2, 1, step=1, label="Frame", visible=False, buttons=[], elem_id="number"
    )
    parts["caption"] = gradio.HTML(elem_id="caption")
    with gradio.Row():
        with gradio.Column(min_width=280, elem_classes="view"):
            parts["overlay"] = _place_picture("overlay", "What is new")
            parts["reading"] = gradio.HTML(HINT, elem_id="reading")
        with gradio.Column(min_width=280, elem_classes="view"):
            parts["depth"] = _place_picture("depth", "How far it is, metres")
            gradio.HTML(draw_legend())
    with gradio.Row():
        parts["threshold"] = gradio.Slider(
            0.05, 0.95, 0.5, step=0.05, label="Threshold of probability",
            buttons=["reset"], elem_id="threshold", min_width=260,
        )  # fmt: skip
        parts["area"] = gradio.Slider(
            0, 5, DEFAULT_AREA, step=0.01, label="Minimum area, % of the picture",
            buttons=["reset"], elem_id="area", min_width=260,
        )  # fmt: skip
    with gradio.Row():
        with gradio.Column(scale=4, min_width=280, elem_classes="view"):
            parts["mask"] = _place_picture("mask", "Mask")
        with gradio.Column(scale=5, min_width=280, elem_classes="view"):
            _place_title("Objects")
            parts["table"] = gradio.HTML(elem_id="table")
            parts["take"] = gradio.Button(TAKE, elem_id="take")
            parts["download"] = gradio.Button(
                "Download everything (zip)", elem_id="download"
            )


def _place_picture(name: str, title: str) -> gradio.Image:
    _place_title(title)
    return gradio.Image(
        show_label=False,
        interactive=False,
        buttons=["fullscreen"],
        container=False,
        elem_id=name,
    )


def _place_title(text: str) -> None:
    gradio.HTML(f"<h2>{text}</h2>")
