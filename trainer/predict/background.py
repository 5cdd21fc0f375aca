"""The empty scene, found in the frames of a busy camera.

What stays most of the time may stand before the scene: a man who waits, a parked car.
So the look that a place has had most often is a guess, and other looks of the same
place are tried in regions: the scene has no outline of a thing there, and it is
farther. Choosing looks by their outlines is as in A. Agarwala et al. 2004, Interactive
Digital Photomontage, https://doi.org/10.1145/1015706.1015718; to let depth decide is
ours.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import PIL.Image
import scipy.ndimage

from trainer.predict.looks import (
    ALIKE,
    CELL,
    TOLERANCE,
    Looks,
    apply_light,
    compare,
    fit_light,
    take_median,
)
from trainer.predict.regions import grow, label_regions, measure_distance
from trainer.predict.spread import Spread, find_spread, measure_spread
from trainer.predict.steadying import find_shifts, shift_frame

ROWS = 240  # of the smaller frames that are compared
MIN_SHARE = 0.1  # of the frames that a look needs
MIN_AREA = 0.001  # of the picture that a region needs
MIN_PIXELS = 40
EDGE = 2  # pixels that a region is grown by when its look is changed
MARGIN = 10  # pixels around a region that are looked at
ROUNDS = 6
# The evidence for another look, in units of the logarithm of the outline's contrast.
SHARE_WEIGHT, DEPTH_WEIGHT = 0.6, 20.0
MAX_FARTHER, MAX_NEARER = 0.1, 0.06  # of log depth; more is no better evidence
LEAST_EVIDENCE = -0.6  # of outline and share; with less, depth is not asked
ENOUGH = 0.5
TRIED = 16  # regions of a round that depth is asked for
_FAINT = 3.0  # grey levels: contrasts below are noise

DepthEstimator = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Scene:
    """An empty scene.

    Attributes:
      background: uint8 [H, W, 3].
      sureness: uint8 [H, W]: 255 where all frames show the scene, 0 where none does.
      spread: What moves by itself.
    """

    background: np.ndarray
    sureness: np.ndarray
    spread: Spread


def find_scene(
    frames: Sequence[np.ndarray], estimate_depth: DepthEstimator, empty: bool = False
) -> Scene:
    """Finds the empty scene behind what passes and stands in frames.

    Args:
      frames: uint8 [H, W, 3], one or more of a fixed camera, in their order; memory and
        time grow with the square of their number.
      estimate_depth: Estimates the depth of an empty scene: uint8 [h, w, 3] to float
        [h, w], in any unit.
      empty: Whether nothing passes in them, so that all that changes is the scene's.

    Returns:
      The scene, at the frames' size.
    """
    small = _shrink(frames)
    median = take_median(list(small), np.ones((len(small), 1, 1), bool))
    # A frame, since the median of leaves before a wall has too little contrast.
    nearest = min(small, key=lambda frame: np.abs(frame - median.astype(int)).mean())
    shifts = find_shifts(small, nearest)
    small = np.stack([shift_frame(*p) for p in zip(small, shifts, strict=True)])
    lights = fit_light(small, nearest)
    looks = compare(
        np.stack([apply_light(*p) for p in zip(small, lights, strict=True)])
    )
    support = _choose_looks(looks, estimate_depth)
    scale = np.divide(frames[0].shape[:2], small.shape[1:3])
    lit = [
        apply_light(shift_frame(frame, shift * scale), light)
        for frame, shift, light in zip(frames, shifts, lights, strict=True)
    ]
    sureness = PIL.Image.fromarray(np.rint(255 * support.mean(0)).astype(np.uint8))
    height, width, _ = frames[0].shape
    background = take_median(lit, _count(support))
    return Scene(
        background,
        np.asarray(sureness.resize((width, height), PIL.Image.Resampling.BILINEAR)),
        measure_spread(lit) if empty else find_spread(lit, background),
    )


def _choose_looks(looks: Looks, estimate_depth: DepthEstimator) -> np.ndarray:
    """Chooses the look of each place: the frames that show it, float32 [N, h, w]."""
    shares = looks.shares
    support = looks.choose(shares.argmax(0))
    for _ in range(ROUNDS):
        picture = take_median(list(looks.frames), _count(support))
        regions = _find_regions(looks, shares, support, picture)
        regions = heapq.nlargest(TRIED, regions, key=_Region.weigh)
        regions = _weigh_depths(regions, looks, picture, estimate_depth)
        chosen = _drop_overlapping(r for r in regions if r.evidence > ENOUGH)
        for region in chosen:
            rows, columns = region.cells
            # Places at the border are alike but for a few pixels of the thing.
            alike = scipy.ndimage.minimum_filter(
                looks.likeness[region.frame][:, rows, columns], (1, 5, 5)
            ) / np.float32(255)
            # A little beyond its border, where the thing's soft edge is.
            changed = _find_cells(grow(region.inside, EDGE))
            support[:, rows, columns] = np.where(
                changed, alike, support[:, rows, columns]
            )
        if not chosen:
            break
    return support


@dataclasses.dataclass(frozen=True)
class _Region:
    """A region in which a frame shows another look than the picture.

    Attributes:
      frame: The frame's number.
      window: Slices of rows and columns, pixels, with a margin around the region.
      inside: bool [h, w], of the window's pixels.
      evidence: For the frame's look being the scene.
    """

    frame: int
    window: tuple[slice, slice]
    inside: np.ndarray
    evidence: float

    def weigh(self) -> float:
        """Weighs the evidence by the region's size; whole things come before parts."""
        return (self.evidence - LEAST_EVIDENCE) * float(np.sqrt(self.inside.sum()))

    @property
    def cells(self) -> tuple[slice, slice]:
        """The window in places; its bounds are even."""
        rows, columns = self.window
        return (
            slice(rows.start // CELL, rows.stop // CELL),
            slice(columns.start // CELL, columns.stop // CELL),
        )


def _find_regions(
    looks: Looks, shares: np.ndarray, support: np.ndarray, picture: np.ndarray
) -> Iterator[_Region]:
    """Finds regions whose outline speaks for another look."""
    height, width, _ = picture.shape
    least = max(MIN_PIXELS, MIN_AREA * height * width)
    share = support.mean(0)
    for index, frame in enumerate(looks.frames):
        change = np.abs(frame.astype(np.int16) - picture).max(-1).astype(np.float32)
        differs = (
            scipy.ndimage.uniform_filter(change, 3) > 1.5 * TOLERANCE + looks.noise
        )
        differs &= _enlarge(shares[index] >= MIN_SHARE)
        differs = scipy.ndimage.binary_opening(differs)
        labels, _ = label_regions(differs)
        for label, box in enumerate(scipy.ndimage.find_objects(labels), 1):
            if (labels[box] == label).sum() < least:
                continue
            window = _widen(box, (height, width))
            inside = grow(labels[window] == label)
            pasted = np.where(inside[..., None], frame[window], picture[window])
            region = _Region(index, window, inside, 0.0)
            places = _find_cells(inside)
            more = np.median(shares[index][region.cells][places]) / max(
                np.median(share[region.cells][places]), 1e-3
            )
            evidence = np.log(
                (_measure_outline(picture[window], inside) + _FAINT)
                / (_measure_outline(pasted, inside) + _FAINT)
            ) + SHARE_WEIGHT * np.log(more)
            if evidence > LEAST_EVIDENCE:
                yield dataclasses.replace(region, evidence=float(evidence))


def _measure_outline(picture: np.ndarray, inside: np.ndarray) -> float:
    """Measures the contrast across a region's border, grey levels."""
    distance = measure_distance(inside)
    down, right = np.gradient(scipy.ndimage.gaussian_filter(distance, 1.5))
    length = np.hypot(down, right) + 1e-6
    rows, columns = np.nonzero(inside & (distance < 1.5))
    step = 2 * np.stack([down, right])[:, rows, columns] / length[rows, columns]
    last = np.array(inside.shape)[:, None] - 1
    sides = [
        picture[
            tuple(np.clip(np.rint(np.stack([rows, columns]) + s), 0, last).astype(int))
        ]
        for s in (step, -step)
    ]
    contrast = np.abs(sides[0].astype(np.int16) - sides[1]).max(-1)
    return float(contrast.mean())


def _weigh_depths(
    regions: Sequence[_Region],
    looks: Looks,
    picture: np.ndarray,
    estimate_depth: DepthEstimator,
) -> list[_Region]:
    """Adds to the evidence how much farther regions become by the frames' looks."""
    if not regions:
        return []
    before, weighed = np.log(estimate_depth(picture)), []
    for region in regions:
        inside, pasted = region.inside, picture.copy()
        pasted[region.window][inside] = looks.frames[region.frame][region.window][
            inside
        ]
        after = np.log(estimate_depth(pasted))
        near = grow(inside, 2)
        around = grow(inside, 8) & ~near
        if around.any():
            depths = [depth[region.window] for depth in (after, before)]
            gaps = [np.median(d[inside]) - np.median(d[around]) for d in depths]
            farther = np.clip(gaps[0] - gaps[1], -MAX_NEARER, MAX_FARTHER)
            evidence = region.evidence + DEPTH_WEIGHT * float(farther)
            region = dataclasses.replace(region, evidence=evidence)
        weighed.append(region)
    return weighed


def _drop_overlapping(regions: Iterable[_Region]) -> list[_Region]:
    """Keeps the regions of most weight, and none that touches one of those."""
    kept: list[_Region] = []
    taken: set[tuple[int, int]] = set()
    for region in sorted(regions, key=_Region.weigh, reverse=True):
        grown = grow(region.inside, 3)
        corner = [edge.start for edge in region.window]
        pixels = set(map(tuple, np.argwhere(grown) + corner))
        if not pixels & taken:
            taken |= pixels
            kept.append(region)
    return kept


def _count(support: np.ndarray) -> np.ndarray:
    """Tells which frames show the chosen look; one at least at every place."""
    return np.asarray(support >= np.minimum(ALIKE, support.max(0)))


def _shrink(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Shrinks frames to about `ROWS` rows, and an even number of rows and columns."""
    height, width, _ = frames[0].shape
    scale = min(1.0, ROWS / min(height, width))
    size = [max(CELL, round(side * scale / CELL) * CELL) for side in (width, height)]
    return np.stack(
        [
            np.asarray(PIL.Image.fromarray(f).resize(size, PIL.Image.Resampling.BOX))
            for f in frames
        ]
    )


def _find_cells(inside: np.ndarray) -> np.ndarray:
    """Finds the places with at least a pixel inside, bool [h / 2, w / 2]."""
    height, width = inside.shape
    split = inside.reshape(height // CELL, CELL, width // CELL, CELL)
    return np.any(split, axis=(1, 3))


def _enlarge(places: np.ndarray) -> np.ndarray:
    return places.repeat(CELL, 0).repeat(CELL, 1)


def _widen(box: tuple[slice, slice], size: tuple[int, int]) -> tuple[slice, slice]:
    """Widens a box by `MARGIN`, to bounds that are multiples of `CELL`."""
    rows, columns = (
        slice(
            max(0, (edge.start - MARGIN) // CELL * CELL),
            min(side, -(-(edge.stop + MARGIN) // CELL) * CELL),
        )
        for edge, side in zip(box, size, strict=True)
    )
    return rows, columns
