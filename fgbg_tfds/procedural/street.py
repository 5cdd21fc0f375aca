"""Streets: houses on both sides, trees, poles, cars and people between them."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from fgbg_tfds.procedural.camera import Camera
from fgbg_tfds.procedural.canvas import Canvas
from fgbg_tfds.procedural.facades import Facade, draw_facade, facade
from fgbg_tfds.procedural.ground import Ground, draw_ground, paint_ground, wet_ground
from fgbg_tfds.procedural.plants import plant
from fgbg_tfds.procedural.sprite import Sprite
from fgbg_tfds.procedural.swatches import Dressing
from fgbg_tfds.procedural.textures import surface
from fgbg_tfds.procedural.vehicles import design, render
from fgbg_tfds.procedural.weather import Weather, add_haze, draw_weather, paint_sky

_BEHIND = 20  # metres behind the camera at which the rows of houses begin


@functools.lru_cache(maxsize=4800)  # all that `draw_vehicle_at` asks for
def _draw_seeded_vehicle(
    seed: int, azimuth: float, distance: float, height: float, pixels: float
):
    """Draws a vehicle at a rounded angle and distance as a function of its seed."""
    work = design(np.random.default_rng([seed, 0xD817]), fine=False)
    return render(work, azimuth, distance, height, pixels)


def draw_vehicle_at(
    seed: int, x: float, z: float, heading: float, camera: Camera, exact: bool
) -> Sprite:
    """Draws a vehicle as seen at a place in a scene.

    Args:
      seed: Seed of the vehicle.
      x: Metres to the right of the camera.
      z: Metres ahead.
      heading: Radians from 'away from the camera' to the right.
      camera: The camera that looks at it.
      exact: Whether to draw it anew for just this place; if not, angle and
        distance are rounded and drawings are kept.

    Returns:
      The vehicle.
    """
    forward = np.array([np.sin(heading), np.cos(heading)])
    left = np.array([-forward[1], forward[0]])
    toward = -np.array([x, z])
    azimuth = float(np.arctan2(toward @ left, toward @ forward))
    distance = float(max(np.hypot(x, z), 5.0))
    if exact:
        work = design(np.random.default_rng([seed, 0xD817]))
        if distance < 0.5 * work.length + 3:  # The eye would be in the bus.
            work = design(np.random.default_rng([seed, 0xD817]), kind="hatchback")
        pixels = float(np.clip(max(camera.focal) / distance, 6, 120))
        return render(work, azimuth, distance, camera.height, pixels)
    step = np.pi / 15
    azimuth = round(azimuth / step) * step
    distance = min((6.0, 10.0, 18.0, 40.0), key=lambda d: abs(np.log(d / distance)))
    return _draw_seeded_vehicle(
        seed % 40, azimuth, distance, 1.6, 30.0 if distance < 8 else 18.0
    )


def _draw_houses(
    rng, ground: Ground, handsome: bool
) -> list[tuple[int, float, float, Facade]]:
    """Draws rows of (side, z of its front, setback, house)."""
    rows = []
    for side in (-1, 1):
        if not handsome and rng.random() < 0.08:
            continue  # an open side
        z = -float(rng.uniform(4, _BEHIND - 4))
        back = rng.uniform(0, 4) if rng.random() < 0.3 else 0.0
        high = rng.random() < 0.15
        gaps = rng.uniform(0, 0.3)
        while z < 150:
            new = handsome and z < 30  # Farther ones may be met again elsewhere.
            house = draw_facade(rng) if new else facade(int(rng.integers(96)))
            if high and house.height < 14 and rng.random() < 0.7:
                continue
            jut = back + (rng.uniform(0, 1.0) if rng.random() < 0.2 else 0)
            rows.append((side, z, jut, house))
            z += house.width
            if rng.random() < gaps:
                z += rng.uniform(3, 12)
    return rows


def _draw_heights(rows) -> np.ndarray:
    heights = np.zeros((2, 200))
    for side, z, _, house in rows:
        first = round(z) + _BEHIND
        last = round(z + house.width) + _BEHIND
        heights[0 if side < 0 else 1, max(first, 0) : max(last, 0)] = house.height
    return heights


def _paint_houses(
    canvas, rows, ground: Ground, weather: Weather, rng, handsome
) -> None:
    """Paints the houses from near to far, since most hide others."""
    edge = ground.road + ground.pavement
    tower = 0.0 if handsome or rng.random() < 0.75 else rng.uniform(0.3, 0.9)
    for side, z, jut, house in sorted(rows, key=lambda row: row[1]):
        extra = int(rng.integers(1, 4)) if rng.random() < tower else 0
        ends = np.array([z, z + house.width])
        x = ground.middle(ends) + side * (edge + jut)
        base = float(ground.height(ends).min()) - 0.02
        corner = np.array([x[0], base, ends[0]])
        along = np.array([x[1] - x[0], 0.0, house.width])
        up = np.array([0.0, house.height, 0.0])
        tone = weather.light(np.array([-side, 0.0, 0.0]))
        canvas.draw_rectangle(corner, along, up, house.front, tone, contact=0.35)
        for _ in range(extra):  # a tower repeats its floors
            corner = corner + up
            canvas.draw_rectangle(corner, along, up, house.front, tone)
        if ends[0] > 1:
            deep = np.array([side * 12.0, 0.0, 0.0])
            tone = weather.light(np.array([0.0, 0.0, -1.0])) * 0.92
            foot, whole = corner - extra * up, (1 + extra) * up
            canvas.draw_rectangle(foot, deep, whole, house.wall, tone, contact=0.3)
        if rng.random() < 0.4:
            rise = rng.uniform(1.5, 3.5)
            slope = np.array([side * rise * 1.2, rise, 0.0])
            tiles = surface("brick", int(rng.integers(24)))
            tone = weather.light(np.array([-side * 0.6, 0.8, 0.0]))
            eaves = corner + up + np.array([-side * 0.3, -0.1, 0.0])
            canvas.draw_rectangle(eaves, along, slope, tiles, tone * 0.85)


def _close_street(canvas: Canvas, ground: Ground, weather: Weather, rng) -> None:
    """Closes the far end with houses across, or leaves it open."""
    if rng.random() < 0.45:
        return
    z = float(rng.uniform(35, 110))
    base = float(ground.height(z))
    x = float(ground.middle(z)) - rng.uniform(25, 40)
    limit = x + 75
    while x < limit:
        house = facade(int(rng.integers(96)))
        tone = weather.light(np.array([0.0, 0.0, -1.0]))
        canvas.draw_rectangle(
            (x, base, z), (house.width, 0, 0), (0, house.height, 0), house.front, tone
        )
        x += house.width


@dataclasses.dataclass(frozen=True)
class _Thing:
    """A thing that stands in a street.

    Attributes:
      z: Metres ahead.
      aside: Metres to the right of the street's middle.
      sprite: Its picture; None is a vehicle.
      heading: A vehicle's, radians.
      radius: Of its contact shadow, metres; 0 casts none.
      above: Metres that it hangs above the ground.
    """

    z: float
    aside: float
    sprite: Sprite | None = None
    heading: float = 0.0
    radius: float = 0.0
    above: float = 0.0


def _paint_foliage(ground: Ground, rng) -> list[_Thing]:
    """Paints climbers on walls and crowns overhead."""
    hung = []
    edge = ground.road + ground.pavement
    if rng.random() < 0.25:  # climbers
        for _ in range(int(rng.integers(1, 6))):
            sprite = plant("bush", int(rng.integers(48)))
            grown = dataclasses.replace(sprite, height=rng.uniform(1.5, 6))
            x = rng.choice([-1, 1]) * (edge - 0.3)
            above = rng.uniform(0, 4) if rng.random() < 0.5 else 0.0
            z = float(np.exp(rng.uniform(1.2, 3.6)))
            hung.append(_Thing(z, x, grown, above=above))
    if rng.random() < 0.3:  # an avenue under a roof of leaves
        reach = rng.uniform(0.3, 1.0) * (ground.road + 1)
        spacing, bare = rng.uniform(1.0, 3.0), rng.random() < 0.3
        seed = int(rng.integers(48))
        for z in np.arange(rng.uniform(3, 9), 70, spacing):
            kind = "tree" if bare or rng.random() < 0.3 else "bush"
            sprite = plant(kind, (seed + int(rng.integers(3))) % 48)
            grown = dataclasses.replace(sprite, height=rng.uniform(2.5, 6))
            away = rng.choice([-1, 1]) * (ground.road + 1 - rng.random() * reach)
            hung.append(_Thing(z, away, grown, above=rng.uniform(3.0, 8.0)))
    return hung


def _draw_rows(ground: Ground, rng) -> list[_Thing]:
    """Draws trees and poles along the kerbs, parked cars, bushes along the houses."""
    things = []
    for side in (-1, 1):
        kerb = ground.road + 0.5
        spacing = rng.uniform(5, 13)
        row = rng.choice(["tree", "pole", "mixed", "none"], p=[0.35, 0.2, 0.3, 0.15])
        crop = int(rng.integers(100))
        z = rng.uniform(3, 10)
        while z < 95 and row != "none":
            kind = row if row != "mixed" else rng.choice(["tree", "pole"])
            seed = (crop if rng.random() < 0.6 else int(rng.integers(100))) % 48
            z += rng.normal(0, 0.3)
            x = side * (kerb + rng.uniform(0, 0.4))
            things.append(_Thing(z, x, plant(kind, seed), radius=0.5))
            z += spacing
        z, full = rng.uniform(3.5, 12), rng.choice([0.0, 0.35, 0.75], p=[0.4, 0.3, 0.3])
        while z < 85 and ground.road > 2.8:
            if rng.random() < full:
                away = 0.0 if side > 0 else np.pi
                heading = away if rng.random() < 0.85 else np.pi - away
                things.append(_Thing(z, side * (ground.road - 1.05), heading=heading))
            z += rng.uniform(5.4, 7.5)
        if rng.random() < 0.5:
            for _ in range(int(rng.integers(1, 7))):
                z = rng.uniform(3, 40)
                x = side * (ground.road + ground.pavement - rng.uniform(0.4, 0.8))
                bush = plant("bush", int(rng.integers(48)))
                things.append(_Thing(z, x, bush, radius=0.5))
    return things


def _draw_traffic(ground: Ground, rng, handsome: bool) -> list[_Thing]:
    """Draws moving cars and people on foot."""
    things = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.5, 0.25, 0.15, 0.1]))):
        side = rng.choice([-1, 1])
        z = rng.uniform(7 if not handsome else 14, 60)
        heading = 0.0 if side > 0 else np.pi
        things.append(_Thing(z, side * ground.road * 0.4, heading=heading))
    for _ in range(int(rng.choice([0, 2, 5, 9], p=[0.35, 0.3, 0.2, 0.15]))):
        x = rng.choice([-1, 1]) * (ground.road + rng.uniform(0.3, 1) * ground.pavement)
        if rng.random() < 0.15:
            x = rng.uniform(-1, 1) * ground.road
        sprite = plant("person", int(rng.integers(48)))
        things.append(
            _Thing(float(np.exp(rng.uniform(1.4, 4.2))), x, sprite, radius=0.35)
        )
    return things


def _furnish(canvas: Canvas, ground: Ground, weather: Weather, rng, handsome) -> None:
    """Places trees, poles, cars, plants and people in the street."""
    things = _draw_rows(ground, rng)
    if not handsome:
        things += _paint_foliage(ground, rng)
    things += _draw_traffic(ground, rng, handsome)
    tone = 0.5 * (weather.sunlight + weather.shadow)
    for thing in sorted(things, key=lambda thing: -thing.z):
        x = thing.aside + float(ground.middle(thing.z))
        base = float(ground.height(thing.z))
        sprite, radius = thing.sprite, (thing.radius, thing.radius)
        if sprite is None:
            seed = int(rng.integers(10_000))
            sprite = draw_vehicle_at(
                seed, x, thing.z, thing.heading, canvas.camera, exact=handsome
            )
            radius = (1.15, 2.3)
        if abs(base) < 0.01 and radius[0]:
            canvas.shade_foot(x, thing.z, radius, 0.6)
        canvas.stand_cutout(sprite, x, thing.z, base + thing.above, tone)


def paint_street(
    camera: Camera,
    rng: np.random.Generator,
    handsome: bool = False,
    dressing: Dressing | None = None,
) -> Canvas:
    """Draws a street.

    Args:
      camera: The camera that looks at it.
      rng: Source of random numbers.
      handsome: Whether near houses and all cars are drawn anew, and the odd is
        left out.
      dressing: Pieces of photos that roughen it.

    Returns:
      The picture with its depth.
    """
    canvas = Canvas(camera, dressing)
    weather = draw_weather(rng, handsome)
    ground = draw_ground(rng, handsome)
    rows = _draw_houses(rng, ground, handsome)
    paint_sky(canvas, weather, rng)
    paint_ground(canvas, ground, weather, _draw_heights(rows), rng, handsome)
    _paint_houses(canvas, rows, ground, weather, rng, handsome)
    _close_street(canvas, ground, weather, rng)
    if rng.random() < 0.15 and camera.horizon > 0:
        wet_ground(canvas, ground, rng.uniform(0.25, 0.6), rng)
    _furnish(canvas, ground, weather, rng, handsome)
    add_haze(canvas, weather)
    return canvas
