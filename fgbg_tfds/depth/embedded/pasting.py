"""Cut-outs pasted anew into drawn scenes, at every step of a training."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fgbg_tfds.contract import MASK_THRESHOLD
from fgbg_tfds.pasted_depth import choose_depth
from fgbg_tfds.procedural import draw_cutout

_DRAWN = 400  # cut-outs
_LONGEST = (0.16, 0.65)  # side of a cut-out, as a part of the scene's
_CLEARANCE = (0.45, 0.85)
_SECOND = 0.25  # probability of another one
_NEAREST = 0.8  # metres


def collect_cutouts(real: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
    """Collects cut-outs to paste: drawn ones, and the real ones that are given.

    Args:
      real: uint8 [h, w, 4] each.

    Returns:
      uint8 [h, w, 4] each.
    """
    return [*_draw_cutouts(), *real]


@functools.cache
def _draw_cutouts() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0xC07)
    return tuple(draw_cutout(rng).rgba for _ in range(_DRAWN))


def paste_anew(
    images: np.ndarray,
    logs: np.ndarray,
    cutouts: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Pastes one or two cut-outs into every scene, as composites of a data set.

    The ground under the foot has the depth of the scene there; `choose_depth` decides.

    Args:
      images: uint8 [N, S, S, 3].
      logs: float16 [N, S, S], log metres.
      cutouts: uint8 [h, w, 4] each.
      rng: Source of cut-outs, places, sizes and depths.

    Returns:
      The scenes with the cut-outs, of the same shapes and dtypes.
    """
    images, logs = images.copy(), logs.copy()
    for image, log in zip(images, logs, strict=True):
        for _ in range(1 + (rng.random() < _SECOND)):
            _paste(image, log, cutouts[int(rng.integers(len(cutouts)))], rng)
    return images, logs


def _paste(image, log, rgba: np.ndarray, rng: np.random.Generator) -> None:
    side = len(image)
    if rng.random() < 0.5:
        rgba = rgba[:, ::-1]
    longest = side * np.exp(rng.uniform(*np.log(_LONGEST)))
    shape = np.array(rgba.shape[1::-1]) * longest / max(rgba.shape)
    wide, high = np.maximum(shape.round().astype(int), 2).tolist()
    picture = Image.fromarray(np.ascontiguousarray(rgba)).convert("RGBa")
    layer = np.asarray(picture.resize((wide, high), Image.Resampling.BOX))
    left, top = (rng.random(2) * (side - np.array([wide, high]))).astype(int).tolist()
    if rng.random() < 0.3:  # on the ground more often than by chance
        top = int((side - high) * rng.uniform(0.6, 1.0))
    place = np.s_[top : top + high, left : left + wide]
    alpha = layer[..., 3:].astype(np.float32) / 255
    seen = layer[..., 3] >= MASK_THRESHOLD
    if not seen.any():
        return
    colour = layer[..., :3] * np.float32(np.exp(rng.normal(0, 0.15)))
    mixed = image[place] * (1 - alpha) + colour
    hidden = np.exp(log[place][seen].astype(np.float32))
    foot = top + int(np.flatnonzero(seen.any(1))[-1])
    ground = np.exp(float(log[min(foot + 1, side - 1), left + wide // 2]))
    metres = max(choose_depth(ground, hidden, rng.uniform(*_CLEARANCE)), _NEAREST)
    image[place] = np.clip(mixed, 0, 255).astype(np.uint8)
    log[place][seen] = np.log(metres)
