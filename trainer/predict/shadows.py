"""Hard shadows that a network took for things: found by their one colour.

In one sun every shadow darkens the ground by the same factors, whatever casts it, and
things do not. So among the pixels that are new, over many things that passed, a shadow
is the ratio of frame to scene that nearly all of them share, and the ground shows
through it. Chromaticity that stays while brightness falls, and texture that stays, are
what shadows are usually told by (A. Prati et al. 2003, Detecting moving shadows,
https://doi.org/10.1109/TPAMI.2003.1206520; A. Sanin et al. 2012, Shadow detection: a
survey, https://doi.org/10.1016/j.patcog.2011.10.001); that the factors are shared over
things is ours.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.ndimage

from trainer.predict.objects import Object

SAMPLES = 300  # pixels of an object
MOST_OBJECTS = 5  # of a track
MOST_PIXELS = 4_000_000  # of all objects; the oldest go
DEEP, DEEPEST = -0.5, -1.6  # mean log ratio; less deep ones the network knows
GREYNESS = 0.4  # of the three log ratios, at most so far apart
LEAST_LIGHT = 40  # grey levels of the scene; in the dark a ratio is noise
WIDTH = 0.1  # of the kernel that finds the shared ratio
REACH = 0.18  # of a log ratio around it
SHALLOWEST, DARKEST = 0.2, 1.6  # times the ratio: blurred shadows, and their cores
FEWEST_TRACKS = 8
SHARE, TRACKS = 0.1, 0.7  # of a thing's pixels, in so many of the things
DETAIL = 3.0  # pixels; texture is finer than that
BORDER = 2  # pixels of a shadow that things' edges reach into
FEWEST_PIXELS = 1000  # of shadows that texture is compared in
# Correlation of the frame's texture with the scene's: 0.23 in the shadows of HighwayI,
# 0.01 in the dark clothes of CAVIAR2 (`benchmarks/shadows.py`).
SEEN_THROUGH = 0.15
_FAINT = 4.0  # grey levels


@dataclasses.dataclass(frozen=True)
class _Crop:
    """An object: frame and scene, uint8 [h, w, 3], and its pixels, bool [h, w]."""

    frame: np.ndarray
    scene: np.ndarray
    inside: np.ndarray


class ShadowFinder:
    """Collects how dark new pixels are, to find what all things share.

    Attributes:
      texture: Correlation of the scene's texture with the frames' in what was taken
        for shadows by its colour; None if the last search found no such colour.
    """

    def __init__(self):
        """Begins with nothing seen."""
        self._tracks: dict[int, list[_Crop]] = {}
        self._pixels = 0
        self.texture: float | None = None

    def add(self, frame: np.ndarray, scene: np.ndarray, objects: list[Object]) -> None:
        """Adds the objects of a frame.

        Args:
          frame: uint8 [H, W, 3].
          scene: uint8 [H, W, 3], empty.
          objects: The frame's, tracked.
        """
        for each in objects:
            track = self._tracks.setdefault(each.identity, [])
            if len(track) < MOST_OBJECTS:
                seen, behind = frame[each.window], scene[each.window]
                track.append(_Crop(seen.copy(), behind.copy(), each.inside))
                self._pixels += each.inside.size
        while self._pixels > MOST_PIXELS and len(self._tracks) > 1:
            oldest = self._tracks.pop(next(iter(self._tracks)))
            self._pixels -= sum(crop.inside.size for crop in oldest)

    def find_ratio(self) -> np.ndarray | None:
        """Finds the logarithms of the factors by which shadows darken the ground.

        Returns:
          float [3]; None where no dark ratio is shared by most of what passed, or
          where the scene does not show through it.
        """
        self.texture = None
        if len(self._tracks) < FEWEST_TRACKS:
            return None
        random = np.random.default_rng(0)
        tracks = [
            np.concatenate([_sample_ratios(crop, random) for crop in track])
            for track in self._tracks.values()
        ]
        candidates = np.concatenate([each[_is_candidate(each)] for each in tracks])
        if len(candidates) < SAMPLES:
            return None
        ratio = _find_mode(candidates)
        shares = [float(is_near(each, ratio).mean()) for each in tracks]
        if np.mean(np.array(shares) >= SHARE) < TRACKS:
            return None
        self.texture = self._measure_texture(ratio)
        return ratio if self.texture >= SEEN_THROUGH else None

    def _measure_texture(self, ratio: np.ndarray) -> float:
        """Measures how the scene's texture correlates with the frames' in shadows."""
        details, shaded = [], 0
        for track in self._tracks.values():
            found = [_list_details(crop, ratio) for crop in track]
            shaded += any(len(each) for each in found)
            details += found
        details = np.concatenate(details)
        if shaded < FEWEST_TRACKS or len(details) < FEWEST_PIXELS:
            return 0.0
        return float(np.corrcoef(details, rowvar=False)[0, 1])


def _sample_ratios(crop: _Crop, random: np.random.Generator) -> np.ndarray:
    ratios = compare_light(crop.frame, crop.scene)[crop.inside]
    return ratios[random.permutation(len(ratios))[:SAMPLES]]


def _list_details(crop: _Crop, ratio: np.ndarray) -> np.ndarray:
    """Lists the texture of frame and scene in the midst of a shadow, float [N, 2]."""
    shadow = find_shadow(crop.frame, crop.scene, crop.inside, ratio)
    core = scipy.ndimage.binary_erosion(shadow, iterations=BORDER)
    pair = []
    for picture in (crop.frame, crop.scene):
        light = np.log(picture.astype(np.float32).mean(-1) + _FAINT)
        pair.append((light - scipy.ndimage.gaussian_filter(light, DETAIL))[core])
    return np.stack(pair, 1)


def compare_light(frame: np.ndarray, scene: np.ndarray) -> np.ndarray:
    """Compares light: logarithm of frame / scene, float32 [h, w, 3]; NaN in the dark.

    Args:
      frame: uint8 [h, w, 3].
      scene: uint8 [h, w, 3].
    """
    seen, behind = (
        scipy.ndimage.gaussian_filter(p.astype(np.float32), (0.7, 0.7, 0))
        for p in (frame, scene)
    )
    ratio = np.log((seen + _FAINT) / (behind + _FAINT))
    ratio[scene.mean(-1) < LEAST_LIGHT] = np.nan
    return ratio


def is_near(ratios: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Tells which log ratios, [..., 3], are those of shadows, bool [...]."""
    with np.errstate(invalid="ignore"):
        return np.abs(ratios - ratio).max(-1) < REACH


