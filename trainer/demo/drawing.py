"""Pictures and tables of an answer, as the page shows them."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from trainer import figures
from trainer.contract import DEPTH_UNITS, MAX_ALPHA
from trainer.predict import Answer, Frame, Object, draw_answer

# Of boxes and of their rows, so that one is found by the other; red is what is new.
COLOURS = (
    "#2dd4bf", "#fbbf24", "#60a5fa", "#c084fc", "#a3e635", "#fb923c", "#22d3ee",
    "#f9a8d4",
)  # fmt: skip
TICKS = (1, 2, 5, 10, 20, 40, 80)  # metres
STOPS = 24  # of the legend's colours


@dataclasses.dataclass(frozen=True)
class Views:
    """Pictures of one answer.

    Attributes:
      overlay: uint8 [H, W, 3], what is new in red, with boxes and numbers.
      mask: uint8 [H, W], 255 where an object is.
      depth: uint8 [H, W, 3], bright is near.
    """

    overlay: np.ndarray
    mask: np.ndarray
    depth: np.ndarray


def draw_views(
    frame: np.ndarray, answer: Answer, objects: Sequence[Object], threshold: float
) -> Views:
    """Draws what a threshold and a minimum area leave of an answer.

    Args:
      frame: uint8 [H, W, 3].
      answer: Its answer.
      objects: Those of its objects that are shown.
      threshold: That they were found with.
    """
    inside = np.zeros(answer.mask.shape, bool)
    for each in objects:
        inside[each.window] |= each.inside
    mask = np.where(inside, answer.mask, 0)[..., None] / MAX_ALPHA
    overlay = PIL.Image.fromarray(figures.draw_overlay(frame, mask, threshold))
    _draw_boxes(overlay, objects)
    return Views(
        np.asarray(overlay),
        np.where(inside, np.uint8(MAX_ALPHA), np.uint8(0)),
        draw_answer(frame, answer, "depth_view"),
    )


def _draw_boxes(picture: PIL.Image.Image, objects: Sequence[Object]) -> None:
    draw = PIL.ImageDraw.Draw(picture)
    shorter = min(picture.size)
    line = max(1, round(shorter / 220))
    font = PIL.ImageFont.load_default(max(10, round(shorter / 24)))
    for each in objects:
        left, top, width, height = each.box
        colour, text = find_colour(each), f" {each.identity} "
        corners = left, top, left + width - 1, top + height - 1
        draw.rectangle(corners, outline=colour, width=line)
        label = draw.textbbox((0, 0), text, font)
        high, wide = label[3] + line, label[2]
        # Above the box where there is room, and never beside the picture.
        place = min(left, picture.width - wide), top - high if top >= high else top
        place = max(0, place[0]), place[1]
        draw.rectangle((*place, place[0] + wide - 1, place[1] + high - 1), fill=colour)
        draw.text(place, text, "#0b1220", font)


def find_colour(each: Object) -> str:
    """Finds the colour of an object's box."""
    return COLOURS[(each.identity - 1) % len(COLOURS)]


def draw_legend() -> str:
    """Draws the scale of `figures.colour_depth` as HTML."""
    metres = np.geomspace(figures.NEAREST, figures.FARTHEST, STOPS)
    colours = figures.colour_depth(metres[None, :, None])[0]
    stops = ", ".join(f"rgb({r} {g} {b})" for r, g, b in colours.tolist())
    span = np.log(figures.FARTHEST / figures.NEAREST)
    ticks = "".join(
        f'<span style="left:{100 * np.log(tick / figures.NEAREST) / span:.1f}%">'
        f"{tick}</span>"
        for tick in TICKS
    )
    return (
        '<div class="legend" role="img" aria-label="Colours of depth, 1 to 80 metres">'
        f'<div class="bar" style="background:linear-gradient(90deg, {stops})"></div>'
        f'<div class="ticks">{ticks}</div></div>'
    )


def draw_table(objects: Sequence[Object]) -> str:
    """Draws the objects of a frame as a table in HTML."""
    if not objects:
        return '<p class="nothing">Nothing is new.</p>'
    head = "".join(
        f"<th>{name}</th>" for name in ("", "Distance", "Sure", "Area", "Share", "Box")
    )
    rows = "".join(_draw_row(each) for each in objects)
    return (
        f'<table class="objects"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _draw_row(each: Object) -> str:
    left, top, width, height = each.box
    cells = (
        f'<b style="background:{find_colour(each)}">{each.identity}</b>',
        f"{each.distance:.1f} m",
        f"{each.score:.0%}",
        f"{each.area} px",
        f"{each.share:.2%}",
        f"{left}, {top}, {width}&nbsp;&times;&nbsp;{height}",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def draw_reading(answer: Answer, column: int, row: int) -> str:
    """Words the answer at one pixel; outside the picture, the nearest one's."""
    height, width = answer.mask.shape
    column, row = min(max(column, 0), width - 1), min(max(row, 0), height - 1)
    metres = answer.depth[row, column] / DEPTH_UNITS
    new = answer.mask[row, column] / MAX_ALPHA
    return (
        f'<p class="reading">column {column}, row {row}: <b>{metres:.1f} m</b>, '
        f"new with {new:.0%}</p>"
    )


def draw_status(text: str, kind: str = "done", share: float | None = None) -> str:
    """Draws the line that says how things are.

    Args:
      text: The line.
      kind: 'done', 'busy' or 'error'.
      share: Part of the work that is done, of a busy one; 0 if it is not known.
    """
    bar = ""
    if kind == "busy":
        value = f' value="{share:.3f}"' if share else ""
        bar = f"<progress{value}></progress>"
    role = "alert" if kind == "error" else "status"
    return f'<div class="line {kind}" role="{role}">{html.escape(text)}{bar}</div>'


def draw_caption(frame: Frame, place: int, count: int) -> str:
    """Says which of a video's frames is shown, and its time."""
    time = "" if frame.seconds is None else f" at {frame.seconds:.1f} s"
    return f'<p class="caption">Frame {place + 1} of {count}{time}</p>'
