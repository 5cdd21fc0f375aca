"""Open roads: long and flat, between verges, hedges, trees, rails and fields."""

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
from fgbg_tfds.procedural.textures import muted, surface
from fgbg_tfds.procedural.weather import Weather, add_haze, draw_weather, paint_sky

_BEGIN, _END = -14.0, 140.0  # metres ahead between which the sides are drawn
_SIDES = {
    "trees": 0.29,
    "hedge": 0.17,
    "forest": 0.21,
    "wall": 0.1,
    "houses": 0.13,
    "field": 0.1,
}


def _draw_course(rng: np.random.Generator) -> Ground:
    bent, steep = rng.random() < 0.4, rng.random() < 0.2
    road = rng.uniform(2.6, 9.0)
    return Ground(
        road,
        rng.uniform(0.3, 3.5),
        rng.normal(0, 0.003) if bent else 0.0,
        rng.uniform(20, 70),
        rng.uniform(-0.04, 0.07) if steep else 0.0,
        rng.uniform(-0.7, 0.7) * road,
    )


def _build_along(canvas, ground: Ground, side, away, material, high, tone) -> None:
    """Builds a strip that follows the road, `away` metres from its edge."""
    ends = np.arange(_BEGIN, _END, 9.0)
    x = ground.middle(ends) + side * (ground.road + away)
    base = ground.height(ends)
    for index in range(len(ends) - 1):
        corner = np.array([x[index], base[index] - 0.02, ends[index]])
        along = np.array([x[index + 1] - x[index], base[index + 1] - base[index], 9.0])
        canvas.draw_rectangle(
            corner, along, (0.0, high, 0.0), material, tone, contact=0.3
        )


def _list_plants(ground: Ground, side, kind: str, rng) -> list[tuple]:
    """Lists (z, x, cut-out) of the plants along one side."""
    rows = {"trees": (1, (5, 14)), "forest": (3, (1.8, 4.5)), "hedge": (1, (0.8, 2))}
    count, (least, most) = rows[kind]
    spacing, listed = rng.uniform(least, most), []
    away = rng.uniform(0.8, 7.0) if kind != "forest" else rng.uniform(2.0, 10.0)
    crop = int(rng.integers(48))
    grown = np.exp(rng.normal(0, 0.25))
    for row in range(count):
        z = rng.uniform(_BEGIN, _BEGIN + spacing)
        while z < (90 if kind == "forest" else 110):
            seed = (crop if rng.random() < 0.5 else int(rng.integers(48))) % 48
            sprite = plant("bush" if kind == "hedge" else "tree", seed)
            high = sprite.height * grown * np.exp(rng.normal(0, 0.15))
            x = side * (ground.road + away + row * rng.uniform(2.0, 5.0))
            listed.append((z, x + rng.normal(0, 0.3), sprite.resize(high)))
            z += spacing * rng.uniform(0.7, 1.4) * (1 + max(z, 0) / 60)
    return listed


def _paint_side(canvas, ground: Ground, side, weather: Weather, rng) -> list[tuple]:
    """Paints one side of the road; returns its plants, still to be painted."""
    kind = str(rng.choice(list(_SIDES), p=list(_SIDES.values())))
    tone = weather.light(np.array([-side, 0.0, 0.0]))
    plants = []
    if kind == "hedge":
        high, away = rng.uniform(0.6, 3.0), rng.uniform(0.8, 6.0)
        leaves = surface("leaves", int(rng.integers(12)))
        _build_along(canvas, ground, side, away, leaves, high, tone)
        if rng.random() < 0.6:
            plants += _list_plants(ground, side, "trees", rng)
    elif kind == "wall":
        name = str(rng.choice(["brick", "planks", "slabs", "plain"]))
        wall = surface(name, int(rng.integers(24)))
        away, high = rng.uniform(0.6, 5.0), rng.uniform(0.9, 5.0)
        _build_along(canvas, ground, side, away, wall, high, tone)
    elif kind == "houses":
        z = _BEGIN + rng.uniform(0, 10)
        away = rng.uniform(4, 22)
        while z < _END:
            house = facade(int(rng.integers(96)))
            x = float(ground.middle(z)) + side * (ground.road + away)
            low = np.array([min(x, x + side * 10.0), 0.0, z])
            size = np.array([10.0, min(house.height, 11.0), house.width])
            light = weather.light(np.array([0.0, 0.0, -1.0]))
            paint_box(canvas, low, low + size, house.front, (light, tone, light))
            z += house.width + rng.uniform(2, 25)
    if kind in ("trees", "forest"):
        plants += _list_plants(ground, side, kind, rng)
    if kind == "forest":
        leaves = surface("leaves", int(rng.integers(12)))
        dark = tone * rng.uniform(0.35, 0.8)
        away, high = rng.uniform(9, 20), rng.uniform(5, 14)
        _build_along(canvas, ground, side, away, leaves, high, dark)
    elif rng.random() < 0.35:
        plants += _list_plants(ground, side, "hedge", rng)[:: int(rng.integers(1, 6))]
    if rng.random() < 0.2:  # a guard rail
        steel = surface("plain", int(rng.integers(24)))
        away, high = rng.uniform(0.3, 0.8), rng.uniform(0.5, 0.9)
        _build_along(canvas, ground, side, away, steel, high, tone)
    return plants


