"""The shapes of vehicles: bodies lofted along their length, windows, lamps."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

# Height profiles: (part of the length from the front, part of the height).
_TOPS = {
    "saloon": [
        (0, 0.40), (0.015, 0.47), (0.06, 0.52), (0.27, 0.63), (0.43, 0.965),
        (0.52, 1.0), (0.63, 0.99), (0.72, 0.94), (0.88, 0.69), (0.97, 0.66), (1, 0.5),
    ],
    "hatchback": [
        (0, 0.40), (0.02, 0.48), (0.07, 0.53), (0.26, 0.63), (0.43, 0.965),
        (0.55, 1.0), (0.75, 0.98), (0.86, 0.93), (0.965, 0.64), (0.985, 0.6), (1, 0.45),
    ],
    "estate": [
        (0, 0.42), (0.015, 0.50), (0.06, 0.55), (0.24, 0.64), (0.38, 0.96),
        (0.5, 1.0), (0.8, 0.99), (0.92, 0.95), (0.98, 0.66), (0.99, 0.6), (1, 0.45),
    ],
    "offroad": [
        (0, 0.42), (0.012, 0.53), (0.05, 0.58), (0.25, 0.63), (0.35, 0.96),
        (0.45, 1.0), (0.85, 1.0), (0.95, 0.96), (0.985, 0.64), (0.99, 0.55), (1, 0.4),
    ],
    "coupe": [
        (0, 0.36), (0.02, 0.44), (0.08, 0.50), (0.34, 0.64), (0.50, 0.97),
        (0.57, 1.0), (0.65, 0.98), (0.88, 0.74), (0.97, 0.70), (0.985, 0.68), (1, 0.5),
    ],
    "pickup": [
        (0, 0.42), (0.012, 0.54), (0.05, 0.58), (0.24, 0.62), (0.34, 0.97),
        (0.42, 1.0), (0.52, 1.0), (0.57, 0.97), (0.60, 0.60), (0.99, 0.60), (1, 0.42),
    ],
    "van": [
        (0, 0.28), (0.012, 0.37), (0.05, 0.42), (0.14, 0.50), (0.27, 0.93),
        (0.35, 0.99), (0.6, 1.0), (0.9, 1.0), (0.985, 0.98), (0.995, 0.9), (1, 0.3),
    ],
    "bus": [
        (0, 0.2), (0.004, 0.3), (0.008, 0.40), (0.012, 0.45), (0.03, 0.93),
        (0.05, 0.99), (0.5, 1.0), (0.9, 1.0), (0.99, 0.98), (0.996, 0.9), (1, 0.2),
    ],
    "cab": [
        (0, 0.25), (0.02, 0.38), (0.04, 0.42), (0.10, 0.47), (0.32, 0.94),
        (0.42, 1.0), (0.6, 1.0), (0.85, 1.0), (0.985, 0.98), (0.993, 0.9), (1, 0.3),
    ],
}  # fmt: skip
# kind: (length, width, height, wheel radius, axles as parts of the length)
_SIZES = {
    "saloon": (4.6, 1.82, 1.45, 0.33, (0.185, 0.80)),
    "hatchback": (4.0, 1.75, 1.48, 0.31, (0.18, 0.82)),
    "estate": (4.7, 1.83, 1.50, 0.33, (0.185, 0.80)),
    "offroad": (4.6, 1.90, 1.75, 0.38, (0.18, 0.80)),
    "coupe": (4.4, 1.84, 1.30, 0.34, (0.19, 0.80)),
    "pickup": (5.2, 1.90, 1.80, 0.39, (0.17, 0.79)),
    "van": (5.2, 1.98, 2.2, 0.35, (0.17, 0.80)),
    "bus": (10.5, 2.5, 3.0, 0.48, (0.22, 0.74)),
    "truck": (7.0, 2.3, 2.5, 0.45, (0.13, 0.78)),
}
_PAINTS = [
    (176, 28, 32), (196, 44, 36), (28, 62, 140), (34, 98, 170), (96, 150, 196),
    (206, 208, 212), (228, 228, 226), (150, 154, 160), (88, 92, 98), (38, 40, 44),
    (24, 26, 30), (30, 92, 60), (82, 130, 62), (222, 176, 34), (224, 112, 30),
    (108, 34, 46), (196, 180, 150), (52, 120, 126), (120, 80, 56), (236, 236, 240),
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Panel:
    """A polygon (or line) on the body: points [n, 3], seen along -normal."""

    points: np.ndarray
    normal: np.ndarray
    colour: tuple[float, float, float]
    glass: bool = False
    line: float = 0.0  # metres wide; 0 is a filled polygon


@dataclasses.dataclass(frozen=True)
class Wheel:
    """A wheel: centre [3], radius in metres, +1 on the left side, -1 right."""

    centre: np.ndarray
    radius: float
    side: int


@dataclasses.dataclass(frozen=True)
class Shell:
    """A closed surface: grid [n, m, 3], colour of its cells, what lies on it."""

    grid: np.ndarray
    colour: np.ndarray
    panels: tuple[Panel, ...]
    underside: np.ndarray | None


@dataclasses.dataclass(frozen=True)
class Coachwork:
    """A vehicle in metres: x forward from its middle, y left, z up."""

    kind: str
    length: float
    width: float
    shells: tuple[Shell, ...]
    wheels: tuple[Wheel, ...]
    rim: np.ndarray


class _Body:
    """A lofted body: where its surface lies for a place along its length."""

    def __init__(self, top, length, width, height, clearance, front):
        self.length, self.width, self.height = length, width, height
        self.front = front  # x of the nose
        at, up = np.array(top).T
        fine = np.linspace(0, 1, 401)
        smooth = np.interp(fine, at, up)
        kernel = np.hanning(15)
        padded = np.pad(smooth, 7, mode="edge")
        smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
        self._at, self._top = fine, smooth * height
        shoulder = up[2:4].mean() if len(up) > 3 else 0.6
        belt = [(0, up[1]), (0.06, up[2]), (0.3, max(shoulder + 0.02, up[3] - 0.03))]
        belt += [(0.9, max(up[3], 0.3) + 0.01), (1, max(up[-1], 0.3))]
        self._belt = np.array(belt).T
        self.clearance = clearance

    def top(self, part):
        return np.interp(part, self._at, self._top)

    def belt(self, part):
        level = np.interp(part, *self._belt) * self.height
        return np.minimum(level, self.top(part))

    def bottom(self, part):
        ends = np.clip(np.abs(2 * part - 1) - 0.86, 0, 1) / 0.14
        return self.clearance + 0.10 * ends**2

    def half(self, part):
        ends = np.abs(2 * np.asarray(part) - 1)
        round_off = 0.05 * ends**4 + 0.10 * np.clip((ends - 0.93) / 0.07, 0, 1) ** 2
        return self.width / 2 * (1 - round_off)

    def x(self, part):
        return self.front - np.asarray(part) * self.length

    def side(self, part, z):
        """Y of the left surface at height z."""
        belt, low = self.belt(part), self.bottom(part)
        level = np.clip((z - low) / np.maximum(belt - low, 0.05), 0, 1)
        bulge = 0.94 + 0.06 * np.sin(np.pi * np.clip(level * 0.9 + 0.08, 0, 1))
        lean = np.clip((z - belt) / np.maximum(self.height - belt, 0.1), 0, 1)
        tumble = 0.25 if self.height < 1.95 else 0.08
        return self.half(part) * bulge * (1 - tumble * lean)

    def point(self, part, z, sign=1.0):
        part, z = np.broadcast_arrays(np.float64(part), np.float64(z))
        return np.stack([self.x(part), sign * self.side(part, z), z], -1)

    def over(self, part, across):
        """Points on bonnet, glass and roof; across in -1 .. 1."""
        part, across = np.broadcast_arrays(np.float64(part), np.float64(across))
        top = self.top(part)
        edge = self.side(part, top)
        crown = 0.03 * (1 - across**2)
        return np.stack([self.x(part), across * edge, top + crown], -1)

    def grid(self, fine: bool) -> np.ndarray:
        """The whole surface, [stations, around, 3], from right sill to left."""
        stations, low, high, over = (52, 9, 7, 9) if fine else (26, 6, 4, 5)
        ends = np.array([0, 0.003, 0.008, 0.016, 0.028])
        part = np.concatenate(
            [ends, np.linspace(0.045, 0.955, stations), 1 - ends[::-1]]
        )
        bottom, belt, top = self.bottom(part), self.belt(part), self.top(part)
        rows = [bottom + (belt - bottom) * t for t in np.linspace(0, 1, low)]
        rows += [belt + (top - belt) * t for t in np.linspace(0, 1, high)[1:]]
        left = [self.point(part, z) for z in rows]
        roof = [self.over(part, a) for a in np.linspace(1, -1, over)[1:-1]]
        right = [self.point(part, z, -1.0) for z in rows[::-1]]
        around = np.stack(left + roof + right, 1)
        low = around[:1].copy()  # the flat ends of nose and tail
        low[..., 1] = 0
        low[..., 2] = np.minimum(around[:1, :, 2], 0.3 * self.height)
        tail = around[-1:].copy()
        tail[..., 1] = 0
        tail[..., 2] = np.minimum(around[-1:, :, 2], 0.3 * self.height)
        return np.concatenate([low, around, tail])


def _glass(body, kind, rng, dark) -> list[Panel]:
    """Windscreen, rear window and side windows."""
    top = np.array(_TOPS[kind]).T
    cowl, head = top[0][3], top[0][4]
    panels = []
    wide = np.linspace(-0.9, 0.9, 7)

    def sheet(first, last, normal):
        lower = body.over(first, wide)
        upper = body.over(last, wide[::-1] * 0.96)
        panels.append(Panel(np.concatenate([lower, upper]), normal, dark, glass=True))

    slope = np.array([1.0, 0, 0.55]) if kind not in ("bus", "van") else [1.0, 0, 0.15]
    sheet(cowl + 0.012, head - 0.008, np.asarray(slope) / np.linalg.norm(slope))
    if kind in ("saloon", "coupe", "hatchback", "estate", "offroad"):
        back = top[0][7], top[0][8]
        sheet(back[1] - 0.012, back[0] + 0.012, np.array([-0.85, 0, 0.52]))
    rear = {
        "saloon": 0.86, "coupe": 0.84, "hatchback": 0.93, "estate": 0.95,
        "offroad": 0.95, "pickup": 0.575, "van": 0.42, "bus": 0.97, "cab": 0.62,
    }[kind]  # fmt: skip
    panes = {"coupe": 1, "van": 1, "cab": 1, "bus": 6}.get(kind, rng.integers(2, 4))
    lower = 0.035 * body.height
    cuts = np.linspace(cowl + 0.035, rear, panes + 1)
    if kind not in ("bus", "coupe", "van", "cab"):
        cuts[1] = 0.5 + 0.02 * rng.random()
    pillar = 0.012 if kind != "bus" else 0.006
    for sign in (1, -1):
        for first, last in itertools.pairwise(cuts):
            part = np.linspace(first + pillar / 2, last - pillar / 2, 12)
            base = body.belt(part) + lower
            roof = body.top(part) - 0.075 * body.height * (1 if kind != "bus" else 1.9)
            open_ = roof > base + 0.015
            if open_.sum() < 3:
                continue
            part, base, roof = part[open_], base[open_], roof[open_]
            points = np.concatenate(
                [body.point(part, base, sign), body.point(part[::-1], roof[::-1], sign)]
            )
            points[:, 1] += sign * 0.004
            panels.append(
                Panel(points, np.array([0, sign * 0.96, 0.26]), dark, glass=True)
            )
    return panels


def _seams(body, kind, axles, radius, paint) -> list[Panel]:
    """Arches, doors, handles, sills and bumpers of both sides."""
    panels = []
    ink = tuple(0.45 * np.asarray(paint))
    doors = {"bus": (0.06, 0.14, 0.45, 0.55), "van": (0.17, 0.42, 0.62)}.get(
        kind, (0.29, 0.5, 0.71) if kind not in ("coupe", "cab") else (0.33, 0.6)
    )
    turn = np.linspace(-0.15 * np.pi, 1.15 * np.pi, 30)
    for sign in (1, -1):
        normal = np.array([0.0, sign, 0.0])
        part = np.linspace(0.02, 0.98, 30)
        low = body.bottom(part)
        sill = np.concatenate(
            [
                body.point(part, low, sign),
                body.point(part[::-1], low[::-1] + 0.09, sign),
            ]
        )
        panels.append(Panel(sill, normal, (34, 34, 36)))
        for axle in axles:
            around = axle + 1.2 * radius * np.cos(turn) / body.length
            height = radius + 1.2 * radius * np.sin(turn)
            points = body.point(np.clip(around, 0.001, 0.999), height, sign)
            panels.append(Panel(points, normal, (16, 16, 18)))
        for door in doors:
            z = np.linspace(body.bottom(door) + 0.1, body.belt(door), 6)
            points = body.point(door, z, sign)
            panels.append(Panel(points, normal, ink, line=0.018))
            if kind != "bus" and door != doors[0]:
                z = body.belt(door) * 0.9
                points = body.point(door - np.array([0.045, 0.015]), z, sign)
                panels.append(Panel(points, normal, (30, 30, 32), line=0.035))
        if kind != "bus":
            z = body.belt(part[4:-3]) * 0.74
            points = body.point(part[4:-3], z, sign)
            panels.append(Panel(points, normal, ink, line=0.012))
        lamp = body.point(
            np.array([0.012, 0.055, 0.05, 0.014]),
            body.belt(0.03) * np.array([0.80, 0.83, 0.95, 0.92]),
            sign,
        )
        panels.append(Panel(lamp, normal, (232, 232, 222)))
        lamp = body.point(
            np.array([0.992, 0.95, 0.955, 0.99]),
            body.belt(0.95) * np.array([0.76, 0.78, 0.95, 0.95]),
            sign,
        )
        panels.append(Panel(lamp, normal, (170, 18, 22)))
    return panels


def _face(body, rng, front: bool) -> list[Panel]:
    """Grille, lamps, plate and bumper of the nose or the tail."""
    part = 0.004 if front else 0.996
    normal = np.array([1.0 if front else -1.0, 0, 0])
    x = body.x(0.0 if front else 1.0) + normal[0] * 0.01
    half = float(body.half(part)) * 0.95
    high = float(body.belt(0.03 if front else 0.96))
    low = float(body.bottom(part))

    def sheet(left, right, bottom, top, colour, slant=0.0):
        rise = low + (high - low) * np.array([bottom, bottom, top, top])
        y = half * np.array([left, right, right - slant, left + slant])
        return Panel(np.stack([np.full(4, x), y, rise], -1), normal, colour)

    panels = [sheet(-0.96, 0.96, 0.0, 0.2, (40, 40, 42))]
    if front:
        chrome = (196, 198, 202)
        wide = rng.uniform(0.35, 0.6)
        panels += [
            sheet(-wide - 0.03, wide + 0.03, 0.48, 0.84, chrome, 0.03),
            sheet(-wide, wide, 0.51, 0.81, (24, 24, 26), 0.03),
            sheet(-wide, wide, 0.6, 0.63, chrome),
            sheet(-wide, wide, 0.71, 0.74, chrome),
            sheet(-0.55, 0.55, 0.1, 0.3, (22, 22, 24), 0.04),
        ]
    colour, heart = (
        ((216, 220, 222), (250, 250, 240)) if front else ((168, 16, 20), (226, 60, 50))
    )
    for sign in (1, -1):
        panels.append(sheet(sign * 0.62, sign * 0.97, 0.60, 0.86, colour, sign * 0.04))
        panels.append(sheet(sign * 0.70, sign * 0.88, 0.66, 0.80, heart, sign * 0.02))
    panels.append(sheet(-0.28, 0.28, 0.32, 0.46, (232, 232, 226)))
    panels.append(sheet(-0.24, 0.24, 0.36, 0.42, (60, 60, 66)))
    return panels


def _shell(body, kind, axles, radius, paint, rng, tail: bool, fine: bool) -> Shell:
    grid = body.grid(fine)
    cells = (grid.shape[0] - 1, grid.shape[1] - 1)
    colour = np.broadcast_to(np.float64(paint), (*cells, 3)).copy()
    dark = tuple(np.array([34, 40, 48]) + rng.uniform(-8, 14))
    panels = _seams(body, kind, axles, radius, paint) + _face(body, rng, front=True)
    if tail:
        panels += _face(body, rng, front=False)
    panels += _glass(body, kind, rng, dark)
    part = np.linspace(0.02, 0.98, 20)
    sill = body.point(part, body.bottom(part) + 0.02)
    underside = np.concatenate([sill, sill[::-1] * [1, -1, 1]])
    return Shell(grid, colour, tuple(panels), underside)


def _box(front, length, width, low, high, paint) -> Shell:
    """The body of a truck: a box with rounded-off colour and a dark frame."""
    part = np.concatenate([[0, 0], np.linspace(0, 1, 24), [1, 1]])
    x = front - part * length
    y = np.concatenate([np.full(12, 0.5), np.linspace(0.5, -0.5, 8), np.full(12, -0.5)])
    rise = np.concatenate([np.linspace(0, 1, 12), np.ones(8), np.linspace(1, 0, 12)])
    grid = np.stack(
        np.broadcast_arrays(
            x[:, None], y[None] * width, low + rise[None] * (high - low)
        ),
        -1,
    ).copy()
    grid[[0, -1], :, 1] = 0
    grid[[0, -1], :, 2] = np.minimum(grid[[0, -1], :, 2], (low + high) / 2)
    colour = np.broadcast_to(np.float64(paint), (27, 31, 3)).copy()
    panels = []
    for sign in (1, -1):
        for z in (low + 0.05, high - 0.05):
            line = np.array([[front, sign * width / 2, z], [front - length, 0, z]])
            line[1, 1] = sign * width / 2
            ink = tuple(0.6 * np.asarray(paint))
            panels.append(Panel(line, np.array([0.0, sign, 0]), ink, line=0.06))
    half = width / 2
    under = np.array([[front, half], [front - length, half]])
    under = np.concatenate([under, under[::-1] * [1, -1]])
    under = np.column_stack([under, np.full(4, low)])
    return Shell(grid, colour, tuple(panels), under)


def design(
    rng: np.random.Generator, kind: str | None = None, fine: bool = True
) -> Coachwork:
    """Designs a vehicle.

    Args:
      rng: Where its shape and paint come from.
      kind: One of saloon, hatchback, estate, offroad, coupe, pickup, van, bus,
        truck; None draws one.
      fine: Whether its surface is smooth enough to be looked at.

    Returns:
      The vehicle, in metres.
    """
    names = list(_SIZES)
    odds = np.array([0.2, 0.18, 0.12, 0.15, 0.09, 0.06, 0.09, 0.05, 0.06])
    drawn = str(rng.choice(names, p=odds / odds.sum()))
    kind = kind or drawn
    length, width, height, radius, axles = _SIZES[kind]
    length *= rng.uniform(0.93, 1.07)
    width *= rng.uniform(0.96, 1.04)
    height *= rng.uniform(0.95, 1.05)
    radius *= rng.uniform(0.94, 1.06)
    paint = np.array(_PAINTS[rng.integers(len(_PAINTS))]) + rng.normal(0, 6, 3)
    paint = np.clip(paint, 8, 245)
    clearance = 0.55 * radius
    if kind == "truck":
        cab = _Body(_TOPS["cab"], 2.2, width, height, clearance, length / 2)
        shells = [
            _shell(cab, "cab", (0.42,), radius, paint, rng, tail=False, fine=fine)
        ]
        load = np.clip(rng.normal([205, 205, 200], 25), 30, 245)
        high = height * rng.uniform(1.0, 1.25)
        shells.append(
            _box(length / 2 - 2.3, length - 2.3, width * 1.04, 0.75, high, load)
        )
    else:
        body = _Body(_TOPS[kind], length, width, height, clearance, length / 2)
        shells = [_shell(body, kind, axles, radius, paint, rng, tail=True, fine=fine)]
    wheels = tuple(
        Wheel(
            np.array([length * (0.5 - axle), side * (width / 2 - 0.03), radius]),
            radius,
            side,
        )
        for axle in axles
        for side in (1, -1)
    )
    rim = np.full(3, rng.uniform(120, 215))
    return Coachwork(kind, length, width, tuple(shells), wheels, rim)
