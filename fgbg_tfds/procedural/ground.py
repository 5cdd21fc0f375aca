"""The ground of a street: carriageway, marks, kerbs, pavements, shadows."""

from __future__ import annotations

import dataclasses

import numpy as np

from fgbg_tfds.procedural.canvas import Canvas
from fgbg_tfds.procedural.textures import Texture, surface
from fgbg_tfds.procedural.weather import Weather


@dataclasses.dataclass(frozen=True)
class Ground:
    """The course of a street.

    Attributes:
      road: Half the carriageway's width, metres.
      pavement: Width of a pavement, metres.
      curve: Bend, 1/metres.
      rise_at: Start of the slope, metres ahead.
      rise: The slope.
      shift: Distance of the camera to the right of the middle, metres.
    """

    road: float
    pavement: float
    curve: float = 0.0
    rise_at: float = 20.0
    rise: float = 0.0
    shift: float = 0.0

    def middle(self, z):
        """Computes x of the street's middle at z."""
        return self.curve * np.square(np.maximum(z, 0)) / 2 - self.shift

    def height(self, z):
        """Computes the height of the ground at z."""
        return self.rise * np.maximum(np.asarray(z) - self.rise_at, 0)


def draw_ground(rng: np.random.Generator, handsome: bool = False) -> Ground:
    """Draws a street's course: narrow or wide, straight or bent, flat or not."""
    road = rng.uniform(2.4, 7.0) if rng.random() < 0.85 else rng.uniform(7, 12)
    pavement = rng.uniform(1.2, 4.0)
    if rng.random() < 0.2 and not handsome:  # an alley
        road, pavement = rng.uniform(0.8, 2.6), rng.uniform(0.1, 1.0)
    if handsome:
        road = rng.uniform(3.0, 5.0)
    bent, steep = rng.random() < 0.35, rng.random() < (0.15 if handsome else 0.25)
    off = road * (0.25 if handsome else 0.7)
    return Ground(
        road,
        pavement,
        rng.normal(0, 0.004) if bent else 0.0,
        rng.uniform(8, 45),
        rng.uniform(-0.06, 0.09 if handsome else 0.16) if steep else 0.0,
        rng.uniform(-off, off),
    )


def _paint_marks(a, z, ground: Ground, rng) -> np.ndarray:
    """Computes the coverage of points [n] by road paint, for lateral place a."""
    wide = rng.uniform(0.1, 0.18)
    half = wide / 2
    painted = np.zeros(a.shape, bool)
    dash, gap = rng.uniform(1.5, 4), rng.uniform(1.5, 6)
    style = rng.random()
    if style < 0.45:
        painted |= (np.abs(a) < half) & (np.mod(z, dash + gap) < dash)
    elif style < 0.6:
        painted |= np.abs(np.abs(a) - 0.15) < half
    if ground.road > 5:
        lane = np.abs(np.abs(a) - ground.road / 2) < half
        painted |= lane & (np.mod(z, dash + gap) < dash)
    if rng.random() < 0.4:
        painted |= np.abs(np.abs(a) - (ground.road - rng.uniform(0.25, 0.5))) < half
    if rng.random() < 0.2:  # parking bays
        bay = np.abs(np.abs(a) - (ground.road - 2.1)) < half
        bay |= (np.abs(a) > ground.road - 2.1) & (np.mod(z, 5.5) < wide)
        painted |= bay & (np.abs(a) < ground.road)
    for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.35, 0.15]))):  # crossings
        at, stripe = rng.uniform(4, 40), rng.uniform(0.4, 0.6)
        inside = (z > at) & (z < at + rng.uniform(2.5, 4.5))
        painted |= (
            inside & (np.mod(a, 2 * stripe) < stripe) & (np.abs(a) < ground.road - 0.2)
        )
        stop = (z > at - 1.6) & (z < at - 1.2) & (a > 0) & (a < ground.road)
        painted |= stop if rng.random() < 0.5 else False
    return painted & (np.abs(a) < ground.road)


def _cast_shadow(x, z, a, heights, weather: Weather, edge: float) -> np.ndarray:
    """Computes how far each ground point lies in the shadow of the houses."""
    sun = weather.sun
    side = 1 if sun[0] > 0 else -1  # the sun stands behind this side's houses
    if abs(sun[0]) < 0.05:
        return np.zeros(x.shape)
    reach = (edge - side * a) / abs(sun[0])  # flat way towards the sun to the wall
    at = np.clip((z + reach * sun[2]).astype(int) + 20, 0, heights.shape[1] - 1)
    row = heights[0 if side < 0 else 1][at]
    margin = row - reach * sun[1]
    return np.clip(margin * 1.5 + 0.5, 0, 1)


