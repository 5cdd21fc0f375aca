"""Surfaces that tile: plaster, brick, paving, planks, asphalt, leaves."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from PIL import Image

SIDE = 256  # pixels; a power of two, so that tiling is a bit mask
KINDS = ("noise", "brick", "slabs", "cobble", "planks", "asphalt", "leaves", "plain")


@dataclasses.dataclass(frozen=True)
class Texture:
    """A square picture that covers `width` x `height` metres, and its mip levels.

    Attributes:
      texels: uint8 [n, 3], all levels, from the finest to one pixel, flattened.
      width: Metres.
      height: Metres.
      grain: A second texture, whose deviations from its mean are added.
      strength: Factor of those deviations.
      kept: Part of its own deviations that stays beside the grain.
    """

    texels: np.ndarray
    width: float
    height: float
    grain: Texture | None = None
    strength: float = 0.0
    kept: float = 1.0

    def dye(self, colour: np.ndarray, fraction: float) -> Texture:
        """Blends the texture with a colour [3] by a fraction."""
        texels = (1 - fraction) * self.texels + fraction * colour
        dyed = np.clip(texels, 0, 255).astype(np.uint8)
        return dataclasses.replace(self, texels=dyed)

    def enlarge(self, factor: float) -> Texture:
        """Makes it cover `factor` times as many metres."""
        return dataclasses.replace(
            self, width=self.width * factor, height=self.height * factor
        )

    def sample(self, u: np.ndarray, v: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """Looks up colours.

        Args:
          u: float [n], metres across.
          v: float [n], metres up from the lowest row.
          footprint: float [n], metres that a pixel covers there.

        Returns:
          float32 [n, 3], 0 to 255.
        """
        fine = footprint * (SIDE / min(self.width, self.height))
        level = np.log2(np.maximum(fine, 1.0)) + 0.3
        level = np.clip(level.astype(np.int32), 0, _LEVELS - 1)
        side = SIDE >> level
        column = np.floor(u * (side / self.width)).astype(np.int32) & (side - 1)
        row = np.floor(-v * (side / self.height)).astype(np.int32) & (side - 1)
        colour = self.texels[_OFFSETS[level] + row * side + column].astype(np.float32)
        if self.grain is None:
            return colour
        rough = self.grain.sample(u, v, footprint) - self.grain.mean
        mean = self.mean
        return mean + self.kept * (colour - mean) + self.strength * rough

    @property
    def mean(self) -> np.ndarray:
        """Its mean colour, float32 [3]."""
        return self.texels[-1].astype(np.float32)


_LEVELS = SIDE.bit_length()
_OFFSETS = np.concatenate([[0], np.cumsum([(SIDE >> k) ** 2 for k in range(_LEVELS)])])


def texture(picture: np.ndarray, width: float, height: float) -> Texture:
    """Makes a texture of uint8 [SIDE, SIDE, 3] that covers the given metres."""
    levels = [picture.reshape(-1, 3)]
    image = picture.astype(np.float32)
    while image.shape[0] > 1:
        side = image.shape[0] // 2
        image = image.reshape(side, 2, side, 2, 3).mean((1, 3))
        levels.append(np.round(image).astype(np.uint8).reshape(-1, 3))
    return Texture(np.concatenate(levels), width, height)


def fractal(rng: np.random.Generator, exponent: float, side: int = SIDE) -> np.ndarray:
    """Draws tileable noise with power 1/f^exponent, float32 [side, side], sd 1."""
    down, across = np.meshgrid(
        np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"
    )
    frequency = np.hypot(down, across)
    frequency[0, 0] = 1.0
    spectrum = rng.normal(size=(2, *frequency.shape)) * frequency ** (-exponent / 2)
    spectrum[:, 0, 0] = 0
    noise = np.fft.irfft2(spectrum[0] + 1j * spectrum[1], s=(side, side))
    return (noise / noise.std()).astype(np.float32)


def muted(rng: np.random.Generator, vivid: float = 0.15) -> np.ndarray:
    """Draws a colour of walls and grounds, mostly grey or earthen, float [3]."""
    bright = rng.uniform(45, 225)
    hue = rng.normal(0, 1, 3)
    hue -= hue.mean()
    warm = np.array([1.0, 0.1, -1.1]) * rng.uniform(-0.3, 1.0)
    part = rng.uniform(0.25, 0.6) if rng.random() < vivid else rng.uniform(0, 0.16)
    return np.clip(bright * (1 + part * (0.5 * hue + warm)), 5, 250)


def masonry(
    rng: np.random.Generator, rows: int, columns: int, shift: float, joint: float
) -> tuple[np.ndarray, np.ndarray]:
    """Lays stones in rows.

    Args:
      rng: Tones of the stones.
      rows: Rows in a tile.
      columns: Stones in a row.
      shift: Part of a stone by which every second row is moved.
      joint: Half a joint as a part of the stone's shorter side.

    Returns:
      float32 [SIDE, SIDE] tones (sd 1) and float32 [SIDE, SIDE] joints, 0 to 1.
    """
    place = (np.arange(SIDE) + 0.5) / SIDE
    row = place * rows
    index = np.floor(row).astype(int)
    column = place[None] * columns + (index[:, None] % 2) * shift
    stone = np.floor(column).astype(int) % columns
    tone = rng.normal(size=(rows, columns)).astype(np.float32)[index[:, None], stone]
    down = np.abs(row - index - 0.5)[:, None] * 2
    across = np.abs(column - np.floor(column) - 0.5) * 2
    shape = (SIDE / rows, SIDE / columns)  # pixels of a stone
    margin = joint * min(shape)
    edge = np.minimum((1 - down) * shape[0], (1 - across) * shape[1]) / 2
    return tone, np.clip(1.2 - edge / max(margin, 0.5), 0, 1).astype(np.float32)


def _pattern(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, float]:
    """Draws a mixture of two colours, float32 [SIDE, SIDE], and metres of the tile."""
    grain = fractal(rng, rng.uniform(0.4, 1.4))
    cloud = fractal(rng, rng.uniform(1.8, 3.0))
    if kind == "brick":
        rows = int(rng.choice([12, 16, 20]))
        tone, joint = masonry(rng, rows, rows // 2 - 2, 0.5, rng.uniform(0.06, 0.14))
        mix = 0.35 * tone + 0.25 * cloud + 0.15 * grain
        return mix + rng.choice([-2.2, 2.2, 3.0]) * joint, rows * 0.09
    if kind == "slabs":
        rows = int(rng.choice([2, 3, 4, 6, 8]))
        columns = max(1, round(rows * rng.choice([0.5, 0.7, 1.0, 1.0])))
        tone, joint = masonry(rng, rows, columns, rng.choice([0, 0.5]), 0.025)
        mix = 0.3 * tone + 0.4 * cloud + 0.2 * grain
        return mix + rng.choice([-2.5, -1.5, 2.0]) * joint, rows * rng.uniform(0.3, 0.7)
    if kind == "cobble":
        rows = int(rng.choice([12, 16, 20, 24]))
        tone, joint = masonry(rng, rows, rows - rows // 4, 0.5, 0.2)
        warp = (fractal(rng, 3.0) * 2.2).astype(int)
        index = (np.arange(SIDE)[:, None] + warp) & (SIDE - 1)
        tone, joint = (np.take_along_axis(part, index, 0) for part in (tone, joint))
        return 0.5 * tone + 0.3 * cloud + 0.3 * grain - 2.2 * joint, rows * 0.13
    if kind == "planks":
        columns = int(rng.choice([6, 8, 12]))
        tone, joint = masonry(rng, columns, 2, rng.uniform(0.2, 0.8), 0.03)
        streak = np.repeat(fractal(rng, 1.0)[:, ::8], 8, 1)
        return 0.6 * tone + 0.45 * streak - 2.5 * joint, columns * rng.uniform(0.1, 0.2)
    if kind == "asphalt":
        speck = rng.normal(size=(SIDE, SIDE)).astype(np.float32)
        cracks = np.abs(fractal(rng, 2.6)) < 0.02 * rng.integers(0, 2)
        return 0.5 * cloud + 0.35 * speck + 0.3 * grain - 1.5 * cracks, 4.0
    if kind == "leaves":
        return 1.2 * fractal(rng, rng.uniform(0.6, 1.3)) + 0.4 * cloud, 3.0
    if kind == "plain":
        return 0.12 * cloud + 0.06 * grain, 4.0
    return fractal(rng, rng.uniform(1.0, 3.0)), rng.uniform(1.0, 6.0)


def paint(
    rng: np.random.Generator, kind: str, first: np.ndarray, second: np.ndarray
) -> Texture:
    """Paints a tileable surface between two colours.

    Args:
      rng: Source of the random pattern.
      kind: One of `KINDS`.
      first: float [3], the colour of the low parts.
      second: float [3], the colour of the high parts.

    Returns:
      The texture.
    """
    mix, metres = _pattern(rng, kind)
    part = 1 / (1 + np.exp(-1.7 * mix))[..., None]
    picture = np.clip(first * (1 - part) + second * part, 0, 255)
    return texture(np.round(picture).astype(np.uint8), metres, metres)


@functools.lru_cache(maxsize=192)
def surface(kind: str, seed: int) -> Texture:
    """Draws a surface of one kind as a function of its seed."""
    rng = np.random.default_rng([seed, KINDS.index(kind), 0x7E])
    base = muted(rng)
    spread = rng.uniform(0.08, 0.35) * rng.choice([-1, 1])
    other = np.clip(base * (1 + spread) + rng.normal(0, 8, 3), 4, 250)
    if kind == "leaves":
        base = np.array(
            [rng.uniform(30, 80), rng.uniform(60, 110), rng.uniform(15, 50)]
        )
        if rng.random() < 0.2:  # autumn
            base = np.array([rng.uniform(120, 190), rng.uniform(80, 130), 30.0])
        base, other = base * 0.55, base * 1.35
    if kind == "asphalt":
        grey = rng.uniform(50, 150)
        base = grey * np.array([1.0, 1.0, 1.02])
        other = base * rng.uniform(1.05, 1.3)
    return paint(rng, kind, base, other)


def shrink(picture: Image.Image) -> np.ndarray:
    """Resizes a drawing to uint8 [SIDE, SIDE, 3]."""
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))
