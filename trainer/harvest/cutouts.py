"""Cut-outs of what passed: whole, sharp, and none twice.

Alpha is the mask. At a soft edge a pixel shows the thing and the scene behind it,
I = alpha F + (1 - alpha) B; the scene is known, so the thing's own colour is
F = (I - (1 - alpha) B) / alpha, as in T. Porter and T. Duff 1984, Compositing Digital
Images, https://doi.org/10.1145/800031.808606. Where alpha is small, that only enlarges
noise, and the nearest sure pixel's colour is taken.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import PIL.Image
import scipy.ndimage

from trainer.predict import (
    Object,
    compare_light,
    find_shadow,
    grow,
    is_shade,
    label_regions,
)

EDGE = 2  # pixels of the frame's edge that a whole thing does not touch
MIN_SCORE = 0.85  # mean of the mask over the thing
MIN_FILLED = 0.3  # of its box
WHOLE = 0.95  # of it is in one piece
LEAST_SURE = 0.6  # alpha from which a colour can be undone
FROM, SURE = 0.5, 0.1  # of the mask: alpha begins there, and is 1 so far below 1
SMALL_HOLE = 0.02  # of a thing; larger holes show the scene
PER_TRACK = 2  # cut-outs of one thing that passes
LARGER = 1.4  # times the longest side of the one before, to be another cut-out of it
BLURRED = 0.5  # of the median sharpness
ALIKE = 0.95  # correlation of two thumbnails
THUMBNAIL = 16  # pixels
LEAST_THING = 0.25  # of an object that is no shadow


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A thing that passed, with the pixels around it.

    Attributes:
      name: Names of its frame and its track.
      frame: uint8 [h, w, 3].
      scene: uint8 [h, w, 3], the same place, empty.
      mask: float [h, w], 0 to 1.
      inside: bool [h, w], its pixels.
    """

    name: str
    frame: np.ndarray
    scene: np.ndarray
    mask: np.ndarray
    inside: np.ndarray

    @classmethod
    def crop(cls, name, frame, scene, mask, each: Object) -> Candidate:
        """Crops an object's largest piece out of frame, scene and mask."""
        inside = np.zeros(frame.shape[:2], bool)
        inside[each.window] = each.inside
        rows, columns = (slice(max(0, w.start - 3), w.stop + 3) for w in each.window)
        crops = (p[rows, columns].copy() for p in (frame, scene, mask[..., 0], inside))
        found = cls(name, *crops)
        return found.take_out(np.zeros_like(found.inside))

    @property
    def side(self) -> int:
        """Its longest side, pixels."""
        return int(max(np.ptp(places) + 1 for places in np.nonzero(self.inside)))

    @functools.cached_property
    def sharpness(self) -> float:
        """Mean gradient within it, grey levels."""
        gradient = np.hypot(*np.gradient(self.frame.astype(np.float32).mean(-1)))
        return float(gradient[self.inside].mean())

    def take_out(self, shadow: np.ndarray) -> Candidate:
        """Takes pixels out of it, bool [h, w], and what they part from it."""
        labels, number = label_regions(self.inside & ~shadow)
        if not number:
            return dataclasses.replace(self, inside=np.zeros_like(self.inside))
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        inside = labels == sizes.argmax()
        mask = np.where(grow(inside), self.mask, 0)
        return dataclasses.replace(self, inside=inside, mask=mask)


@dataclasses.dataclass(frozen=True)
class Cutout:
    """A cut-out.

    Attributes:
      name: Names of its frame and its track.
      pixels: uint8 [h, w, 4], RGBA, not multiplied by alpha.
    """

    name: str
    pixels: np.ndarray

    @property
    def side(self) -> int:
        """Its longest side, pixels."""
        return max(self.pixels.shape[:2])


