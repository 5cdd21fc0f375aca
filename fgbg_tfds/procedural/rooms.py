"""Rooms, halls and corridors, furnished or empty."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from PIL import Image, ImageDraw

from fgbg_tfds.procedural.boxes import paint_box
from fgbg_tfds.procedural.camera import Camera
from fgbg_tfds.procedural.canvas import SKY, Canvas
from fgbg_tfds.procedural.cutouts import cutout
from fgbg_tfds.procedural.ground import Ground, wet_ground
from fgbg_tfds.procedural.plants import plant
from fgbg_tfds.procedural.swatches import Dressing
from fgbg_tfds.procedural.textures import SIDE, Texture, muted, surface, texture


@functools.lru_cache(maxsize=64)
def _draw_window_wall(seed: int) -> Texture:
    """Draws a wall of glass or of shelves: panes with sky, blinds or dark behind."""
    rng = np.random.default_rng([seed, 0x61A55])
    frame = muted(rng)
    picture = Image.new("RGB", (SIDE, SIDE), tuple(frame.astype(int)))
    draw = ImageDraw.Draw(picture)
    columns, rows = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    bar = rng.uniform(3, 14)
    style = rng.choice(["sky", "white", "dark", "mixed"], p=[0.4, 0.3, 0.15, 0.15])
    for column in range(columns):
        for row in range(rows):
            x = bar + column * (SIDE - bar) / columns
            y = bar + row * (SIDE - bar) / rows
            right = x + (SIDE - bar) / columns - bar
            low = y + (SIDE - bar) / rows - bar
            ink = {
                "sky": np.array([190, 215, 240]) * rng.uniform(0.9, 1.05),
                "white": np.array([246, 246, 242]),
                "dark": np.array([40, 46, 54]) * rng.uniform(0.7, 1.3),
                "mixed": muted(rng, 0.6),
            }[style]
            draw.rectangle(
                (x, y, right, low), fill=tuple(np.clip(ink, 0, 255).astype(int))
            )
            if style in ("sky", "dark") and rng.random() < 0.7:  # a view of roofs
                ink = tuple((ink * rng.uniform(0.4, 0.8)).astype(int))
                draw.rectangle(
                    (x, y + (low - y) * rng.uniform(0.5, 0.9), right, low), fill=ink
                )
    return texture(np.asarray(picture), 1.0, 1.0)


def _hang_things(canvas: Canvas, corner, along, up, light, rng) -> None:
    """Hangs windows, doors, pictures or boards onto a wall."""
    wide, high = np.linalg.norm(along), np.linalg.norm(up)
    kind = rng.choice(
        ["windows", "glass", "doors", "few", "none"], p=[0.32, 0.15, 0.15, 0.18, 0.2]
    )
    if kind == "none":
        return
    count = int(np.clip(wide / rng.uniform(1.5, 4), 1, 9))
    if kind == "few":
        count = int(rng.integers(1, 3))
    part = rng.uniform(0.35, 0.9)
    low, top = {
        "windows": (rng.uniform(0.25, 0.4), rng.uniform(0.75, 0.95)),
        "glass": (0.02, 0.97),
        "doors": (0.0, min(0.9, 2.1 / high)),
        "few": (0.4, rng.uniform(0.55, 0.8)),
    }[kind]
    seed = int(rng.integers(64))
    pane = _draw_window_wall(seed)
    normal = np.cross(along, up)
    normal /= np.linalg.norm(normal)
    away = -0.03 * np.sign(normal @ (np.asarray(corner) - canvas.camera.eye)) * normal
    for index in range(count):
        left = (index + (1 - part) / 2) / count
        sheet = Texture(pane.texels, wide * part / count, high * (top - low))
        canvas.draw_rectangle(
            np.asarray(corner) + left * along + low * up + away,
            along * part / count, up * (top - low), sheet, max(light, 0.85),
        )  # fmt: skip


# kind: how deep, half how wide, how high it may be, metres
_SPACES = {
    "corner": ((1.3, 3.6), (0.9, 2.4), (2.2, 2.9)),
    "room": ((3, 9), (1.8, 5), (2.3, 3.4)),
    "hall": ((8, 35), (4, 15), (2.8, 8)),
    "corridor": ((6, 40), (0.9, 2), (2.2, 3.5)),
}
_BEHIND = 4.0  # metres of room behind the camera


@dataclasses.dataclass(frozen=True)
class _Space:
    """The inside of a room: its kind, x of its walls, its depth and height."""

    kind: str
    left: float
    right: float
    deep: float
    high: float


def _draw_space(rng: np.random.Generator, least_height: float) -> _Space:
    kind = str(rng.choice(list(_SPACES), p=[0.27, 0.35, 0.2, 0.18]))
    deep, half, high = (
        {name: rng.uniform(*ranges[index]) for name, ranges in _SPACES.items()}[kind]
        for index in range(3)
    )
    left, right = -half * rng.uniform(0.6, 1.2), half * rng.uniform(0.6, 1.2)
    return _Space(kind, left, right, deep, max(high, least_height))


def _choose_kind(rng: np.random.Generator, kinds: dict[str, float]) -> str:
    return str(rng.choice(list(kinds), p=list(kinds.values())))


def _draw_surface(rng: np.random.Generator, kinds: dict[str, float]) -> Texture:
    return surface(_choose_kind(rng, kinds), int(rng.integers(24)))


def _paint_shell(canvas: Canvas, space: _Space, rng: np.random.Generator) -> Texture:
    """Draws floor, ceiling and walls with the things on them; returns the wall's."""
    wall = _draw_surface(
        rng, {"plain": 0.72, "noise": 0.13, "brick": 0.08, "planks": 0.07}
    )
    floor = _draw_surface(
        rng,
        {"planks": 0.35, "slabs": 0.3, "plain": 0.2, "noise": 0.12, "cobble": 0.03},
    )
    ceiling = _draw_surface(rng, {"plain": 0.7, "slabs": 0.25, "noise": 0.05})
    pale = np.array([225, 222, 215]) * rng.uniform(0.7, 1.1)
    if rng.random() < 0.65:
        wall = wall.dye(pale, 0.65)
    if rng.random() < 0.8:
        ceiling = ceiling.dye(pale, 0.7)
    if rng.random() < 0.4:
        floor = floor.dye(np.array([150, 110, 75]) * rng.uniform(0.5, 1.3), 0.5)
    lights = rng.uniform(0.6, 1.1, 5)
    left, right, high = space.left, space.right, space.high
    along = np.array([0, 0, space.deep + _BEHIND])
    across = np.array([right - left, 0, 0.0])
    up = np.array([0, high, 0.0])
    canvas.draw_rectangle((left, 0, -_BEHIND), across, along, floor, lights[0])
    canvas.draw_rectangle((left, high, -_BEHIND), across, along, ceiling, lights[1])
    walls = [
        ((left, 0, -_BEHIND), along),
        ((right, 0, -_BEHIND), along),
        ((left, 0, space.deep), across),
    ]
    for index, (corner, edge) in enumerate(walls):
        if space.kind == "hall" and index < 2 and rng.random() < 0.15:
            continue  # open to that side
        edge = np.asarray(edge, float)
        canvas.draw_rectangle(corner, edge, up, wall, lights[2 + index], contact=0.25)
        _hang_things(canvas, corner, edge, up, lights[2 + index], rng)
    open_side = max(space.deep * 1.5, 15.0)
    canvas.depth[:] = np.where(canvas.depth < SKY, canvas.depth, open_side)
    canvas.colour[canvas.colour.sum(-1) == 0] = pale
    return wall


