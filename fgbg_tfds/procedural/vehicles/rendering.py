"""Pictures of vehicles: a lofted body seen through a pinhole."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from fgbg_tfds.procedural.sprite import Sprite
from fgbg_tfds.procedural.vehicles.coachwork import Coachwork, Panel, Wheel, design

_OVERSAMPLING = 4
_SKY = np.array([205.0, 218.0, 232.0])
_SUN = np.array([-0.35, 0.45, 0.82])  # of the car: forward, left, up


class _Eye:
    """A pinhole that looks at a vehicle standing at the origin."""

    def __init__(self, azimuth: float, distance: float, height: float, pixels: float):
        cos, sin = np.cos(azimuth), np.sin(azimuth)
        self.position = np.array([distance * cos, distance * sin, height])
        self.forward = np.array([-cos, -sin, 0.0])
        self.right = np.array([-sin, cos, 0.0])
        self.focal = pixels * distance  # pixels: of one metre at the vehicle
        self.unit = pixels
        self.middle = np.zeros(2)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Projects points [..., 3] to pixels [..., 2] and depth [...]."""
        offset = points - self.position
        depth = offset @ self.forward
        across = offset @ self.right
        down = -offset[..., 2]
        scale = self.focal / depth
        pixels = np.stack([across * scale, down * scale], -1) + self.middle
        return pixels, depth


def _shade_lacquer(colour: np.ndarray, normal: np.ndarray, eye: np.ndarray):
    """Shades lacquer: diffuse, a reflected sky above a dark horizon, a highlight."""
    diffuse = np.clip(normal @ (_SUN / np.linalg.norm(_SUN)), 0, 1)
    facing = np.clip(np.sum(normal * eye, -1), 0, 1)
    mirrored = 2 * facing[..., None] * normal - eye
    up = mirrored[..., 2]
    sky = np.clip((up + 0.02) * 9, 0, 1) * (0.55 + 0.45 * np.clip(up, 0, 1))
    fresnel = 0.10 + 0.55 * (1 - facing) ** 3
    light = 0.55 + 0.6 * diffuse + 0.14 * np.clip(normal[..., 2], -1, 1)
    glint = np.clip(mirrored @ (_SUN / np.linalg.norm(_SUN)), 0, 1) ** 40
    shaded = colour * light[..., None]
    shaded = shaded * (1 - fresnel[..., None]) + 225 * (fresnel * sky)[..., None]
    return np.clip(shaded + 150 * glint[..., None], 0, 255)


