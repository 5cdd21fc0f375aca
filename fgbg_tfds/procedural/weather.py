"""Sky, sun and air: the light, and the range of sight."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from fgbg_tfds.procedural.canvas import SKY, Canvas
from fgbg_tfds.procedural.textures import SIDE, fractal


@dataclasses.dataclass(frozen=True)
class Weather:
    """The light of a scene.

    Attributes:
      kind: 'clear', 'cloudy', 'overcast', 'golden', 'fog' or 'night'.
      zenith: float [3], colour of the sky overhead.
      horizon: float [3], colour of the sky at the horizon and of the haze.
      clouds: Part of the sky that clouds cover.
      sun: float [3], unit vector towards the sun.
      sunlight: float [3], factor of colours in the sun.
      shadow: float [3], factor of colours in the shadow.
      sight: Metres at which haze hides two thirds.
    """

    kind: str
    zenith: np.ndarray
    horizon: np.ndarray
    clouds: float
    sun: np.ndarray
    sunlight: np.ndarray
    shadow: np.ndarray
    sight: float

    def light(self, normal: np.ndarray) -> np.ndarray:
        """Computes the factor [3] of the colour of a surface that faces `normal`."""
        part = max(0.0, float(np.dot(normal, self.sun)))
        ambient = self.shadow * (0.92 + 0.08 * normal[1])
        return ambient + (self.sunlight - self.shadow) * min(1.0, 1.25 * part)


# kind: zenith, horizon; factors of colours in sun and shadow; sight in metres
_SKIES = {
    "clear": ((78, 132, 206), (198, 218, 236), 1.12, 0.66, 900),
    "cloudy": ((96, 142, 200), (208, 220, 230), 1.06, 0.72, 700),
    "overcast": ((176, 182, 190), (214, 216, 218), 0.92, 0.83, 450),
    "golden": ((110, 130, 172), (250, 206, 146), 1.08, 0.56, 400),
    "fog": ((196, 198, 200), (214, 214, 214), 0.86, 0.82, 70),
    "night": ((12, 16, 34), (44, 44, 62), 0.41, 0.28, 500),
}
_WARMTH = {"golden": (1.09, 0.95, 0.74), "night": (1.0, 0.97, 0.97)}
_COOLNESS = {"golden": (1.0, 0.97, 1.07), "clear": (0.94, 1.0, 1.11)}


def draw_weather(rng: np.random.Generator, handsome: bool = False) -> Weather:
    """Draws the weather.

    Args:
      rng: Source of random numbers.
      handsome: Whether to leave out the fog and the night.

    Returns:
      The weather.
    """
    odds = [0.29, 0.23, 0.27, 0.13, 0.05, 0.03]
    if handsome:
        odds = [0.38, 0.27, 0.15, 0.20, 0, 0]
    kind = str(rng.choice(list(_SKIES), p=odds))
    zenith, horizon, sunlight, shadow, sight = _SKIES[kind]
    azimuth = rng.uniform(-np.pi, np.pi)
    height = rng.uniform(0.08, 0.3) if kind == "golden" else rng.uniform(0.45, 1.15)
    flat = np.cos(height)
    sun = np.array([flat * np.sin(azimuth), np.sin(height), flat * np.cos(azimuth)])
    cast = 1 + rng.normal(0, 0.02, 3)
    clouds = {"clear": 0.15, "cloudy": 0.5, "overcast": 0.9, "golden": 0.4}.get(
        kind, 0.7
    )
    return Weather(
        kind,
        np.clip(np.array(zenith) * rng.uniform(0.85, 1.1), 0, 255),
        np.clip(np.array(horizon) * rng.uniform(0.92, 1.08) * cast, 0, 255),
        np.clip(clouds + rng.normal(0, 0.12), 0, 1),
        sun,
        sunlight
        * np.array(_WARMTH.get(kind, (1.02, 1.0, 0.97)))
        * rng.uniform(0.92, 1.08),
        shadow
        * np.array(_COOLNESS.get(kind, (0.98, 1.0, 1.03)))
        * rng.uniform(0.85, 1.1),
        sight * np.exp(rng.uniform(-0.5, 0.7)),
    )


@functools.lru_cache(maxsize=16)
def _draw_cloud(seed: int) -> np.ndarray:
    return fractal(np.random.default_rng([seed, 0xC10D]), 2.7)


def paint_sky(canvas: Canvas, weather: Weather, rng: np.random.Generator) -> None:
    """Fills the picture with sky: gradient, clouds, the glow of the sun."""
    rays = canvas.camera.rays
    length = np.linalg.norm(rays, axis=-1)
    up = rays[..., 1] / length
    part = np.clip(up, 0, 1)[..., None] ** 0.55
    colour = weather.horizon * (1 - part) + weather.zenith * part
    noise = _draw_cloud(int(rng.integers(16)))
    rise = np.maximum(up, 0.02)
    scale = rng.uniform(20, 60)
    drift = rng.uniform(0, SIDE, 2)
    u = (rays[..., 0] / length / (rise + 0.12) * scale + drift[0]).astype(int) & (
        SIDE - 1
    )
    v = (rays[..., 2] / length / (rise + 0.12) * scale + drift[1]).astype(int) & (
        SIDE - 1
    )
    density = np.clip(noise[v, u] * 0.8 + 3.2 * weather.clouds - 1.7, 0, 1)
    density = density * np.clip(up * 9, 0, 1) * 0.85
    bright = 0.35 * weather.zenith + 0.65 * np.array([250, 250, 250])
    if weather.kind in ("night", "golden", "overcast"):
        bright = 0.5 * weather.horizon + 0.5 * weather.zenith * 1.1
    dim = bright * 0.78
    body = bright + (dim - bright) * np.clip(noise[v - 6, u] * 0.5, 0, 1)[..., None]
    colour = colour * (1 - density[..., None]) + body * density[..., None]
    toward = np.clip((rays @ weather.sun.astype(np.float32)) / length, 0, 1)
    if weather.kind in ("golden", "clear", "cloudy"):
        glow = 0.5 * toward**10 + 0.9 * toward**300
        colour += glow[..., None] * np.array([120, 100, 66])
    canvas.colour[:] = np.clip(colour, 0, 255)


def add_haze(canvas: Canvas, weather: Weather) -> None:
    """Blends distant things into the horizon; the sky stays."""
    part = 1 - np.exp(-canvas.depth / weather.sight)
    part = np.where(canvas.depth < SKY, part, 0)[..., None]
    canvas.colour += (weather.horizon - canvas.colour) * part