def _fit_out(canvas: Canvas, space: _Space, wall: Texture, rng) -> None:
    """Draws columns, lamps and a shine on the floor."""
    for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.6, 0.2, 0.1, 0.1]))):
        x, z = (
            rng.uniform(space.left, space.right),
            rng.uniform(3, max(space.deep, 3.5)),
        )
        thick = rng.uniform(0.25, 0.7)
        high = (x + thick, space.high, z + thick)
        paint_box(canvas, (x, 0, z), high, wall, rng.uniform(0.7, 1.1, 3))
    lamp = texture(np.full((SIDE, SIDE, 3), 250, np.uint8), 1, 1)
    if rng.random() < 0.5:
        step, wide = rng.uniform(1.5, 4), rng.uniform(0.1, 1.2)
        for z in np.arange(1.0, space.deep, step):
            apart = step * rng.uniform(1, 1.5)
            for x in np.arange(space.left + 0.8, space.right - wide, apart):
                corner = (x, space.high - 0.02, z)
                long = (0, 0, rng.uniform(0.3, 1.2))
                canvas.draw_rectangle(corner, (wide, 0, 0), long, lamp)
    if rng.random() < 0.5 and canvas.camera.horizon > 0:
        wet_ground(canvas, Ground(5, 1, rise_at=1e6), rng.uniform(0.15, 0.6), rng)


