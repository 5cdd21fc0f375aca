"""Drawn pictures with exact depth: streets, and scenes for training."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from fgbg_tfds.contract import MAX_DEPTH
from fgbg_tfds.pasted_depth import choose_depth
from fgbg_tfds.procedural.camera import draw_camera
from fgbg_tfds.procedural.canvas import Canvas
from fgbg_tfds.procedural.cutouts import draw_cutout
from fgbg_tfds.procedural.photo import develop, flare
from fgbg_tfds.procedural.places import paint_open_place
from fgbg_tfds.procedural.roads import paint_road
from fgbg_tfds.procedural.rooms import paint_room
from fgbg_tfds.procedural.sprite import Sprite
from fgbg_tfds.procedural.street import paint_street
from fgbg_tfds.procedural.swatches import Swatches

FARTHEST = MAX_DEPTH  # metres; also the depth of the sky
NEAREST = 0.5
_OVERSAMPLING = 2
_NEARER = (0.45, 0.85)


@dataclasses.dataclass(frozen=True)
class Scene:
    """A picture and its depth.

    Attributes:
      image: uint8 [size, size, 3], RGB.
      depth: float32 [size, size], metres along the camera's axis, at most 80; the
        sky is 80.
    """

    image: np.ndarray
    depth: np.ndarray


def draw_street(seed: int, size: int = 224) -> Scene:
    """Draws a street as a photo would show it, anti-aliased.

    Args:
      seed: Any integer; the same seed gives the same street.
      size: Pixels of a side.

    Returns:
      The street and its exact depth. A pixel on an edge has the depth of the
      nearest thing in it.
    """
    rng = np.random.default_rng([seed, 0x57EE7])
    camera = draw_camera(rng, size * _OVERSAMPLING, "handsome")
    canvas = paint_street(camera, rng, handsome=True)
    picture = Image.fromarray(np.clip(np.round(canvas.colour), 0, 255).astype(np.uint8))
    image = picture.resize((size, size), Image.Resampling.BOX)
    blocks = canvas.depth.reshape(size, _OVERSAMPLING, size, _OVERSAMPLING)
    depth = np.minimum(blocks.min((1, 3)), FARTHEST)
    return Scene(np.asarray(image), depth.astype(np.float32))


def paste_cutout(canvas: Canvas, sprite: Sprite, rng: np.random.Generator) -> None:
    """Pastes a cut-out at a random place, as the composites of a data set.

    It may float, and its size need not fit its place, so its depth is chosen by
    `choose_depth`, with a clearance between the bounds of `_NEARER`.

    Args:
      canvas: The picture to paste into.
      sprite: The cut-out.
      rng: Source of place, size and depth.
    """
    size = canvas.camera.size
    shape = np.array(sprite.rgba.shape[1::-1], float)
    longest = size * np.exp(rng.uniform(np.log(0.16), np.log(0.65)))
    shape *= longest / shape.max()
    room = size - shape
    if rng.random() < 0.85:
        corner = rng.random(2) * room
        if rng.random() < 0.3:  # on the ground more often than by chance
            corner[1] = room[1] * rng.uniform(0.6, 1.0)
    else:
        corner = rng.uniform(-0.4 * shape, size - 0.6 * shape)
    low, left = (corner + shape).astype(int)[1], corner.astype(int)[0]
    box = np.clip([corner[1], low, left, corner[0] + shape[0]], 0, size).astype(int)
    behind = canvas.depth[box[0] : box[1], box[2] : box[3]]
    if behind.size < 4:
        return
    row = min(max(low - 1, 0), size - 1)
    down = canvas.camera.rays[row, size // 2, 1]
    ground = canvas.camera.height / -down if down < -1e-3 else np.inf
    behind = np.minimum(behind, FARTHEST)
    depth = choose_depth(ground, behind, rng.uniform(*_NEARER))
    flat = Sprite(sprite.rgba, sprite.relief * 0.15, sprite.height)
    canvas.paste(flat, tuple(corner), tuple(shape), max(depth, 0.8), over=True)


_PLACES = {  # how often, and what draws it
    "street": (0.36, paint_street),
    "road": (0.28, paint_road),
    "open": (0.11, paint_open_place),
    "indoor": (0.25, paint_room),
}
_CUT_FROM_PHOTOS = 0.6  # of the pasted cut-outs, where there are photos


def choose_place(seed: int) -> str:
    """Chooses what `draw_scene` draws: a 'street', 'road', 'open' place or 'indoor'."""
    return _choose_place(np.random.default_rng([seed, 0x5CE7E]))


def _choose_place(rng: np.random.Generator) -> str:
    return str(rng.choice(list(_PLACES), p=[odds for odds, _ in _PLACES.values()]))


def draw_scene(
    seed: int,
    size: int = 160,
    pasted: float = 0.7,
    swatches: Swatches | None = None,
) -> Scene:
    """Draws a scene for training: any place, any weather, any camera.

    Args:
      seed: Any integer; the same seed gives the same scene.
      size: Pixels of a side.
      pasted: Probability of pasted cut-outs.
      swatches: Pieces of photos that surfaces and cut-outs are dressed with.

    Returns:
      The scene; `paste_cutout` chooses the depth of pasted cut-outs.
    """
    rng = np.random.default_rng([seed, 0x5CE7E])
    kind = _choose_place(rng)
    camera = draw_camera(rng, size, kind)
    dressing = swatches.begin(rng) if swatches else None
    canvas = _PLACES[kind][1](camera, rng, dressing=dressing)
    if rng.random() < pasted:
        for _ in range(int(rng.choice([1, 2, 3], p=[0.75, 0.18, 0.07]))):
            if swatches and rng.random() < _CUT_FROM_PHOTOS:
                cutout = swatches.draw_cutout(rng)
            else:
                cutout = draw_cutout(rng)
            paste_cutout(canvas, cutout, rng)
    depth = np.clip(canvas.depth, NEAREST, FARTHEST).astype(np.float32)
    return Scene(develop(flare(canvas.colour, canvas.depth, rng), rng), depth)
