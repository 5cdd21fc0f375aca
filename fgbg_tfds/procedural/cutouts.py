"""Cut-outs to paste: vehicles, people, plants, furniture, odd things."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageDraw

from fgbg_tfds.procedural.plants import plant, trim
from fgbg_tfds.procedural.sprite import Sprite
from fgbg_tfds.procedural.textures import SIDE, muted, surface
from fgbg_tfds.procedural.vehicles import design, render

_VIEWS = 480  # distinct vehicles


def _draw_thing(rng: np.random.Generator) -> Sprite:
    """Draws a chair, table, box or other compact thing out of a few shapes."""
    side = 160
    shape = Image.new("L", (side, side), 0)
    tone = Image.new("L", (side, side), 128)
    draw, shade = ImageDraw.Draw(shape), ImageDraw.Draw(tone)
    legs = rng.random() < 0.5
    base = side * (rng.uniform(0.55, 0.75) if legs else 0.98)
    half = rng.uniform(0.15, 0.46) * side
    middle = side / 2
    top = base - rng.uniform(0.15, 0.6) * side
    if legs:
        wide = rng.uniform(2, 7)
        for x in np.linspace(-half * 0.9, half * 0.9, int(rng.integers(1, 5))):
            foot = middle + x * rng.uniform(0.8, 1.1)
            draw.line((middle + x, base, foot, side - 1), fill=255, width=round(wide))
            shade.line((middle + x, base, foot, side - 1), fill=60, width=round(wide))
    for _ in range(int(rng.integers(1, 6))):
        x0 = middle + rng.uniform(-1, 0.2) * half
        x1 = x0 + rng.uniform(0.4, 1.6) * half
        y0, y1 = np.sort(rng.uniform(top, base, 2))
        box = (x0, y0, max(x1, x0 + 4), max(y1, y0 + 4))
        ink = int(rng.uniform(70, 190))
        if rng.random() < 0.4:
            draw.ellipse(box, fill=255)
            shade.ellipse(box, fill=ink)
        else:
            radius = int(rng.uniform(0, 14))
            draw.rounded_rectangle(box, radius, fill=255)
            shade.rounded_rectangle(box, radius, fill=ink)
    body = (middle - half, (top + base) / 2, middle + half, base)
    draw.rounded_rectangle(body, 5, fill=255)
    shade.rounded_rectangle(body, 5, fill=int(rng.uniform(90, 160)))
    kind = str(
        rng.choice(["plain", "noise", "planks", "brick"], p=[0.5, 0.2, 0.2, 0.1])
    )
    skin = surface(kind, int(rng.integers(24))).texels[: SIDE * SIDE]
    skin = skin.reshape(SIDE, SIDE, 3)[:side, :side].astype(np.float32)
    skin = skin / (skin.mean() + 1) * muted(rng, vivid=0.6)
    light = np.linspace(rng.uniform(0.6, 1.3), rng.uniform(0.6, 1.3), side)
    factor = np.asarray(tone, np.float32)[..., None] / 128 * light[None, :, None]
    rgba = np.dstack([np.clip(skin * factor, 0, 255), np.asarray(shape)])
    small = Image.fromarray(rgba.astype(np.uint8)).resize(
        (80, 80), Image.Resampling.BOX
    )
    return trim(small, rng.uniform(0.6, 1.8), 0.2)


def _draw_group(rng: np.random.Generator) -> Sprite:
    """Draws two to five people side by side."""
    people = [
        plant("person", int(rng.integers(48))).rgba for _ in range(rng.integers(2, 6))
    ]
    high = max(person.shape[0] for person in people)
    wide = sum(person.shape[1] for person in people)
    group = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    x = 0
    for person in people:
        picture = Image.fromarray(person)
        group.alpha_composite(picture, (x, high - picture.height))
        x += int(picture.width * rng.uniform(0.55, 1.0))
    return trim(group, 1.8, 0.2)


@functools.lru_cache(maxsize=1200)
def cutout(kind: str, seed: int) -> Sprite:
    """Draws a 'vehicle', 'thing' or 'group' as a function of its seed."""
    rng = np.random.default_rng([seed, len(kind), 0xC07])
    if kind == "thing":
        return _draw_thing(rng)
    if kind == "group":
        return _draw_group(rng)
    work = design(rng, fine=False)
    azimuth = rng.uniform(-np.pi, np.pi)
    distance = work.length * rng.uniform(1.4, 3.5) + 1
    return render(work, azimuth, distance, rng.uniform(0.8, 3.0), 110 / work.length)


def draw_cutout(rng: np.random.Generator) -> Sprite:
    """Draws a random cut-out, mostly a vehicle, with random colours."""
    kinds = ["vehicle", "thing", "group", "person", "tree", "bush", "pole"]
    kind = str(rng.choice(kinds, p=[0.55, 0.13, 0.07, 0.13, 0.04, 0.05, 0.03]))
    if kind == "vehicle":
        sprite = cutout(kind, int(rng.integers(_VIEWS)))
    elif kind in ("thing", "group"):
        sprite = cutout(kind, int(rng.integers(96)))
    else:
        sprite = plant(kind, int(rng.integers(48)))
    rgba = sprite.rgba.astype(np.float32)
    colour = rgba[..., :3]
    contrast, bright = rng.uniform(0.7, 1.7), rng.uniform(0.7, 1.4)
    colour = (colour - 110) * contrast + 110 * bright
    if rng.random() < 0.5:
        grain = rng.normal(0, rng.uniform(4, 26), colour.shape[:2])
        soft = Image.fromarray(grain.astype(np.float32)).resize(
            (max(1, colour.shape[1] // 3), max(1, colour.shape[0] // 3)),
            Image.Resampling.BOX,
        )
        soft = soft.resize(
            (colour.shape[1], colour.shape[0]), Image.Resampling.BILINEAR
        )
        colour = colour + (grain * 0.5 + 3 * np.asarray(soft))[..., None]
    if rng.random() < 0.15:
        colour = np.repeat(colour.mean(-1, keepdims=True), 3, -1)
    elif rng.random() < 0.3:
        colour = colour[..., rng.permutation(3)]
    rgba[..., :3] = np.clip(colour, 0, 255)
    relief = sprite.relief
    if rng.random() < 0.5:
        rgba, relief = rgba[:, ::-1], relief[:, ::-1]
    return Sprite(
        np.ascontiguousarray(rgba.astype(np.uint8)),
        np.ascontiguousarray(relief),
        sprite.height,
        sprite.reach,
    )