def is_shade(ratios: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Tells which log ratios, [..., 3], are of the tint of shadows of any depth."""
    depth = ratios @ ratio / (ratio @ ratio)
    off = np.abs(ratios - depth[..., None] * ratio).max(-1)
    with np.errstate(invalid="ignore"):
        return (off < REACH / 2) & (depth > SHALLOWEST) & (depth < DARKEST)


def find_shadow(
    frame: np.ndarray, scene: np.ndarray, inside: np.ndarray, ratio: np.ndarray
) -> np.ndarray:
    """Finds the shadow in an object.

    Dark places within the thing itself, such as windows, are not taken for shadow.

    Args:
      frame: uint8 [h, w, 3], of the object's box.
      scene: uint8 [h, w, 3], the same place, empty.
      inside: bool [h, w], the object.
      ratio: As `ShadowFinder` finds it.

    Returns:
      bool [h, w].
    """
    near = inside & is_near(compare_light(frame, scene), ratio)
    closed = scipy.ndimage.binary_closing(near) & inside
    near = np.asarray(scipy.ndimage.binary_opening(closed), bool)
    rest = scipy.ndimage.binary_opening(inside & ~near)
    closed = scipy.ndimage.binary_closing(np.pad(rest, 6), iterations=5)
    body = np.asarray(scipy.ndimage.binary_fill_holes(closed))[6:-6, 6:-6]
    soft_edge = scipy.ndimage.binary_dilation(near & ~body, iterations=2)
    return np.asarray(soft_edge & inside & ~body)


def _is_candidate(ratios: np.ndarray) -> np.ndarray:
    mean = ratios.mean(-1)
    with np.errstate(invalid="ignore"):
        dark = (mean > DEEPEST) & (mean < DEEP)
        return dark & (np.ptp(ratios, axis=-1) < GREYNESS)


def _find_mode(points: np.ndarray) -> np.ndarray:
    """Finds where points, [N, 3], are densest: a histogram's peak, by mean shift."""
    edges = np.arange(DEEPEST - GREYNESS, 2 * WIDTH, WIDTH)
    counts, _ = np.histogramdd(points, [edges] * 3)
    counts = np.asarray(scipy.ndimage.gaussian_filter(counts, 0.7))
    peak = np.unravel_index(int(counts.argmax()), counts.shape)
    mode = edges[list(peak)] + WIDTH / 2
    for _ in range(10):
        weights = np.exp(-((points - mode) ** 2).sum(-1) / (2 * WIDTH**2))
        mode = (points * weights[:, None]).sum(0) / weights.sum()
    return mode