def _furnish(canvas: Canvas, space: _Space, rng: np.random.Generator) -> None:
    """Places furniture, people and other things on the floor."""
    for _ in range(int(rng.choice([0, 1, 3, 6], p=[0.3, 0.25, 0.25, 0.2]))):
        x = rng.uniform(space.left, space.right)
        z = rng.uniform(1.8, max(space.deep - 0.5, 2.5))
        low = np.array([x, 0, z])
        size = rng.uniform([0.3, 0.3, 0.3], [2.2, 1.9, 1.2])
        kind = str(rng.choice(["plain", "planks", "noise"]))
        material = surface(kind, int(rng.integers(24)))
        middle = low + size / 2
        canvas.shade_foot(middle[0], middle[2], (size[0] * 0.7, size[2] * 0.7), 0.5)
        paint_box(canvas, low, low + size, material, rng.uniform(0.5, 1.2, 3))
    crowd = int(rng.choice([0, 1, 3, 6], p=[0.4, 0.25, 0.2, 0.15]))
    places = rng.uniform(2.2, max(space.deep - 0.3, 2.6), crowd)
    for z in sorted(places, reverse=True):
        x = rng.uniform(space.left + 0.3, space.right - 0.3)
        if rng.random() < 0.6:
            sprite = plant("person", int(rng.integers(48)))
        else:
            sprite = cutout("thing", int(rng.integers(96)))
        canvas.shade_foot(x, z, (0.4, 0.3), 0.5)
        canvas.stand_cutout(sprite, x, z, 0.0, rng.uniform(0.7, 1.1))


def _line_walls(canvas: Canvas, space: _Space, rng: np.random.Generator) -> None:
    """Lines the walls with cabinets, shelves and counters."""
    for side in (-1, 1):
        if rng.random() > 0.35:
            continue
        x = space.left if side < 0 else space.right
        z = rng.uniform(0.2, max(0.5 * space.deep, 0.6))
        high = rng.choice([rng.uniform(0.6, 1.1), rng.uniform(1.3, 2.3)])
        deep = rng.uniform(0.3, 0.7)
        style = _choose_kind(rng, {"glass": 0.3, "planks": 0.35, "plain": 0.35})
        seed = int(rng.integers(24))
        pane = _draw_window_wall(seed) if style == "glass" else surface(style, seed)
        for _ in range(int(rng.integers(1, 8))):
            wide = rng.uniform(0.4, 1.4)
            low = np.array([min(x, x - side * deep), 0.0, z])
            size = (deep, high, min(wide, max(space.deep - z, 0.1)))
            paint_box(canvas, low, low + size, pane, rng.uniform(0.5, 1.1, 3))
            z += wide + (rng.uniform(0, 0.6) if rng.random() < 0.2 else 0.0)
            if z > space.deep:
                break


