"""Looking at one frame after the other, and only where something has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy.ndimage

from trainer.predict.regions import grow, label_regions

BLOCK = 32  # pixels; sides of windows are multiples of it, as networks want them
PATCH = 8  # pixels of a side; noise is averaged away
CHANGE = 5  # grey levels of a patch's mean
MARGIN = 1  # blocks around what changed that are looked at, and not answered
MOST = 0.5  # of the picture; if windows cover more, it is looked at whole

# Rows and columns of a frame, to mask and depth, float32 [h, w, 1], in that window.
Look = Callable[[tuple[slice, slice], np.ndarray], tuple[np.ndarray, np.ndarray]]
WHOLE = (slice(None), slice(None))


class Watcher:
    """Looks at the frames of a camera in their order.

    The first frame of every few is looked at whole. In the others, what changed since
    a place was last looked at is, in windows; elsewhere the answer stays. The depth of
    a window is scaled to that of the picture around it.
    """

    def __init__(self, look: Look, every: int):
        """Takes a network.

        Args:
          look: Answers for a window of a frame, uint8 [H, W, 3].
          every: Number of frames of which the first is looked at whole; 1 for all.
        """
        self._look, self._every = look, every
        self._left = 0  # frames until one is looked at whole
        self._seen = self._mask = self._depth = np.zeros(0)

    def __call__(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Answers for the next frame.

        Args:
          frame: uint8 [H, W, 3], of one size for all frames.

        Returns:
          float32 [H, W, 1] twice: the mask in 0 to 1 and the depth in metres.
        """
        if self._left:
            self._left -= 1
            changed = _find_changed(self._seen, frame)
            windows = list(_cover(changed))
            area = sum(changed[each].size for each in windows)
            if area <= MOST * changed.size:
                for window in windows:
                    self._look_again(window, changed, frame)
                return self._mask.copy(), self._depth.copy()
        self._left = self._every - 1
        mask, depth = self._look(WHOLE, frame)
        self._seen, self._mask, self._depth = frame.copy(), mask.copy(), depth.copy()
        return mask, depth

    def _look_again(self, window, changed: np.ndarray, frame: np.ndarray) -> None:
        rows, columns = _find_pixels(window, frame.shape)
        mask, depth = self._look((rows, columns), frame)
        place = np.s_[rows, columns]
        blocks = changed.repeat(BLOCK, 0).repeat(BLOCK, 1)
        answered = blocks[: frame.shape[0], : frame.shape[1]][place][..., None]
        around = ~answered
        if around.any():
            before = self._depth[place][around]
            depth = depth * np.median(before / np.maximum(depth[around], 1e-3))
        for kept, new in (
            (self._mask, mask),
            (self._depth, depth),
            (self._seen, frame[place]),
        ):
            kept[place] = np.where(answered, new, kept[place])


def _find_changed(seen: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Finds the blocks in which something changed, and those beside, bool [h, w]."""
    change = frame.astype(np.float32) - seen
    rows, columns = (-(-side // BLOCK) for side in change.shape[:2])
    missing = rows * BLOCK - change.shape[0], columns * BLOCK - change.shape[1]
    change = np.pad(change, [(0, missing[0]), (0, missing[1]), (0, 0)])
    parts = BLOCK // PATCH
    patches = change.reshape(rows, parts, PATCH, columns, parts, PATCH, 3).mean((2, 5))
    return grow((np.abs(patches) > CHANGE).any((1, 3, 4)))


def _cover(changed: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Covers blocks with windows that do not touch, each with its margin."""
    covered = grow(changed, MARGIN)
    while True:
        labels, _ = label_regions(covered)
        windows = scipy.ndimage.find_objects(labels)
        before = covered.sum()
        for window in windows:  # those that meet become one
            covered[window] = True
        if covered.sum() == before:
            yield from windows
            return


def _find_pixels(window: tuple[slice, slice], shape) -> tuple[slice, slice]:
    """Finds the pixels of a window of blocks; at the far margin it is moved inside."""
    pixels = []
    for blocks, side in zip(window, shape[:2], strict=True):
        stop = min(blocks.stop * BLOCK, side)
        pixels.append(slice(max(0, stop - (blocks.stop - blocks.start) * BLOCK), stop))
    return pixels[0], pixels[1]
