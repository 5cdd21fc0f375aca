"""Panels on a vehicle's body: glass, lamps, doors, grille, plate."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from fgbg_tfds.procedural.vehicles.bodies import TOPS, Body


@dataclasses.dataclass(frozen=True)
class Panel:
    """A polygon (or line) on the body: points [n, 3], seen along -normal."""

    points: np.ndarray
    normal: np.ndarray
    colour: tuple[float, float, float]
    glass: bool = False
    line: float = 0.0  # metres wide; 0 is a filled polygon


def make_glass(body: Body, kind, rng, dark) -> list[Panel]:
    """Makes windscreen, rear window and side windows."""
    top = np.array(TOPS[kind]).T
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
    panes = {"coupe": 1, "van": 1, "cab": 1, "bus": 6}.get(
        kind, int(rng.integers(2, 4))
    )
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


def make_seams(body: Body, kind, axles, radius, paint) -> list[Panel]:
    """Makes arches, doors, handles, sills and bumpers of both sides."""
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


def make_face(body: Body, rng, front: bool) -> list[Panel]:
    """Makes grille, lamps, plate and bumper of the nose or the tail."""
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