def _bridge_road(canvas, ground: Ground, weather: Weather, rng) -> None:
    """Builds a bridge or a gantry across the road, or one along it overhead."""
    concrete = surface(str(rng.choice(["plain", "slabs"])), int(rng.integers(24)))
    z, under = float(np.exp(rng.uniform(1.6, 4.2))), rng.uniform(4.5, 8.0)
    deep, thick = rng.uniform(0.5, 25.0), rng.uniform(0.5, 2.2)
    left = float(ground.middle(z)) - rng.uniform(12, 40)
    wide = rng.uniform(24, 80)
    shade = weather.light(np.array([0.0, -1.0, 0.0])) * 0.75
    front = weather.light(np.array([0.0, 0.0, -1.0]))
    canvas.draw_rectangle(
        (left, under, z), (wide, 0, 0), (0, thick, 0), concrete, front
    )
    canvas.draw_rectangle((left, under, z), (wide, 0, 0), (0, 0, deep), concrete, shade)
    for side in (-1, 1):
        x = float(ground.middle(z)) + side * (ground.road + rng.uniform(0.6, 2.5))
        low = (x, 0.0, z + 0.2 * deep)
        high = (x + rng.uniform(0.5, 1.5), under, z + 0.2 * deep + rng.uniform(0.5, 2))
        paint_box(canvas, low, high, concrete, (front, front, shade))


def _paint_distance(canvas: Canvas, weather: Weather, rng) -> None:
    """Closes the view with woods, hills or roofs, or leaves it open."""
    if rng.random() < 0.2:
        return
    z = float(np.exp(rng.uniform(np.log(70), np.log(400))))
    high = z * rng.uniform(0.01, 0.09)
    name = str(rng.choice(["leaves", "noise"], p=[0.75, 0.25]))
    material = surface(name, int(rng.integers(12))).enlarge(z / 30)
    tone = weather.light(np.array([0.0, 0.0, -1.0])) * rng.uniform(0.4, 1.0)
    x = -3.0 * z
    while x < 3.0 * z:
        wide = z * rng.uniform(0.1, 0.8)
        rise = high * rng.uniform(0.4, 1.3)
        canvas.draw_rectangle((x, 0, z), (wide, 0, 0), (0, rise, 0), material, tone)
        x += wide


def _list_traffic(ground: Ground, rng: np.random.Generator) -> list[tuple]:
    """Lists (z, x, heading) of the cars on the road, from near to very far."""
    cars = []
    count = int(rng.choice([0, 1, 3, 6, 12], p=[0.15, 0.25, 0.3, 0.2, 0.1]))
    lanes = max(1, round(ground.road / 3.2))
    for _ in range(count):
        side = rng.choice([-1, 1])
        lane = side * ground.road * (rng.integers(lanes) + 0.5) / lanes
        z = float(np.exp(rng.uniform(np.log(5.5), np.log(110))))
        cars.append((z, lane + rng.normal(0, 0.2), 0.0 if side > 0 else np.pi))
    if rng.random() < 0.25:  # parked
        side, z = rng.choice([-1, 1]), rng.uniform(2, 20)
        while z < 60:
            if rng.random() < 0.7:
                cars.append((z, side * (ground.road + 0.9), 0.0))
            z += rng.uniform(5.2, 8)
    return cars


