"""Open places: squares, parks, car parks."""

from __future__ import annotations

import numpy as np

from fgbg_tfds.procedural.boxes import paint_box
from fgbg_tfds.procedural.camera import Camera
from fgbg_tfds.procedural.canvas import Canvas
from fgbg_tfds.procedural.facades import facade
from fgbg_tfds.procedural.ground import Ground, paint_ground, wet_ground
from fgbg_tfds.procedural.plants import plant
from fgbg_tfds.procedural.street import draw_vehicle_at
from fgbg_tfds.procedural.swatches import Dressing
from fgbg_tfds.procedural.textures import surface
from fgbg_tfds.procedural.weather import add_haze, draw_weather, paint_sky


def _draw_backdrop(canvas: Canvas, weather, rng: np.random.Generator) -> None:
    """Draws a row of trees, houses or hills that ends the view."""
    z = float(np.exp(rng.uniform(np.log(18), np.log(110))))
    tone = weather.light(np.array([0.0, 0.0, -1.0]))
    kind = rng.choice(["houses", "trees", "wall", "none"], p=[0.35, 0.35, 0.15, 0.15])
    x, limit = -2.0 * z, 2.0 * z
    if kind == "wall":
        material = surface("brick", int(rng.integers(24)))
        high = rng.uniform(1.5, 5)
        canvas.draw_rectangle((x, 0, z), (4 * z, 0, 0), (0, high, 0), material, tone)
    while x < limit and kind in ("houses", "trees"):
        if kind == "houses":
            house = facade(int(rng.integers(96)))
            wide = (house.width, 0, 0)
            high = (0, house.height, 0)
            jut = rng.uniform(0, 3)
            canvas.draw_rectangle((x, 0, z + jut), wide, high, house.front, tone, 0.3)
            x += house.width + (rng.uniform(0, 10) if rng.random() < 0.3 else 0)
        else:
            sprite = plant("tree", int(rng.integers(48)))
            canvas.stand_cutout(sprite, x, z + rng.uniform(-4, 4), 0.0, tone)
            x += rng.uniform(2, 6)


def paint_open_place(
    camera: Camera, rng: np.random.Generator, dressing: Dressing | None = None
) -> Canvas:
    """Draws a square, a park or a car park."""
    canvas = Canvas(camera, dressing)
    weather = draw_weather(rng)
    paint_sky(canvas, weather, rng)
    bend = rng.normal(0, 0.006)
    ground = Ground(rng.uniform(1.5, 25), rng.uniform(0.5, 6), bend)
    paint_ground(canvas, ground, weather, np.zeros((2, 200)), rng)
    _draw_backdrop(canvas, weather, rng)
    for _ in range(int(rng.integers(0, 4))):
        x, z = rng.uniform(-25, 25), rng.uniform(10, 60)
        low = np.array([x, 0, z])
        if abs(x) > 3:
            size = np.array(
                [rng.uniform(2, 14), rng.uniform(1, 14), rng.uniform(2, 12)]
            )
            house = facade(int(rng.integers(96)))
            lights = [
                weather.light(np.array(n)) for n in np.eye(3)[[2, 0, 1]] * [1, 1, -1]
            ]
            paint_box(canvas, low, low + size, house.wall, lights)
    if rng.random() < 0.15 and camera.horizon > 0:
        wet_ground(canvas, ground, rng.uniform(0.2, 0.6), rng)
    tone = 0.5 * (weather.sunlight + weather.shadow)
    kinds = ["tree", "bush", "pole", "person", "car"]
    odds = rng.dirichlet(np.ones(5))
    places = np.exp(rng.uniform(np.log(3.0), np.log(80), int(rng.integers(3, 22))))
    for z in sorted(places, reverse=True):
        kind = str(rng.choice(kinds, p=odds))
        x = float(rng.uniform(-1, 1) * (2 + 0.8 * z))
        if kind == "car":
            if z < 5:
                continue
            heading = rng.uniform(-np.pi, np.pi)
            sprite = draw_vehicle_at(
                int(rng.integers(40)), x, z, heading, camera, False
            )
        else:
            sprite = plant(kind, int(rng.integers(48)))
        wide = 0.3 * min(sprite.height, 4)
        canvas.shade_foot(x, z, (wide, wide), 0.5)
        canvas.stand_cutout(sprite, x, z, 0.0, tone)
    add_haze(canvas, weather)
    return canvas
