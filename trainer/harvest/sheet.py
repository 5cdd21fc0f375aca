"""A contact sheet of a harvest, to judge it by."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import PIL.Image

from trainer.harvest.cutouts import Cutout
from trainer.harvest.photos import Photo

WIDTH = 1200  # pixels
PHOTO_ROWS, CUTOUT_ROWS = 150, 110
GAP = 8
CHECKS = 8  # pixels of a square
LIGHT, DARK, PAPER = 235, 205, 255


def draw_sheet(photos: Sequence[Photo], cutouts: Sequence[Cutout]) -> bytes:
    """Draws all photos, and below them all cut-outs before a chequered ground.

    Returns:
      A JPEG.
    """
    pictures = [_fit(PIL.Image.fromarray(each.pixels), PHOTO_ROWS) for each in photos]
    rows = _break_rows(pictures)
    rows += _break_rows([_lay_out(each) for each in cutouts])
    height = GAP + sum(max(each.height for each in row) + GAP for row in rows)
    sheet = PIL.Image.new("RGB", (WIDTH, height), (PAPER,) * 3)
    top = GAP
    for row in rows:
        left = GAP
        for each in row:
            sheet.paste(each, (left, top))
            left += each.width + GAP
        top += max(each.height for each in row) + GAP
    memory = io.BytesIO()
    sheet.save(memory, "JPEG", quality=90)
    return memory.getvalue()


def _lay_out(cutout: Cutout) -> PIL.Image.Image:
    image = _fit(PIL.Image.fromarray(cutout.pixels), CUTOUT_ROWS)
    rows, columns = np.indices((image.height, image.width)) // CHECKS
    squares = np.where((rows + columns) % 2, DARK, LIGHT).astype(np.uint8)
    ground = PIL.Image.fromarray(squares).convert("RGBA")
    return PIL.Image.alpha_composite(ground, image).convert("RGB")


def _fit(image: PIL.Image.Image, rows: int) -> PIL.Image.Image:
    scale = min(rows / image.height, (WIDTH - 2 * GAP) / image.width)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, PIL.Image.Resampling.LANCZOS)


def _break_rows(pictures: list[PIL.Image.Image]) -> list[list[PIL.Image.Image]]:
    rows: list[list[PIL.Image.Image]] = []
    left = WIDTH
    for each in pictures:
        if left + each.width + GAP > WIDTH:
            rows.append([])
            left = GAP
        rows[-1].append(each)
        left += each.width + GAP
    return rows