class CutoutCollector:
    """Collects the cut-outs of a film.

    Attributes:
      left_out: How many objects were left out, by the reason.
    """

    def __init__(self, scene: np.ndarray, min_side: int):
        """Takes the empty scene.

        Args:
          scene: uint8 [H, W, 3].
          min_side: Pixels of a cut-out's longest side, at least.
        """
        self._scene, self._min_side = scene, min_side
        self._tracks: dict[int, list[Candidate]] = collections.defaultdict(list)
        self.left_out: collections.Counter[str] = collections.Counter()

    def add(
        self, name: str, frame: np.ndarray, mask: np.ndarray, objects: list[Object]
    ) -> None:
        """Adds what a frame shows.

        Args:
          name: The frame's name.
          frame: uint8 [H, W, 3].
          mask: float [H, W, 1], 0 to 1.
          objects: The frame's objects, tracked.
        """
        for each in objects:
            reason = self._find_fault(each, frame)
            if reason:
                self.left_out[reason] += 1
                continue
            name_there = f"{name}_{each.identity}"
            found = Candidate.crop(name_there, frame, self._scene, mask, each)
            self._keep(each.identity, found)

    def _find_fault(self, each: Object, frame: np.ndarray) -> str:
        left, top, width, height = each.box
        rows, columns = frame.shape[:2]
        right, bottom = columns - left - width, rows - top - height
        if min(left, top, right, bottom) < EDGE:
            return "cut by the frame's edge"
        if max(width, height) < self._min_side:
            return f"smaller than {self._min_side} pixels"
        if each.score < MIN_SCORE:
            return "not sure enough"
        labels, _ = label_regions(each.inside)
        largest = np.bincount(labels.ravel())[1:].max()
        if largest < WHOLE * each.area or each.area < MIN_FILLED * width * height:
            return "in pieces"
        return ""

    def _keep(self, identity: int, found: Candidate) -> None:
        """Keeps the largest of a track, and smaller ones if they are much smaller."""
        track = self._tracks[identity]
        for index, other in enumerate(track):
            if 1 / LARGER < found.side / other.side < LARGER:
                if found.side * found.sharpness > other.side * other.sharpness:
                    track[index] = found
                return
        track.append(found)
        track.sort(key=lambda each: -each.side)
        del track[PER_TRACK:]

    def choose(self, most: int, shadow_ratio: np.ndarray | None) -> list[Cutout]:
        """Chooses the sharp ones, and of those that look alike the largest.

        Args:
          most: Number of cut-outs, at most.
          shadow_ratio: Of the shadows that are cut off, as `ShadowFinder` finds it.
        """
        found = [each for track in self._tracks.values() for each in track]
        if shadow_ratio is not None:
            found = list(self._cut_shadows_off(found, shadow_ratio))
        if not found:
            return []
        least = BLURRED * np.median([each.sharpness for each in found])
        chosen: list[Cutout] = []
        thumbnails: list[np.ndarray] = []
        for each in sorted(found, key=lambda each: -each.side):
            if each.sharpness < least:
                self.left_out["blurred"] += 1
                continue
            cutout = Cutout(each.name, cut_out(each))
            if cutout.side < self._min_side:
                self.left_out[f"smaller than {self._min_side} pixels"] += 1
                continue
            thumbnail = _shrink(cutout.pixels)
            if any(float(thumbnail @ other) > ALIKE for other in thumbnails):
                self.left_out["there already"] += 1
                continue
            chosen.append(cutout)
            thumbnails.append(thumbnail)
        places = np.linspace(0, len(chosen) - 1, min(most, len(chosen)))
        return [chosen[place] for place in places.astype(int)]

    def _cut_shadows_off(self, found, ratio: np.ndarray) -> Iterator[Candidate]:
        for each in found:
            shadow = find_shadow(each.frame, each.scene, each.inside, ratio)
            rest = each.take_out(shadow)
            if rest.inside.sum() < LEAST_THING * each.inside.sum() or _is_shade(
                rest, ratio
            ):
                self.left_out["mostly shadow"] += 1
            elif rest.side < self._min_side:
                self.left_out[f"smaller than {self._min_side} pixels"] += 1
            else:
                yield rest


def _is_shade(thing: Candidate, ratio: np.ndarray) -> bool:
    """Tells whether a thing is mostly as dark as a shadow, sharp or blurred."""
    inside = compare_light(thing.frame, thing.scene)[thing.inside]
    return bool(is_shade(inside, ratio).mean() > 1 - LEAST_THING)


def cut_out(thing: Candidate) -> np.ndarray:
    """Cuts a thing out of its frame, with the scene's colour undone at its edge.

    It is cut a pixel within the mask's border: what is left of the scene there would
    teach a network that the scene beside a thing is new.

    Returns:
      uint8 [h, w, 4], RGBA; its small holes are filled.
    """
    inside = _fill_small_holes(thing.inside)
    mask = np.where(inside & ~thing.inside, 1.0, np.where(inside, thing.mask, 0))
    least = scipy.ndimage.minimum_filter(mask, 3).astype(np.float32)
    alpha = np.clip((least - FROM) / (1 - FROM - SURE), 0, 1)[..., None]
    seen, behind = (p.astype(np.float32) for p in (thing.frame, thing.scene))
    own = np.maximum(mask, LEAST_SURE)[..., None]
    colour = (seen - (1 - own) * behind) / own
    colour = _extend(np.clip(colour, 0, 255), alpha[..., 0] >= LEAST_SURE)
    pixels = np.concatenate([colour, 255 * alpha], -1)
    there = np.nonzero(alpha[..., 0])
    if not there[0].size:
        return np.zeros((1, 1, 4), np.uint8)
    rows, columns = (slice(p.min(), p.max() + 1) for p in there)
    return np.rint(pixels[rows, columns]).astype(np.uint8)


def _fill_small_holes(inside: np.ndarray) -> np.ndarray:
    """Fills holes that are no view between legs."""
    holes = np.asarray(scipy.ndimage.binary_fill_holes(inside)) & ~inside
    labels, _ = label_regions(holes)
    sizes = np.bincount(labels.ravel())
    small = sizes <= SMALL_HOLE * inside.sum()
    small[0] = False
    return inside | small[labels]


def _extend(colour: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Gives unknown pixels the colour of the nearest known one."""
    if not known.any():
        return colour
    places: np.ndarray = np.asarray(
        scipy.ndimage.distance_transform_edt(
            ~known, return_distances=False, return_indices=True
        )
    )
    return colour[places[0], places[1]]


def _shrink(pixels: np.ndarray) -> np.ndarray:
    """Shrinks a cut-out to a vector of length 1 and mean 0, for comparing."""
    size = (THUMBNAIL, THUMBNAIL)
    image = PIL.Image.fromarray(pixels).convert("RGBa").resize(size)
    vector = np.asarray(image, np.float32).ravel()
    vector = vector - vector.mean()
    return vector / (np.linalg.norm(vector) + 1e-6)
