"""Rooms, halls and corridors, furnished or empty."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageDraw

from fgbg_tfds.procedural.boxes import paint_box
from fgbg_tfds.procedural.camera import Camera
from fgbg_tfds.procedural.canvas import Canvas
from fgbg_tfds.procedural.cutouts import cutout
from fgbg_tfds.procedural.ground import Ground, wet_ground
from fgbg_tfds.procedural.plants import plant
from fgbg_tfds.procedural.textures import SIDE, Texture, muted, surface, texture


@functools.lru_cache(maxsize=64)
def _window_wall(seed: int) -> Texture:
    """A wall of glass or of shelves: panes with sky, blinds or dark behind."""
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


def _hang(canvas: Canvas, corner, along, up, light, rng) -> None:
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
    pane = _window_wall(seed)
    normal = np.cross(along, up)
    normal /= np.linalg.norm(normal)
    away = -0.03 * np.sign(normal @ (np.asarray(corner) - canvas.camera.eye)) * normal
    for index in range(count):
        left = (index + (1 - part) / 2) / count
        sheet = Texture(pane.texels, wide * part / count, high * (top - low))
        canvas.rectangle(
            np.asarray(corner) + left * along + low * up + away,
            along * part / count, up * (top - low), sheet, max(light, 0.85),
        )  # fmt: skip


def paint_room(camera: Camera, rng: np.random.Generator) -> Canvas:
    """Draws a room, a hall or a corridor, furnished or empty."""
    canvas = Canvas(camera)
    kind = rng.choice(["room", "hall", "corridor"], p=[0.5, 0.3, 0.2])
    deep = {
        "room": rng.uniform(3, 9),
        "hall": rng.uniform(8, 35),
        "corridor": rng.uniform(6, 40),
    }[kind]
    half = {
        "room": rng.uniform(1.8, 5),
        "hall": rng.uniform(4, 15),
        "corridor": rng.uniform(0.9, 2),
    }[kind]
    high = {
        "room": rng.uniform(2.3, 3.4),
        "hall": rng.uniform(2.8, 8),
        "corridor": rng.uniform(2.2, 3.5),
    }[kind]
    high = max(high, camera.height + 0.5)
    left, right = -half * rng.uniform(0.6, 1.2), half * rng.uniform(0.6, 1.2)
    wall = surface(
        str(
            rng.choice(
                ["plain", "noise", "brick", "planks"], p=[0.72, 0.13, 0.08, 0.07]
            )
        ),
        int(rng.integers(24)),
    )
    floor = surface(
        str(
            rng.choice(
                ["planks", "slabs", "plain", "noise", "cobble"],
                p=[0.35, 0.3, 0.2, 0.12, 0.03],
            )
        ),
        int(rng.integers(24)),
    )
    ceiling = surface(
        str(rng.choice(["plain", "slabs", "noise"], p=[0.7, 0.25, 0.05])),
        int(rng.integers(24)),
    )
    pale = np.array([225, 222, 215]) * rng.uniform(0.7, 1.1)
    if rng.random() < 0.65:
        wall = Texture(
            np.clip(0.35 * wall.texels + 0.65 * pale, 0, 255).astype(np.uint8),
            wall.width,
            wall.height,
        )
    if rng.random() < 0.8:
        ceiling = Texture(
            np.clip(0.3 * ceiling.texels + 0.7 * pale, 0, 255).astype(np.uint8),
            ceiling.width,
            ceiling.height,
        )
    if rng.random() < 0.4:
        wood = np.array([150, 110, 75]) * rng.uniform(0.5, 1.3)
        floor = Texture(
            np.clip(0.5 * floor.texels + 0.5 * wood, 0, 255).astype(np.uint8),
            floor.width,
            floor.height,
        )
    lights = rng.uniform(0.6, 1.1, 5)
    behind = -4.0
    length = deep - behind
    depth = np.array([0, 0, length])
    up = np.array([0, high, 0.0])
    across = np.array([right - left, 0, 0.0])
    canvas.rectangle((left, 0, behind), across, depth, floor, lights[0])
    canvas.rectangle((left, high, behind), across, depth, ceiling, lights[1])
    walls = [
        ((left, 0, behind), depth),
        ((right, 0, behind), depth),
        ((left, 0, deep), across),
    ]
    for index, (corner, along) in enumerate(walls):
        if kind == "hall" and index < 2 and rng.random() < 0.15:
            continue
        along = np.asarray(along, float)
        canvas.rectangle(corner, along, up, wall, lights[2 + index], contact=0.25)
        _hang(canvas, corner, along, up, lights[2 + index], rng)
    canvas.depth[:] = np.where(canvas.depth > 1000, max(deep * 1.5, 15.0), canvas.depth)
    dark = canvas.colour.sum(-1) == 0
    canvas.colour[dark] = pale
    for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.6, 0.2, 0.1, 0.1]))):  # columns
        x, z = rng.uniform(left, right), rng.uniform(3, max(deep, 3.5))
        thick = rng.uniform(0.25, 0.7)
        paint_box(
            canvas,
            (x, 0, z),
            (x + thick, high, z + thick),
            wall,
            rng.uniform(0.7, 1.1, 3),
        )
    lamp = texture(np.full((SIDE, SIDE, 3), 250, np.uint8), 1, 1)
    if rng.random() < 0.5:
        step, wide = rng.uniform(1.5, 4), rng.uniform(0.1, 1.2)
        for z in np.arange(1.0, deep, step):
            for x in np.arange(left + 0.8, right - wide, step * rng.uniform(1, 1.5)):
                canvas.rectangle(
                    (x, high - 0.02, z),
                    (wide, 0, 0),
                    (0, 0, rng.uniform(0.3, 1.2)),
                    lamp,
                )
    if rng.random() < 0.5:
        wet_ground(canvas, Ground(5, 1, rise_at=1e6), rng.uniform(0.15, 0.6), rng)
    for _ in range(
        int(rng.choice([0, 1, 3, 6], p=[0.3, 0.25, 0.25, 0.2]))
    ):  # furniture
        x, z = rng.uniform(left, right), rng.uniform(1.8, max(deep - 0.5, 2.5))
        size = np.array(
            [rng.uniform(0.3, 2.2), rng.uniform(0.3, 1.9), rng.uniform(0.3, 1.2)]
        )
        material = surface(
            str(rng.choice(["plain", "planks", "noise"])), int(rng.integers(24))
        )
        canvas.shade(
            x + size[0] / 2, z + size[2] / 2, (size[0] * 0.7, size[2] * 0.7), 0.5
        )
        paint_box(
            canvas,
            (x, 0, z),
            np.array([x, 0, z]) + size,
            material,
            rng.uniform(0.5, 1.2, 3),
        )
    crowd = int(rng.choice([0, 1, 3, 6], p=[0.4, 0.25, 0.2, 0.15]))
    for z in sorted(rng.uniform(2.2, max(deep - 0.3, 2.6), crowd), reverse=True):
        x = rng.uniform(left + 0.3, right - 0.3)
        if rng.random() < 0.6:
            sprite = plant("person", int(rng.integers(48)))
        else:
            sprite = cutout("thing", int(rng.integers(96)))
        canvas.shade(x, z, (0.4, 0.3), 0.5)
        canvas.stand(sprite, x, z, 0.0, rng.uniform(0.7, 1.1))
    return canvas
