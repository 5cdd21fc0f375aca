"""Fronts of houses: floors of windows, shops, doors, cornices."""

from __future__ import annotations

import dataclasses
import functools
import itertools

import numpy as np
from PIL import Image, ImageDraw

from fgbg_tfds.procedural.textures import Texture, muted, shrink, surface, texture

_PIXELS = 512  # of the drawing, before it is shrunk to a texture
_WARM = [
    (206, 178, 138), (190, 150, 112), (222, 206, 176), (170, 98, 78), (150, 82, 66),
    (198, 190, 178), (176, 168, 158), (214, 170, 120), (126, 116, 108), (232, 224, 208),
    (160, 136, 116), (204, 140, 120), (150, 160, 150), (140, 146, 158),
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Facade:
    """The front of a house.

    Attributes:
      front: Its picture.
      wall: Material of its other walls.
      width: Metres.
      height: Metres.
    """

    front: Texture
    wall: Texture
    width: float
    height: float


class _Front:
    """A drawing in metres, from the lower left corner up."""

    def __init__(self, width: float, height: float, wall: Texture, rng):
        self.width, self.height = width, height
        self._scale = np.array([_PIXELS / width, _PIXELS / height])
        place = (np.arange(_PIXELS) + 0.5) / _PIXELS
        u, v = np.meshgrid(place * width, (1 - place) * height)
        fine = np.full(u.size, max(width, height) / _PIXELS)
        colours = wall.sample(u.ravel(), v.ravel(), fine).reshape(_PIXELS, _PIXELS, 3)
        grime = 1 - 0.25 * np.exp(-v / 0.7) - 0.08 * rng.random() * (v / height)
        picture = np.clip(colours * grime[..., None], 0, 255).astype(np.uint8)
        self.picture = Image.fromarray(picture)
        self._draw = ImageDraw.Draw(self.picture)
        self.base = colours.reshape(-1, 3).mean(0)

    def box(self, left, right, low, high, colour) -> None:
        x = np.array([left, right]) * self._scale[0]
        y = _PIXELS - np.array([high, low]) * self._scale[1]
        if x[1] - x[0] < 0.4 or y[1] - y[0] < 0.4:
            return
        ink = tuple(int(c) for c in np.clip(colour, 0, 255))
        self._draw.rectangle((x[0], y[0], x[1] - 0.5, y[1] - 0.5), fill=ink)

    def arch(self, left, right, spring, colour) -> None:
        radius = (right - left) / 2
        x = np.array([left, right]) * self._scale[0]
        y = _PIXELS - np.array([spring + radius, spring - radius]) * self._scale[1]
        ink = tuple(int(c) for c in np.clip(colour, 0, 255))
        self._draw.pieslice((x[0], y[0], x[1], y[1]), 180, 360, fill=ink)


def _choose_glass(rng: np.random.Generator, night: bool) -> np.ndarray:
    """Chooses a pane's colour: dark, reflecting the sky, or lit."""
    if rng.random() < (0.45 if night else 0.04):
        return np.array([238, 200, 120]) * rng.uniform(0.75, 1.0)
    if rng.random() < 0.3:
        return np.array([150, 170, 190]) * rng.uniform(0.6, 1.1)
    return np.array([46, 54, 64]) * rng.uniform(0.6, 1.4)


def _draw_window(front: _Front, style: dict, x: float, low: float, rng) -> None:
    """Draws one window with frame, mullions, sill, shutters or balcony."""
    wide, high = style["wide"], style["high"]
    left, right, top = x - wide / 2, x + wide / 2, low + high
    trim, frame = style["trim"], style["frame"]
    edge = style["edge"]
    if edge:
        front.box(left - edge, right + edge, low - edge / 2, top + edge, trim)
    if style["arched"]:
        front.arch(left, right, top - 0.05, frame)
        front.arch(
            left + 0.08, right - 0.08, top - 0.05, _choose_glass(rng, style["night"])
        )
    if style["pediment"]:
        front.box(left - 0.2, right + 0.2, top + edge + 0.06, top + edge + 0.22, trim)
        front.box(left - 0.2, right + 0.2, top + edge, top + edge + 0.06, trim * 0.6)
    front.box(left, right, low, top, frame)
    columns, rows = style["panes"]
    bar = 0.05
    cell = (wide - bar) / columns, (high - bar) / rows
    for column in range(columns):
        for row in range(rows):
            pane = (
                _choose_glass(rng, style["night"]) if style["mixed"] else style["glass"]
            )
            x0, y0 = left + bar + column * cell[0], low + bar + row * cell[1]
            front.box(x0, x0 + cell[0] - bar, y0, y0 + cell[1] - bar, pane)
            half = y0 + cell[1] * 0.55
            front.box(x0, x0 + cell[0] - bar, half, y0 + cell[1] - bar, pane * 1.25 + 8)
    front.box(left, right, top - 0.07, top, frame * 0.35)  # shadow of the lintel
    front.box(left - 0.1, right + 0.1, low - 0.1, low, trim)
    front.box(left - 0.1, right + 0.1, low - 0.17, low - 0.1, front.base * 0.55)
    if style["shutters"]:
        for side in (left - wide * 0.48, right + 0.03):
            front.box(side, side + wide * 0.45, low, top, style["door"])
            for slat in np.arange(low + 0.1, top - 0.05, 0.14):
                front.box(
                    side + 0.06,
                    side + wide * 0.4,
                    slat,
                    slat + 0.05,
                    style["door"] * 0.7,
                )
    if style["balcony"]:
        front.box(left - 0.3, right + 0.3, low - 0.2, low - 0.05, trim * 0.85)
        front.box(left - 0.3, right + 0.3, low - 0.32, low - 0.2, front.base * 0.5)
        for rail in np.arange(left - 0.28, right + 0.3, 0.13):
            front.box(rail, rail + 0.035, low - 0.05, low + 0.85, (30, 30, 34))
        front.box(left - 0.3, right + 0.3, low + 0.82, low + 0.9, (30, 30, 34))


def _draw_shop(front: _Front, left: float, right: float, high: float, rng) -> None:
    """Draws a shop: panes, a door, a sign with something like letters, an awning."""
    paint = muted(rng, vivid=0.7)
    front.box(left, right, 0, high, paint * 0.75)
    panes = max(2, round((right - left) / 1.6))
    cell = (right - left - 0.2) / panes
    door = rng.integers(panes)
    for pane in range(panes):
        x = left + 0.1 + pane * cell
        low = 0.08 if pane == door else 0.55
        glass = _choose_glass(rng, rng.random() < 0.4)
        front.box(x + 0.06, x + cell - 0.06, low, high - 0.75, glass)
        front.box(x + 0.06, x + cell - 0.06, high * 0.45, high - 0.75, glass * 1.2)
        for _ in range(3):  # goods
            goods = rng.uniform(30, 220, 3)
            at = x + 0.1 + rng.random() * (cell - 0.45)
            front.box(
                at,
                at + rng.uniform(0.1, 0.3),
                low + 0.05,
                low + rng.uniform(0.3, 1),
                goods,
            )
    sign = muted(rng, vivid=0.8)
    front.box(left, right, high - 0.65, high - 0.1, sign)
    ink = np.array([240, 236, 224]) if sign.mean() < 130 else np.array([40, 36, 34])
    x = left + 0.25 * (right - left)
    while x < left + 0.75 * (right - left):
        wide = rng.uniform(0.08, 0.22)
        front.box(x, x + wide, high - 0.5, high - 0.5 + rng.choice([0.2, 0.28]), ink)
        x += wide + 0.07
    if rng.random() < 0.45:
        stripes = muted(rng, vivid=1.0), np.array([232, 228, 218])
        for index, x in enumerate(np.arange(left, right - 0.1, 0.35)):
            edge = min(x + 0.35, right)
            front.box(x, edge, high - 1.25, high - 0.6, stripes[index % 2])
        front.box(left, right, high - 1.4, high - 1.25, front.base * 0.35)


def _draw_ground_floor(front: _Front, style: dict, storey: float, rng) -> None:
    bays = style["bays"]
    kind = rng.choice(["shops", "plain", "rusticated"], p=[0.45, 0.3, 0.25])
    if kind == "shops" and front.width > 3.5:
        count = max(1, round(front.width / rng.uniform(5, 9)))
        cuts = np.linspace(0.25, front.width - 0.25, count + 1)
        for left, right in itertools.pairwise(cuts):
            _draw_shop(front, left + 0.12, right - 0.12, storey - 0.2, rng)
        return
    if kind == "rusticated":
        front.box(0, front.width, 0, storey - 0.1, style["trim"] * 0.92)
        for z in np.arange(0.35, storey - 0.2, 0.42):
            front.box(0, front.width, z, z + 0.05, style["trim"] * 0.62)
    front.box(0, front.width, 0, 0.4, front.base * 0.55)
    door = rng.integers(len(bays))
    for index, x in enumerate(bays):
        if index == door:
            front.box(x - 0.72, x + 0.72, 0, 2.75, style["trim"])
            front.box(x - 0.55, x + 0.55, 0, 2.55, style["door"])
            front.box(x - 0.42, x + 0.42, 2.1, 2.45, (60, 68, 76))
            for low in (0.25, 1.15):
                for x0 in (x - 0.42, x + 0.06):
                    front.box(x0, x0 + 0.36, low, low + 0.7, style["door"] * 0.75)
        else:
            low = style | {"high": min(1.7, style["high"]), "balcony": False}
            _draw_window(front, low, x, 1.0, rng)


def draw_facade(rng: np.random.Generator) -> Facade:
    """Draws the front of a house of 2 to 9 floors."""
    floors = int(
        rng.choice([2, 3, 4, 5, 6, 7, 9], p=[0.1, 0.2, 0.25, 0.2, 0.12, 0.08, 0.05])
    )
    storey = rng.uniform(2.9, 3.8)
    width = rng.uniform(5.5, 16)
    crown = rng.uniform(0.3, 1.0)
    height = storey * (floors + 0.12) + crown
    kind = str(
        rng.choice(["plain", "noise", "brick", "slabs"], p=[0.45, 0.15, 0.3, 0.1])
    )
    wall = surface(kind, int(rng.integers(24)))
    mean = wall.texels[-1].astype(float)
    wanted = np.array(_WARM[rng.integers(len(_WARM))]) * rng.uniform(0.75, 1.12)
    if rng.random() < 0.8:
        dyed = np.clip(wall.texels * (wanted / np.maximum(mean, 20)), 0, 255)
        wall = Texture(dyed.astype(np.uint8), wall.width, wall.height)
    front = _Front(width, height, wall, rng)
    pale = rng.random() < 0.7
    trim = np.clip(front.base * (1.25 if pale else 0.7) + (22 if pale else 0), 0, 245)
    count = max(1, int(width / rng.uniform(1.7, 3.2)))
    margin = rng.uniform(0.5, 0.9)
    bays = np.linspace(margin, width - margin, 2 * count + 1)[1::2]
    pitch = (width - 2 * margin) / count
    style = {
        "bays": bays,
        "wide": min(pitch * rng.uniform(0.42, 0.72), 2.2),
        "high": storey * rng.uniform(0.48, 0.66),
        "trim": trim,
        "frame": np.array([226, 224, 216]) * rng.choice([1.0, 0.9, 0.3]),
        "edge": rng.choice([0.0, 0.1, 0.16]),
        "panes": (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        "arched": rng.random() < 0.12,
        "pediment": rng.random() < 0.3,
        "shutters": pitch > 2 and rng.random() < 0.2,
        "balcony": rng.random() < 0.2,
        "mixed": rng.random() < 0.8,
        "night": rng.random() < 0.1,
        "glass": _choose_glass(rng, False),
        "door": muted(rng, vivid=0.8) * 0.7,
    }  # fmt: skip
    for floor in range(1, floors):
        low = floor * storey + 0.25 * storey
        for x in bays:
            _draw_window(front, style, x, low, rng)
        if rng.random() < 0.5 and not style["balcony"]:
            band = floor * storey
            front.box(0, width, band, band + 0.14, trim)
            front.box(0, width, band - 0.08, band, front.base * 0.6)
    _draw_ground_floor(front, style, storey, rng)
    top = height - crown * 0.5
    front.box(0, width, top, height, trim)
    front.box(0, width, top - 0.15, top, front.base * 0.5)
    front.box(0, 0.08, 0, height, front.base * 0.6)  # the joint between houses
    return Facade(texture(shrink(front.picture), width, height), wall, width, height)


@functools.lru_cache(maxsize=96)
def facade(seed: int) -> Facade:
    """Draws a house as a function of its seed."""
    return draw_facade(np.random.default_rng([seed, 0xFACADE]))