def _list_posts(ground: Ground, rng: np.random.Generator) -> list[tuple]:
    """Lists (z, x, cut-out) of posts, signs and walkers beside the road."""
    listed = []
    spacing, side = rng.uniform(12, 45), rng.choice([-1, 1])
    if rng.random() < 0.55:
        seed, away = int(rng.integers(48)), rng.uniform(0.6, 3.0)
        for z in np.arange(rng.uniform(3, spacing), 100, spacing):
            listed.append((z, side * (ground.road + away), plant("pole", seed)))
    for _ in range(int(rng.choice([0, 1, 4], p=[0.4, 0.3, 0.3]))):
        z, where = np.exp(rng.uniform(1.2, 4.2)), rng.choice([-1, 1])
        kind = str(rng.choice(["pole", "person", "bush"], p=[0.3, 0.5, 0.2]))
        sprite = plant(kind, int(rng.integers(48)))
        listed.append((z, where * (ground.road + rng.uniform(0.3, 4)), sprite))
    return listed


def paint_road(
    camera: Camera, rng: np.random.Generator, dressing: Dressing | None = None
) -> Canvas:
    """Draws an open road as seen from a car, a pole or its verge.

    Args:
      camera: The camera that looks at it.
      rng: Source of random numbers.
      dressing: Pieces of photos that roughen it.

    Returns:
      The picture with its depth.
    """
    canvas = Canvas(camera, dressing)
    weather = draw_weather(rng)
    ground = _draw_course(rng)
    paint_sky(canvas, weather, rng)
    paint_ground(canvas, ground, weather, np.zeros((2, 200)), rng)
    if rng.random() < 0.75:
        _sow_verge(canvas, ground, rng)
    _paint_distance(canvas, weather, rng)
    things = []
    for side in (-1, 1):
        things += _paint_side(canvas, ground, side, weather, rng)
    if rng.random() < 0.15:
        _bridge_road(canvas, ground, weather, rng)
    if rng.random() < 0.12 and camera.horizon > 0:
        wet_ground(canvas, ground, rng.uniform(0.25, 0.6), rng)
    things += _list_posts(ground, rng)
    things += [(z, x, heading) for z, x, heading in _list_traffic(ground, rng)]
    tone = 0.5 * (weather.sunlight + weather.shadow)
    for z, aside, thing in sorted(things, key=lambda thing: -thing[0]):
        x, base = aside + float(ground.middle(z)), float(ground.height(z))
        radius = (0.5, 0.5)
        if isinstance(thing, float):
            seed = int(rng.integers(10_000))
            thing = draw_vehicle_at(seed, x, z, thing, camera, exact=False)
            radius = (1.15, 2.3)
        if abs(base) < 0.01 and z > 0.5:
            canvas.shade_foot(x, z, radius, 0.6)
        canvas.stand_cutout(thing, x, z, base, tone)
    add_haze(canvas, weather)
    return canvas


def _sow_verge(canvas: Canvas, ground: Ground, rng: np.random.Generator) -> None:
    """Colours the ground beside the road as grass, soil or gravel."""
    rays = canvas.camera.rays
    height = canvas.camera.height + canvas.depth * rays[..., 1]
    x, z = canvas.depth * rays[..., 0], canvas.depth * rays[..., 2]
    flat = np.abs(height - ground.height(z)) < 0.02 + 0.01 * np.maximum(z, 0)
    aside = np.abs(x - ground.middle(z))
    beside = flat & (aside > ground.road + rng.uniform(0.0, ground.pavement))
    if not beside.any():
        return
    kind = str(rng.choice(["leaves", "noise", "plain"], p=[0.65, 0.25, 0.1]))
    material = canvas.dress(surface(kind, int(rng.integers(12))))
    slant = np.sqrt(np.maximum(-rays[beside][:, 1], 0.02))
    footprint = canvas.depth[beside] / min(canvas.camera.focal) / slant
    light = canvas.colour[beside].mean() / 128 if rng.random() < 0.5 else 1.0
    colour = material.sample(x[beside], z[beside], footprint)
    if kind == "plain":
        colour = 0.5 * colour + 0.5 * muted(rng)
    canvas.colour[beside] = np.clip(colour * np.clip(light, 0.3, 1.2), 0, 255)
