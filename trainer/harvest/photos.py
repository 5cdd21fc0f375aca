"""Photos of the empty scene at several times of a film.

Of each part of the film, the frame in which least is new becomes a photo: a real one,
with its light and noise. What is new in it is replaced by the median of those frames of
the part that show the place empty; where none does, by the scene of the whole film
under the light of the part.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import scipy.ndimage

from trainer.predict import apply_light, find_shadow, fit_light, grow

KEPT = 24  # frames of a part, at most
MAX_BYTES = 400_000_000  # of all frames that are kept
MARGIN = 1 / 60  # of the shorter side: replaced around what is new
FAINT = 0.1  # of the mask; a photo shall not hold the rest of something
FEATHER = 1.5  # pixels, of the seam
LEAST_SEEN = 2  # frames that a median is taken of


@dataclasses.dataclass(frozen=True)
class Photo:
    """An empty photo.

    Attributes:
      name: Name of the frame that it was.
      pixels: uint8 [H, W, 3].
      replaced: Share of its pixels that are of other frames.
    """

    name: str
    pixels: np.ndarray
    replaced: float


@dataclasses.dataclass(frozen=True)
class _Seen:
    """A frame, and what is new in it, bool [H, W]."""

    name: str
    frame: np.ndarray
    new: np.ndarray

    @functools.cached_property
    def taken(self) -> np.ndarray:
        """What is new, with a margin."""
        return grow(self.new, max(2, round(MARGIN * min(self.new.shape))))


class PhotoCollector:
    """Collects frames by parts of a film, and makes a photo of each part."""

    def __init__(self, scene: np.ndarray, number: int, parts: int):
        """Takes the empty scene of the whole film.

        Args:
          scene: uint8 [H, W, 3].
          number: Number of frames that will come, about.
          parts: Number of parts, of each of which a photo is made.
        """
        self._scene = scene
        self._length = max(1, -(-number // parts))
        most = max(LEAST_SEEN + 1, MAX_BYTES // (parts * scene.nbytes))
        self._every = -(-self._length // min(KEPT, most))
        self._parts: list[list[_Seen]] = []
        self._seen = 0

    def add(self, name: str, frame: np.ndarray, mask: np.ndarray) -> None:
        """Adds the next frame.

        Args:
          name: Its name.
          frame: uint8 [H, W, 3].
          mask: float [H, W, 1], 0 to 1.
        """
        if self._seen % self._length == 0:
            self._parts.append([])
        if self._seen % self._length % self._every == 0:
            self._parts[-1].append(_Seen(name, frame, mask[..., 0] > FAINT))
        self._seen += 1

    def make_photos(self, shadow_ratio: np.ndarray | None = None) -> Iterator[Photo]:
        """Makes a photo of each part of the film, in their order.

        Args:
          shadow_ratio: Of hard shadows, as `ShadowFinder` finds it; a second photo of
            each part then holds the shadows of what passed.
        """
        for part in self._parts:
            least = min(part, key=lambda each: each.taken.mean())
            yield self._replace(least.name, part, least, least.taken)
            if shadow_ratio is not None:
                shadows = [self._find_shadows(each, shadow_ratio) for each in part]
                most = int(np.argmax([each.sum() for each in shadows]))
                if shadows[most].any():
                    each = part[most]
                    taken = each.taken & ~shadows[most]
                    yield self._replace(f"{each.name}_shadows", part, each, taken)

    def _find_shadows(self, each: _Seen, ratio: np.ndarray) -> np.ndarray:
        """Finds shadows, with soft edges, in what is taken by things, bool [H, W]."""
        margin = max(2, round(MARGIN * min(each.taken.shape)))
        shadow = find_shadow(each.frame, self._scene, each.new, ratio)
        thing = grow(each.new & ~shadow, margin)
        return grow(shadow, margin) & ~thing

    def _replace(self, name: str, part, seen: _Seen, taken: np.ndarray) -> Photo:
        empty = self._find_empty(part, seen.frame, taken)
        blend = scipy.ndimage.gaussian_filter(taken.astype(np.float32), FEATHER)
        blend = np.clip(2 * blend, 0, 1)[..., None]
        pixels = np.rint(seen.frame * (1 - blend) + empty * blend).astype(np.uint8)
        return Photo(name, pixels, float(taken.mean()))

    def _find_empty(self, part, frame: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """Finds the scene in the light of a frame, uint8 [H, W, 3]."""
        away = ~taken
        relit = self._scene
        if away.any():
            light = fit_light(self._scene[away][None, None], frame[away][None])[0]
            relit = apply_light(self._scene, light)
        frames = [each.frame for each in part]
        lights = fit_light(np.stack(frames), frame)
        values = np.stack(
            [apply_light(*pair) for pair in zip(frames, lights, strict=True)]
        ).astype(np.float32)
        hidden = np.stack([each.taken for each in part])
        values[hidden] = np.nan
        seen = (~hidden).sum(0) >= LEAST_SEEN
        found = relit.astype(np.float32)
        found[seen] = np.nanmedian(values[:, seen], 0)
        return found


def list_views(size: tuple[int, int]) -> dict[str, tuple[slice, slice]]:
    """Lists three square views of a picture, which together cover it.

    A data set needs three scenes at least, for its three splits, and its pictures are
    square.

    Args:
      size: Height and width.

    Returns:
      Rows and columns of each view, by its name.
    """
    height, width = size
    side = min(height, width, round(0.9 * max(height, width)))
    names = (
        ("left", "middle", "right") if width >= height else ("top", "middle", "bottom")
    )
    views = {}
    for place, name in enumerate(names):
        top, left = ((extent - side) * place // 2 for extent in (height, width))
        views[name] = (slice(top, top + side), slice(left, left + side))
    return views
