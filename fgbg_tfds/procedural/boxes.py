"""Upright boxes: houses, columns, furniture."""

from __future__ import annotations

import numpy as np

from fgbg_tfds.procedural.canvas import Canvas
from fgbg_tfds.procedural.textures import Texture


def paint_box(canvas: Canvas, low, high, material: Texture, light) -> None:
    """Draws the visible sides of an upright box between two corners [3].

    Args:
      canvas: The picture to draw on.
      low: Least x, y and z.
      high: Greatest x, y and z.
      material: Of all faces.
      light: Factors of the colour of the front, the sides and the top.
    """
    wide, tall, deep = np.asarray(high, float) - low
    x, y, z = low
    up = (0, tall, 0)
    canvas.draw_rectangle((x, y, z), (wide, 0, 0), up, material, light[0], contact=0.3)
    side = x if x > 0 else x + wide
    canvas.draw_rectangle(
        (side, y, z), (0, 0, deep), up, material, light[1], contact=0.3
    )
    canvas.draw_rectangle(
        (x, y + tall, z), (wide, 0, 0), (0, 0, deep), material, light[2]
    )