def _lay_table(canvas: Canvas, space: _Space, rng: np.random.Generator) -> None:
    """Places a table or a desk with small things on it, and chairs before it."""
    high = rng.uniform(0.45, 1.0)
    z = rng.uniform(0.9, max(0.75 * space.deep, 1.2))
    x = rng.uniform(space.left, max(space.right - 1.0, space.left + 0.1))
    wide, deep = rng.uniform(0.7, 2.6), rng.uniform(0.5, 1.2)
    kind = _choose_kind(rng, {"planks": 0.4, "plain": 0.5, "noise": 0.1})
    board = surface(kind, int(rng.integers(24)))
    lights = rng.uniform(0.6, 1.2, 3)
    thick = rng.uniform(0.02, 0.08)
    canvas.shade_foot(x + wide / 2, z + deep / 2, (wide * 0.6, deep * 0.6), 0.5)
    paint_box(canvas, (x, high - thick, z), (x + wide, high, z + deep), board, lights)
    solid = rng.random() < 0.35
    legs = [(x, x + wide)] if solid else [(x, x + 0.06), (x + wide - 0.06, x + wide)]
    for left, right in legs:
        back = z + (deep if solid else 0.06)
        paint_box(canvas, (left, 0, z), (right, high, back), board, lights * 0.8)
    if rng.random() < 0.3:  # a screen or a partition behind it
        top = high + rng.uniform(0.2, 0.8)
        corner, along = (x, high, z + deep), (wide, 0, 0)
        panel = surface("plain", int(rng.integers(24)))
        canvas.draw_rectangle(corner, along, (0, top - high, 0), panel, lights[0])
    for _ in range(int(rng.integers(0, 9))):
        at = np.array([x + rng.random() * wide, high, z + rng.random() * deep])
        if rng.random() < 0.5:
            size = rng.uniform([0.04, 0.01, 0.04], [0.4, 0.35, 0.3])
            skin = surface("plain", int(rng.integers(24))).dye(muted(rng, 0.7), 0.8)
            paint_box(canvas, at, at + size, skin, rng.uniform(0.6, 1.2, 3))
        else:
            small = cutout("thing", int(rng.integers(96))).resize(
                rng.uniform(0.08, 0.4)
            )
            canvas.stand_cutout(small, at[0], at[2], high, rng.uniform(0.7, 1.1))
    for _ in range(int(rng.integers(0, 3))):
        chair = cutout("thing", int(rng.integers(96))).resize(rng.uniform(0.7, 1.1))
        away = z - rng.uniform(0.1, 0.5)
        canvas.shade_foot(x + wide / 2, away, (0.35, 0.3), 0.5)
        canvas.stand_cutout(chair, x + rng.random() * wide, away, 0.0, lights[1])


def _let_light_in(canvas: Canvas, space: _Space, rng: np.random.Generator) -> None:
    """Lays patches of sunlight and of shadow onto floor and walls."""
    depth, rays = canvas.depth, canvas.camera.rays
    point = canvas.camera.eye + depth[..., None] * rays
    for _ in range(int(rng.integers(1, 4))):
        axes = (
            (0, 2) if rng.random() < 0.6 else (2, 1) if rng.random() < 0.5 else (0, 1)
        )
        first, second = point[..., axes[0]], point[..., axes[1]]
        slant = rng.normal(0, 0.6)
        place = first - rng.uniform(space.left, space.right) + slant * second
        wide, bars = rng.uniform(0.3, 1.6), rng.uniform(0.5, 2.0)
        lit = np.abs(place) < wide
        lit &= np.mod(second + rng.random(), bars) < bars * rng.uniform(0.5, 1.0)
        canvas.colour[lit] *= rng.uniform(1.2, 2.2) if rng.random() < 0.7 else 0.6


def paint_room(
    camera: Camera, rng: np.random.Generator, dressing: Dressing | None = None
) -> Canvas:
    """Draws a room, a corner, a hall or a corridor, furnished or empty.

    Args:
      camera: The camera in it.
      rng: Source of random numbers.
      dressing: Pieces of photos that roughen it.

    Returns:
      The picture with its depth.
    """
    canvas = Canvas(camera, dressing)
    space = _draw_space(rng, camera.height + 0.25)
    wall = _paint_shell(canvas, space, rng)
    _fit_out(canvas, space, wall, rng)
    _line_walls(canvas, space, rng)
    if rng.random() < 0.45:
        _lay_table(canvas, space, rng)
    _furnish(canvas, space, rng)
    if rng.random() < 0.35:
        _let_light_in(canvas, space, rng)
    return canvas
