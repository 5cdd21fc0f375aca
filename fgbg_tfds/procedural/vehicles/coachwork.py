"""The shapes of vehicles: their kinds, sizes and paints."""

from __future__ import annotations

import dataclasses

import numpy as np

from fgbg_tfds.procedural.vehicles.bodies import TOPS, Body
from fgbg_tfds.procedural.vehicles.panels import (
    Panel,
    make_face,
    make_glass,
    make_seams,
)

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
class Wheel:
    """A wheel: centre [3], radius in metres, +1 on the left side, -1 right."""

    centre: np.ndarray
    radius: float
    side: int


@dataclasses.dataclass(frozen=True)
class Shell:
    """A closed surface: grid [n, m, 3], colour of its cells, panels on it."""

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


def _make_shell(
    body: Body, kind, axles, radius, paint, rng, tail: bool, fine: bool
) -> Shell:
    grid = body.grid(fine)
    cells = (grid.shape[0] - 1, grid.shape[1] - 1)
    colour = np.broadcast_to(np.float64(paint), (*cells, 3)).copy()
    dark = tuple(np.array([34, 40, 48]) + rng.uniform(-8, 14))
    panels = make_seams(body, kind, axles, radius, paint) + make_face(
        body, rng, front=True
    )
    if tail:
        panels += make_face(body, rng, front=False)
    panels += make_glass(body, kind, rng, dark)
    part = np.linspace(0.02, 0.98, 20)
    sill = body.point(part, body.bottom(part) + 0.02)
    underside = np.concatenate([sill, sill[::-1] * [1, -1, 1]])
    return Shell(grid, colour, tuple(panels), underside)


def _make_box(front, length, width, low, high, paint) -> Shell:
    """Makes the body of a truck: a box with rounded-off colour and a dark frame."""
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
      rng: Draws its shape and paint.
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
        cab = Body(TOPS["cab"], 2.2, width, height, clearance, length / 2)
        shells = [
            _make_shell(cab, "cab", (0.42,), radius, paint, rng, tail=False, fine=fine)
        ]
        load = np.clip(rng.normal([205, 205, 200], 25), 30, 245)
        high = height * rng.uniform(1.0, 1.25)
        shells.append(
            _make_box(length / 2 - 2.3, length - 2.3, width * 1.04, 0.75, high, load)
        )
    else:
        body = Body(TOPS[kind], length, width, height, clearance, length / 2)
        shells = [
            _make_shell(body, kind, axles, radius, paint, rng, tail=True, fine=fine)
        ]
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
