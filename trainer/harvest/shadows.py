"""Hard shadows that a network took for things: found by their one colour.

In one sun every shadow darkens the ground by the same factors, whatever casts it, and
things do not. So among the pixels that are new, over many things that passed, a shadow
is the ratio of frame to scene that nearly all of them share. Chromaticity that stays
while brightness falls is what shadows are usually told by (A. Prati et al. 2003,
Detecting moving shadows, https://doi.org/10.1109/TPAMI.2003.1206520); that the factors
are shared over things is ours.
"""

from __future__ import annotations

import collections

import numpy as np
import scipy.ndimage

from trainer.predict import Object

SAMPLES = 300  # pixels of an object
MOST_OBJECTS = 20  # of a track
DEEP, DEEPEST = -0.5, -1.6  # mean log ratio; less deep ones the network knows
GREYNESS = 0.4  # of the three log ratios, at most so far apart
LEAST_LIGHT = 40  # grey levels of the scene; in the dark a ratio is noise
WIDTH = 0.1  # of the kernel that finds the shared ratio
REACH = 0.18  # of a log ratio around it
SHALLOWEST, DARKEST = 0.2, 1.6  # times the ratio: blurred shadows, and their cores
FEWEST_TRACKS = 8
SHARE, TRACKS = 0.1, 0.7  # of a thing's pixels, in so many of the things
_FAINT = 4.0  # grey levels


class ShadowFinder:
    """Collects how dark new pixels are, to find what all things share."""

    def __init__(self):
        """Begins with nothing seen."""
        self._tracks: dict[int, list[np.ndarray]] = collections.defaultdict(list)
        self._random = np.random.default_rng(0)

    def add(self, frame: np.ndarray, scene: np.ndarray, objects: list[Object]) -> None:
        """Adds the objects of a frame.

        Args:
          frame: uint8 [H, W, 3].
          scene: uint8 [H, W, 3], empty.
          objects: The frame's, tracked.
        """
        for each in objects:
            track = self._tracks[each.identity]
            if len(track) >= MOST_OBJECTS:
                continue
            window = each.window
            ratios = compare_light(frame[window], scene[window])[each.inside]
            chosen = self._random.permutation(len(ratios))[:SAMPLES]
            track.append(ratios[chosen].astype(np.float32))

    def find_ratio(self) -> np.ndarray | None:
        """Finds the logarithms of the factors by which shadows darken the ground.

        Returns:
          float [3]; None where no dark ratio is shared by most of what passed.
        """
        if len(self._tracks) < FEWEST_TRACKS:
            return None
        tracks = [np.concatenate(track) for track in self._tracks.values()]
        candidates = np.concatenate([each[_is_candidate(each)] for each in tracks])
        if len(candidates) < SAMPLES:
            return None
        ratio = _find_mode(candidates)
        shares = [float(is_near(each, ratio).mean()) for each in tracks]
        shared = np.mean(np.array(shares) >= SHARE)
        return ratio if shared >= TRACKS else None


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
