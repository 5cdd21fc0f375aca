"""Pictures with exact depth: what the drawn worlds look like to a camera."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from fgbg_tfds.procedural.camera import draw_camera
from fgbg_tfds.procedural.street import paint_street

FARTHEST = 80.0  # metres; the sky's depth too
_OVERSAMPLING = 2


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