def _compute_normals(corners: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Computes unit normals [n, 3] of quads [n, 4, 3], away from `inside`."""
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    away = np.sum((corners.mean(1) - inside) * normal, -1) < 0
    normal[away] *= -1
    return normal


class _Easel:
    """Colour and depth, drawn polygon by polygon from far to near."""

    def __init__(self, width: int, height: int):
        self.colour = Image.new("RGBA", (width, height), (0, 0, 0, 0))
        self.depth = Image.new("F", (width, height), 0.0)
        self._colour = ImageDraw.Draw(self.colour)
        self._depth = ImageDraw.Draw(self.depth)

    def draw_polygon(self, pixels: np.ndarray, colour, depth: float) -> None:
        outline = [tuple(point) for point in pixels.tolist()]
        ink = (*(int(value) for value in colour), 255)
        self._colour.polygon(outline, fill=ink, outline=ink)
        self._depth.polygon(outline, fill=depth, outline=depth)

    def draw_line(self, pixels: np.ndarray, colour, width: int) -> None:
        ink = (*(int(value) for value in colour), 255)
        self._colour.line([tuple(p) for p in pixels.tolist()], fill=ink, width=width)


def _draw_shell(easel: _Easel, eye: _Eye, grid: np.ndarray, colour: np.ndarray):
    """Draws a grid [n, m, 3] of surface points with the colour of each cell."""
    corners = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], 2)
    corners = corners.reshape(-1, 4, 3)
    heart = (grid[:-1].mean(1) + grid[1:].mean(1)) / 2  # of each slice
    heart[:, 0] += 0.2 * (heart[:, 0].mean() - heart[:, 0])
    normal = _compute_normals(corners, np.repeat(heart, grid.shape[1] - 1, 0))
    toward = eye.position - corners.mean(1)
    toward /= np.linalg.norm(toward, axis=-1, keepdims=True)
    pixels, depth = eye.project(corners)
    seen = np.sum(normal * toward, -1) > -0.15
    shade = _shade_lacquer(colour.reshape(-1, 3), normal, toward)
    middle = depth.mean(1)
    for index in np.argsort(-middle):
        if seen[index]:
            easel.draw_polygon(pixels[index], shade[index], float(middle[index]))


def _draw_panel(easel: _Easel, eye: _Eye, panel: Panel) -> None:
    """Draws a window, lamp or line that lies on the body, if it faces the eye."""
    centre = panel.points.mean(0)
    toward = eye.position - centre
    toward /= np.linalg.norm(toward)
    if panel.normal @ toward < 0.06:
        return
    pixels, depth = eye.project(panel.points)
    if panel.line:
        easel.draw_line(pixels, panel.colour, max(1, round(panel.line * eye.unit)))
        return
    easel.draw_polygon(pixels, panel.colour, float(depth.mean()))
    if panel.glass:  # The sky in it: light above, dark below.
        half = len(pixels) // 2
        lower, upper = pixels[:half], pixels[half:][::-1]
        for step in range(6, 0, -1):
            edge = upper + (lower - upper) * (0.13 * step)
            sky = 0.34 * (1 - step / 8)
            colour = (1 - sky) * np.asarray(panel.colour) + sky * _SKY
            strip = np.concatenate([edge, upper[::-1]])
            easel.draw_polygon(strip, colour, float(depth.mean()))


def _draw_wheel(easel: _Easel, eye: _Eye, wheel: Wheel, rim, tread: bool) -> None:
    """Draws a wheel's tread, which the body may hide, or else its outer face."""
    centre, radius, side = wheel.centre, wheel.radius, wheel.side
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.stack([np.cos(turn), np.zeros_like(turn), np.sin(turn)], -1)
    outer, depth = eye.project(centre + radius * ring)
    middle = float(depth.mean())
    if tread:
        inner = eye.project(centre + radius * ring - [0, side * 0.22, 0])[0]
        for index in range(len(turn)):
            pair = np.array([index - 1, index])
            strip = np.concatenate([inner[pair], outer[pair[::-1]]])
            easel.draw_polygon(strip, (26, 26, 28), middle)
        easel.draw_polygon(inner, (26, 26, 28), middle)
        easel.draw_polygon(outer, (30, 30, 32), middle)
        return
    if (eye.position - centre)[1] * side < 0.3:
        return
    easel.draw_polygon(outer, (38, 38, 40), middle)
    for part, colour in ((0.68, (22, 22, 24)), (0.64, rim), (0.54, rim * 0.62)):
        easel.draw_polygon(
            eye.project(centre + part * radius * ring)[0], colour, middle
        )
    spokes = 5
    for spoke in range(spokes):
        angle = 2 * np.pi * (spoke + 0.25) / spokes
        wide = 0.16
        fan = np.array([angle - wide, angle + wide])
        tip = np.stack([np.cos(fan), np.zeros(2), np.sin(fan)], -1) * 0.62 * radius
        root = tip[::-1] * 0.2
        easel.draw_polygon(
            eye.project(centre + np.concatenate([tip, root]))[0], rim, middle
        )
    easel.draw_polygon(eye.project(centre + 0.16 * radius * ring)[0], rim * 0.8, middle)


def render(
    work: Coachwork, azimuth: float, distance: float, height: float, pixels: float
) -> Sprite:
    """Draws a vehicle as seen from a place.

    Args:
      work: The vehicle.
      azimuth: Direction of the eye in radians from the vehicle's front, turning to
        its left.
      distance: Metres from the vehicle's middle.
      height: Metres of the eye above the ground.
      pixels: Size of a metre at the vehicle's middle, before trimming.

    Returns:
      The vehicle, anti-aliased, with relief relative to its nearest foot point.
    """
    fine = pixels * _OVERSAMPLING
    eye = _Eye(azimuth, distance, height, fine)
    bounds = np.concatenate([shell.grid.reshape(-1, 3) for shell in work.shells])
    bounds = np.concatenate([bounds, bounds * [1, 1, 0]])
    low = eye.project(bounds)[0].min(0) - 3
    high = eye.project(bounds)[0].max(0) + 3
    eye.middle = -low
    size = np.ceil((high - low) / _OVERSAMPLING).astype(int) * _OVERSAMPLING
    easel = _Easel(int(size[0]), int(size[1]))

    wheels = sorted(
        work.wheels, key=lambda wheel: -np.linalg.norm(wheel.centre - eye.position)
    )
    for wheel in wheels:
        _draw_wheel(easel, eye, wheel, work.rim, tread=True)
    away = [shell.grid[..., 0].mean() for shell in work.shells]
    for index in np.argsort([np.cos(azimuth) * place for place in away]):
        shell = work.shells[index]
        if shell.underside is not None:
            outline, depth = eye.project(shell.underside)
            easel.draw_polygon(outline, (18, 18, 20), float(depth.mean()))
        _draw_shell(easel, eye, shell.grid, shell.colour)
        for panel in shell.panels:
            _draw_panel(easel, eye, panel)
    for wheel in wheels:
        _draw_wheel(easel, eye, wheel, work.rim, tread=False)

    small = (int(size[0]) // _OVERSAMPLING, int(size[1]) // _OVERSAMPLING)
    rgba = np.asarray(easel.colour.resize(small, Image.Resampling.BOX))
    opaque = np.asarray(easel.depth, np.float32)
    shape = (small[1], _OVERSAMPLING, small[0], _OVERSAMPLING)
    blocks = opaque.reshape(shape)
    count = (blocks > 0).sum((1, 3))
    depth = blocks.sum((1, 3)) / np.maximum(count, 1)
    rows = np.flatnonzero((rgba[..., 3] > 12).any(1))
    columns = np.flatnonzero((rgba[..., 3] > 12).any(0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    rgba, depth, count = rgba[window], depth[window], count[window]
    feet = np.array([wheel.centre * [1, 1, 0] for wheel in work.wheels])
    foot = float(eye.project(feet)[1].min())
    relief = np.where(count > 0, depth - foot, 0).astype(np.float32)
    rgba = np.ascontiguousarray(rgba)
    return Sprite(rgba, relief, rgba.shape[0] / pixels, distance - foot)


def draw_vehicle(seed: int, size: int = 160) -> np.ndarray:
    """Draws a cut-out vehicle: car, van, truck or bus, from a random side.

    Args:
      seed: Any integer; the same seed gives the same vehicle.
      size: Pixels of the longer side.

    Returns:
      uint8 [h, w, 4], RGBA with anti-aliased alpha, trimmed; max(h, w) == size.
    """
    rng = np.random.default_rng([seed, 0xCA5])
    work = design(rng)
    view = rng.choice(["side", "corner", "end"], p=[0.3, 0.55, 0.15])
    azimuth = {
        "side": np.pi / 2 + rng.normal(0, 0.08),
        "corner": rng.uniform(0.42, 1.05),
        "end": rng.uniform(0.0, 0.15),
    }[view]
    if rng.random() < 0.35:
        azimuth = np.pi - azimuth  # from behind
    azimuth *= rng.choice([-1, 1])
    distance = work.length * rng.uniform(1.9, 2.8) + (4.0 if view == "end" else 0)
    height = rng.uniform(1.1, 2.1)
    sprite = render(work, azimuth, distance, height, 1.25 * size / work.length)
    picture = Image.fromarray(sprite.rgba)
    scale = size / max(picture.size)
    shape = [max(1, round(side * scale)) for side in picture.size]
    return np.asarray(picture.resize(shape, Image.Resampling.LANCZOS))
