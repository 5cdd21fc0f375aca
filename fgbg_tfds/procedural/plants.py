"""Trees, bushes and other cut-outs that stand along a street."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from fgbg_tfds.procedural.sprite import Sprite

_FINE = 2  # oversampling


def trim(picture: Image.Image, metres: float, depth: float = 0.0) -> Sprite:
    """Trims an RGBA drawing to its alpha.

    Args:
      picture: The drawing.
      metres: Height of the whole drawing.
      depth: Bulge of its middle towards the eye, metres.

    Returns:
      The cut-out.
    """
    rgba = np.asarray(picture)
    rows = np.flatnonzero((rgba[..., 3] > 12).any(1))
    columns = np.flatnonzero((rgba[..., 3] > 12).any(0))
    kept = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    across = np.linspace(-1, 1, kept.shape[1], dtype=np.float32)
    relief = -depth * np.sqrt(np.maximum(1 - across**2, 0))
    relief = np.broadcast_to(relief, kept.shape[:2]) * (kept[..., 3] > 0)
    height = metres * kept.shape[0] / rgba.shape[0]
    return Sprite(
        np.ascontiguousarray(kept), np.ascontiguousarray(relief, np.float32), height
    )


def _draw_leaves(
    rng: np.random.Generator, canvas: Image.Image, clumps, green: np.ndarray
):
    """Draws clumps (x, y, radius) of leaves, lit from above; later ones in front."""
    draw = ImageDraw.Draw(canvas)
    low = min(y - r for _, y, r in clumps)
    high = max(y + r for _, y, r in clumps)
    for x, y, radius in clumps:
        light = 0.62 + 0.5 * (high - y) / (high - low + 1e-6)
        count = max(12, int(radius * 1.6))
        angle = rng.uniform(0, 2 * np.pi, count)
        away = radius * np.sqrt(rng.random(count))
        sizes = rng.uniform(0.10, 0.26, count) * radius + 1.2
        up = np.sin(angle) * away / radius
        tones = light * (1 - 0.28 * up) + rng.normal(0, 0.10, count)
        for index in np.argsort(tones):
            cx = x + np.cos(angle[index]) * away[index]
            cy = y + np.sin(angle[index]) * away[index] * 0.85
            r = sizes[index]
            ink = tuple(np.clip(green * tones[index], 0, 255).astype(int))
            draw.ellipse((cx - r, cy - r * 0.8, cx + r, cy + r * 0.8), fill=(*ink, 255))


def _draw_branch(draw, rng, x, y, angle, length, width, bark, tips, depth) -> None:
    x1, y1 = x + length * np.cos(angle), y - length * np.sin(angle)
    draw.line((x, y, x1, y1), fill=bark, width=max(1, round(width)))
    if depth == 0 or length < 5:
        tips.append((x1, y1))
        return
    for turn in (-1, 1) if rng.random() < 0.7 else (-1, 0.1, 1):
        bend = angle + turn * rng.uniform(0.22, 0.62)
        _draw_branch(draw, rng, x1, y1, bend, length * rng.uniform(0.62, 0.84),
                width * 0.64, bark, tips, depth - 1)  # fmt: skip


def _choose_green(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.15:
        return np.array(
            [rng.uniform(150, 210), rng.uniform(100, 160), rng.uniform(30, 60)]
        )
    green = rng.uniform(80, 150)
    return green * np.array([rng.uniform(0.45, 0.85), 1.0, rng.uniform(0.3, 0.55)])


def draw_tree(rng: np.random.Generator, bare: bool | None = None) -> Sprite:
    """Draws a tree of 4 to 14 metres, with leaves or bare."""
    side = 192 * _FINE
    wide = round(1.25 * side)
    canvas = Image.new("RGBA", (wide, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    tone = rng.uniform(0.6, 1.2)
    bark = (*tuple(int(c * tone) for c in (88, 72, 58)), 255)
    tips: list[tuple[float, float]] = []
    trunk = side * rng.uniform(0.18, 0.28)
    width = side * rng.uniform(0.02, 0.045)
    upward = np.pi / 2 + rng.normal(0, 0.06)
    _draw_branch(draw, rng, wide / 2, side, upward, trunk, width, bark, tips,
            int(rng.integers(4, 6)))  # fmt: skip
    bare = rng.random() < 0.2 if bare is None else bare
    if not bare:
        radius = side * rng.uniform(0.06, 0.12)
        keep = rng.permutation(len(tips))[:42]
        heart = np.mean(tips, 0)
        clumps = []
        for index in keep:
            x, y = heart + (tips[index] - heart) * rng.uniform(0.25, 1.0)
            clumps.append((x, y, radius * rng.uniform(0.7, 1.25)))
        clumps.sort(key=lambda clump: clump[1])
        _draw_leaves(rng, canvas, clumps, _choose_green(rng))
    small = canvas.resize((wide // _FINE, side // _FINE), Image.Resampling.BOX)
    return trim(small, rng.uniform(5, 13), 0.0)


def draw_bush(rng: np.random.Generator) -> Sprite:
    """Draws a bush, a hedge or a plant in a pot."""
    wide, high = 128 * _FINE, 96 * _FINE
    canvas = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    pot = rng.random() < 0.4
    base = high * (0.72 if pot else 0.95)
    spread = wide * (0.2 if pot else rng.uniform(0.25, 0.42))
    radius = high * rng.uniform(0.1, 0.17)
    clumps = []
    for _ in range(int(rng.integers(10, 24))):
        x = wide / 2 + rng.uniform(-1, 1) * spread
        y = base - radius - rng.random() * high * 0.4
        clumps.append((x, y, radius * rng.uniform(0.7, 1.2)))
    clumps.sort(key=lambda clump: clump[1])
    _draw_leaves(rng, canvas, clumps, _choose_green(rng))
    if pot:
        draw = ImageDraw.Draw(canvas)
        ink = (*tuple(int(c * rng.uniform(0.7, 1.1)) for c in (150, 90, 62)), 255)
        half = wide * 0.14
        draw.polygon([(wide / 2 - half, base - 8), (wide / 2 + half, base - 8),
                      (wide / 2 + half * 0.7, high), (wide / 2 - half * 0.7, high)],
                     fill=ink)  # fmt: skip
    small = canvas.resize((wide // _FINE, high // _FINE), Image.Resampling.BOX)
    return trim(small, rng.uniform(0.8, 2.2), 0.2)


def draw_pole(rng: np.random.Generator) -> Sprite:
    """Draws a lamp post, a traffic light, a sign or a bollard."""
    wide, high = 64 * _FINE, 256 * _FINE
    canvas = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    grey = rng.uniform(35, 150)
    ink = (*tuple(int(grey * f) for f in (1.0, 1.0, 1.03)), 255)
    middle, half = wide / 2, rng.uniform(1.6, 3.0) * _FINE
    kind = rng.choice(["lamp", "light", "sign", "bollard"], p=[0.45, 0.2, 0.25, 0.1])
    metres = {"lamp": rng.uniform(4.5, 8), "light": 3.6, "sign": 2.8, "bollard": 1.0}[
        kind
    ]
    if kind == "bollard":
        draw.rounded_rectangle((middle - 14, 8, middle + 14, high), 12, fill=ink)
        canvas = canvas.resize((wide, high), Image.Resampling.BOX)
        return trim(canvas.resize((64, 96), Image.Resampling.BOX), metres)
    draw.rectangle((middle - half, 24, middle + half, high), fill=ink)
    draw.rectangle(
        (middle - 2.2 * half, high * 0.9, middle + 2.2 * half, high), fill=ink
    )
    if kind == "lamp":
        side = rng.choice([-1, 1])
        tip = middle + side * wide * 0.36
        draw.line((middle, 28, tip, 14), fill=ink, width=6)
        draw.ellipse((tip - 14, 8, tip + 14, 26), fill=(226, 222, 200, 255))
    elif kind == "light":
        draw.rounded_rectangle(
            (middle - 17, 12, middle + 17, 112), 8, fill=(28, 30, 30, 255)
        )
        lit = rng.integers(3)
        colours = [(226, 50, 40), (232, 170, 40), (60, 200, 90)]
        for index, colour in enumerate(colours):
            part = 1.0 if index == lit else 0.25
            fill = (*tuple(int(c * part) for c in colour), 255)
            y = 18 + 31 * index
            draw.ellipse((middle - 12, y, middle + 12, y + 24), fill=fill)
    else:
        colour = [(200, 34, 36), (30, 80, 170), (236, 236, 230), (40, 120, 70)]
        fill = (*colour[rng.integers(4)], 255)
        draw.ellipse((middle - 46, 10, middle + 46, 102), fill=fill)
        draw.rectangle((middle - 26, 50, middle + 26, 62), fill=(240, 240, 240, 255))
    small = canvas.resize((wide // _FINE, high // _FINE), Image.Resampling.BOX)
    return trim(small, metres)


def draw_person(rng: np.random.Generator) -> Sprite:
    """Draws a person who stands or walks."""
    wide, high = 96 * _FINE, 192 * _FINE
    canvas = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    tone = rng.uniform(0.4, 1.0)
    skin = (*tuple(int(c * tone) for c in (236, 196, 168)), 255)
    hair = (*tuple(int(c) for c in rng.uniform(0.2, 1.2) * np.array([90, 66, 46])), 255)

    def cloth(scale=1.0):
        colour = np.clip(rng.uniform(15, 190) * (1 + rng.normal(0, 0.25, 3)), 8, 240)
        return (*tuple(int(c * scale) for c in colour), 255)

    coat, legs, shoes = cloth(), cloth(0.7), (26, 24, 24, 255)
    x, step = wide / 2, rng.uniform(0.01, 0.11) * high
    hip, shoulder = 0.52 * high, 0.19 * high
    thick = rng.uniform(0.05, 0.065) * high
    for sign in (-1, 1):
        foot = x + sign * step + sign * 0.03 * high
        draw.line(
            (x + sign * 0.03 * high, hip, foot, 0.96 * high),
            fill=legs,
            width=int(thick),
        )
        draw.ellipse(
            (foot - thick * 0.6, 0.945 * high, foot + thick * 0.9, high - 1), fill=shoes
        )
    broad = rng.uniform(0.09, 0.125) * high
    for sign in (-1, 1):
        hand = x + sign * (broad + rng.uniform(0.0, 0.06) * high)
        elbow = (x + sign * broad * 1.15, 0.36 * high)
        arm = [
            (x + sign * broad * 0.9, shoulder + thick / 2),
            elbow,
            (hand, 0.5 * high),
        ]
        dark = (*tuple(int(c * 0.85) for c in coat[:3]), 255)
        draw.line(arm, fill=dark, width=int(thick * 0.8), joint="curve")
        r = thick * 0.4
        draw.ellipse((hand - r, 0.5 * high - r, hand + r, 0.5 * high + r), fill=skin)
    draw.rounded_rectangle(
        (x - broad, shoulder, x + broad, hip + thick * 0.7), int(broad * 0.6), fill=coat
    )
    if rng.random() < 0.3:  # skirt or long coat
        hem = rng.uniform(0.62, 0.78) * high
        waist, wide_hem = broad * 0.8, broad * 1.2
        skirt = [(x - waist, hip - 10), (x + waist, hip - 10)]
        draw.polygon([*skirt, (x + wide_hem, hem), (x - wide_hem, hem)], fill=coat)
    head = 0.062 * high
    top = 0.015 * high
    draw.rectangle(
        (x - head * 0.4, top + head, x + head * 0.4, shoulder + 6), fill=skin
    )
    draw.ellipse((x - head * 0.82, top, x + head * 0.82, top + 2.35 * head), fill=skin)
    draw.pieslice(
        (x - head * 0.9, top - 3, x + head * 0.9, top + 2 * head), 170, 370, fill=hair
    )
    canvas = canvas.filter(ImageFilter.GaussianBlur(0.6))
    small = canvas.resize((wide // _FINE, high // _FINE), Image.Resampling.BOX)
    return trim(small, rng.uniform(1.55, 1.9), 0.1)


_DRAW = {"tree": draw_tree, "bush": draw_bush, "pole": draw_pole, "person": draw_person}


@functools.lru_cache(maxsize=256)
def plant(kind: str, seed: int) -> Sprite:
    """Draws a 'tree', 'bush', 'pole' or 'person' as a function of its seed."""
    return _DRAW[kind](np.random.default_rng([seed, list(_DRAW).index(kind), 0x7EE]))