def paint_ground(
    canvas: Canvas,
    ground: Ground,
    weather: Weather,
    heights: np.ndarray,
    rng: np.random.Generator,
    handsome: bool = False,
) -> None:
    """Draws the ground of a street.

    Args:
      canvas: The picture to draw on.
      ground: The street's course.
      weather: Its light.
      heights: float [2, m], height of the houses left and right, metre by metre
        from 20 metres behind the camera.
      rng: Source of random marks, wear and materials.
      handsome: Whether to keep to the usual: asphalt, slabs, good marks.
    """
    camera = canvas.camera
    rays = camera.rays.reshape(-1, 3)
    down = rays[:, 1]
    flat = np.where(down < -1e-5, -camera.height / np.minimum(down, -1e-5), np.inf)
    flat = np.where(flat * rays[:, 2] <= ground.rise_at, flat, np.inf)
    tilted = down - ground.rise * rays[:, 2]
    level = -(camera.height + ground.rise * ground.rise_at)
    steep = np.where(tilted < -1e-5, level / np.minimum(tilted, -1e-5), np.inf)
    steep = np.where(steep * rays[:, 2] > ground.rise_at, steep, np.inf)
    steep[steep <= 0] = np.inf
    depth = np.minimum(flat, steep)
    seen = np.flatnonzero(depth < 2000)
    depth = depth[seen]
    x, z = depth * rays[seen, 0], depth * rays[seen, 2]
    a = x - ground.middle(z)
    slant = np.sqrt(np.maximum(camera.height / (depth + camera.height), 0.003))
    footprint = depth / min(camera.focal) / slant

    def look(material: Texture) -> np.ndarray:
        return canvas.dress(material).sample(a, z, footprint)

    kinds = ["asphalt", "cobble", "slabs", "noise"]
    odds = [0.82, 0.18, 0, 0] if handsome else [0.6, 0.2, 0.1, 0.1]
    kind = str(rng.choice(kinds, p=odds))
    colour = look(surface(kind, int(rng.integers(24))))
    if handsome:
        colour = colour.mean(-1, keepdims=True) * 0.7 + 0.3 * colour
        colour *= 122 / colour.mean()
    tracks = np.exp(-np.square((np.abs(np.abs(a) - ground.road / 2) - 0.75) / 0.35))
    colour *= (1 - rng.uniform(-0.05, 0.12) * tracks)[:, None]
    for _ in range(int(rng.integers(0, 4))):  # repairs
        at, to = rng.uniform(3, 30), rng.uniform(-1, 1) * ground.road
        patch = (np.abs(z - at) < rng.uniform(0.5, 3)) & (
            np.abs(a - to) < rng.uniform(0.4, 1.2)
        )
        colour[patch] *= rng.uniform(0.72, 1.12)
    for _ in range(int(rng.integers(0, 3))):  # manhole covers
        at, to = rng.uniform(4, 18), rng.uniform(-0.6, 0.6) * ground.road
        away = np.hypot(z - at, a - to)
        colour[away < 0.33] *= 0.62
        colour[(away > 0.30) & (away < 0.34)] *= 0.8
    if rng.random() < (0.9 if handsome else 0.6):
        painted = _paint_marks(a, z, ground, rng)
        wear = rng.uniform(0.65, 0.95) if handsome else rng.uniform(0.3, 0.95)
        paint = (
            np.array([228, 228, 222])
            if rng.random() < 0.85
            else np.array([226, 184, 60])
        )
        colour[painted] += wear * (paint - colour[painted])
    edge = ground.road + ground.pavement
    paving = str(rng.choice(["slabs", "brick", "asphalt", "cobble", "noise"],
                            p=[0.5, 0.15, 0.15, 0.12, 0.08]))  # fmt: skip
    walk = look(surface(paving, int(rng.integers(24))))
    if handsome:
        walk = walk.mean(-1, keepdims=True) * 0.6 + 0.4 * walk
        walk *= 150 / walk.mean()
    beside = np.abs(a) > ground.road
    colour[beside] = walk[beside]
    green = np.abs(a) > edge + rng.uniform(0.0, 1.0)
    if rng.random() < 0.5:
        colour[green] = look(surface("leaves", int(rng.integers(12))))[green]
    kerb = (np.abs(a) > ground.road) & (np.abs(a) < ground.road + 0.16)
    colour[kerb] = 0.35 * colour[kerb] + 0.65 * rng.uniform(110, 190)
    gutter = np.abs(np.abs(a) - ground.road + 0.12) < 0.12
    colour[gutter] *= 0.72
    near_wall = np.exp(-np.maximum(edge - np.abs(a), 0) / 0.6)
    colour *= (1 - 0.35 * near_wall)[:, None]
    if weather.kind in ("clear", "cloudy", "golden"):
        dark = _cast_shadow(x, z, a, heights, weather, edge)[:, None]
        lit = weather.light(np.array([0.0, 1.0, 0.0]))
        colour *= lit * (1 - dark) + weather.shadow * dark
    else:
        colour *= weather.light(np.array([0.0, 1.0, 0.0]))
    flatten = canvas.colour.reshape(-1, 3)
    flatten[seen] = np.clip(colour, 0, 255)
    canvas.depth.reshape(-1)[seen] = depth


def wet_ground(canvas: Canvas, ground: Ground, part: float, rng) -> None:
    """Reflects the things on the flat ground in it, as after rain."""
    size = canvas.camera.size
    horizon = canvas.camera.horizon * size
    rows = np.arange(size)
    ahead = canvas.camera.rays[..., 2] * canvas.depth
    height = canvas.camera.height + canvas.depth * canvas.camera.rays[..., 1]
    on = (np.abs(height) < 0.02) & (ahead < ground.rise_at)
    mirror = np.clip(np.round(2 * horizon - rows), 0, size - 1).astype(int)
    image = canvas.colour[mirror]
    step = max(1, size // 50)
    image = (image + np.roll(image, step, 0) + np.roll(image, -step, 0)) / 3
    grazing = np.clip(1 - (rows - horizon) / (0.6 * size), 0, 1)[:, None]
    blend = (on * part * grazing**1.5)[..., None]
    canvas.colour += (image - canvas.colour) * blend
