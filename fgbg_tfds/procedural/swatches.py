"""Pieces of photos that drawn scenes are dressed with: surfaces and cut-outs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from PIL import Image

from fgbg_tfds.procedural.sprite import Sprite
from fgbg_tfds.procedural.textures import SIDE, Texture, texture

_PIECES = 4  # of a photo
_LONGEST = 120  # pixels of a cut-out
SHORTEST = 20  # pixels of a cut-out that is known for what it is


@dataclasses.dataclass(frozen=True)
class Swatches:
    """Pieces of photos.

    Attributes:
      surfaces: Pieces that tile, one metre wide.
      cutouts: Cut-outs, such as people and vehicles.
    """

    surfaces: tuple[Texture, ...]
    cutouts: tuple[Sprite, ...]

    def begin(self, rng: np.random.Generator) -> Dressing:
        """Begins the dressing of one scene."""
        return Dressing(self.surfaces, rng)

    def draw_cutout(self, rng: np.random.Generator) -> Sprite:
        """Draws one of the cut-outs, mirrored half of the time."""
        cutout = self.cutouts[rng.integers(len(self.cutouts))]
        if rng.random() < 0.5:
            return cutout
        mirrored = np.ascontiguousarray(cutout.rgba[:, ::-1])
        return dataclasses.replace(cutout, rgba=mirrored)


class Dressing:
    """Roughens the surfaces and cut-outs of one scene.

    The same surface looks the same wherever it is met again in the scene.
    """

    def __init__(self, surfaces: tuple[Texture, ...], rng: np.random.Generator):
        self._surfaces = surfaces
        self._rng = np.random.default_rng(rng.integers(1 << 62))
        # Of what is dressed. A third of the scenes is left as drawn: where all was
        # rough, pasted cut-outs stood out less.
        self._share = max(0.0, self._rng.uniform(-0.4, 0.8))
        self._dressed: dict[int, tuple[Texture, Texture]] = {}

    def dress(self, material: Texture) -> Texture:
        """Roughens a surface, or leaves it as it is."""
        known = self._dressed.get(id(material))
        if known is None:
            known = (material, self._choose(material))
            self._dressed[id(material)] = known
        return known[1]

    def _choose(self, material: Texture) -> Texture:
        rng = self._rng
        if rng.random() > self._share:
            return material
        grain = self._surfaces[rng.integers(len(self._surfaces))]
        wide = float(np.exp(rng.uniform(np.log(0.5), np.log(8.0))))
        grain = dataclasses.replace(grain, width=wide, height=wide)
        kept = rng.uniform(0.0, 0.6) if rng.random() < 0.4 else 1.0
        return dataclasses.replace(
            material, grain=grain, strength=rng.uniform(0.25, 1.1), kept=kept
        )

    def roughen(self, ink: np.ndarray) -> np.ndarray:
        """Roughens the pixels of a cut-out, float [h, w, 3], or leaves them."""
        rng = self._rng
        if rng.random() > self._share:
            return ink
        grain = self._surfaces[rng.integers(len(self._surfaces))]
        height, width = ink.shape[:2]
        # A piece shows half to all of its tile, whatever the cut-out's size.
        across = rng.uniform(0.5, 1.0) / max(height, width)
        u = np.arange(width, dtype=np.float32)[None] * across + rng.random()
        v = np.arange(height, dtype=np.float32)[:, None] * across + rng.random()
        u, v = np.broadcast_arrays(u, v)
        rough = grain.sample(u, v, np.full(u.shape, across, np.float32)) - grain.mean
        light = rough.mean(-1, keepdims=True)  # mostly light, little colour
        return ink + rng.uniform(0.2, 0.9) * (0.8 * light + 0.2 * rough)


def _cut_pieces(picture: np.ndarray, rng: np.random.Generator) -> list[Texture]:
    """Cuts square pieces out of a photo and mirrors them so that they tile."""
    pieces = []
    height, width = picture.shape[:2]
    for _ in range(_PIECES):
        side = max(1, int(min(height, width) * rng.uniform(0.25, 0.9)))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        piece = Image.fromarray(picture[top : top + side, left : left + side])
        piece = piece.resize((SIDE // 2, SIDE // 2), Image.Resampling.BOX)
        tile = np.asarray(piece)
        tile = np.concatenate([tile, tile[::-1]])
        pieces.append(texture(np.concatenate([tile, tile[:, ::-1]], 1), 1.0, 1.0))
    return pieces


def _trim_cutout(rgba: np.ndarray) -> Sprite | None:
    """Trims a cut-out to its alpha; None if it is too small or thin to be known."""
    picture = Image.fromarray(rgba)
    seen = Image.fromarray(rgba[..., 3] > 127).getbbox()
    if seen is None:
        return None
    picture = picture.crop(seen)
    if min(picture.size) < SHORTEST:
        return None
    picture.thumbnail((_LONGEST, _LONGEST))
    rgba = np.asarray(picture)
    return Sprite(rgba, np.zeros(rgba.shape[:2], np.float32), 1.7)


def cut_swatches(
    photos: Iterable[np.ndarray], cutouts: Iterable[np.ndarray]
) -> Swatches:
    """Cuts pieces out of photos.

    Args:
      photos: uint8 [H, W, 3] each.
      cutouts: uint8 [h, w, 4] each; those that are too small are left out.

    Returns:
      The pieces, a function of the pictures.
    """
    rng = np.random.default_rng(0x5A7C)
    surfaces = [piece for photo in photos for piece in _cut_pieces(photo, rng)]
    trimmed = map(_trim_cutout, cutouts)
    return Swatches(
        tuple(surfaces), tuple(each for each in trimmed if each is not None)
    )
