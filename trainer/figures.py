"""Pictures for people: predictions, depth as colour, overlays."""

from __future__ import annotations

import functools
import io

import matplotlib
import matplotlib.colors
import matplotlib.figure
import numpy as np
import PIL.Image
import PIL.ImageFilter

from trainer.contract import MAX_DEPTH, PROBABILITY_THRESHOLD

NEAREST, FARTHEST = 1.0, MAX_DEPTH  # metres of the brightest and the darkest colour
NEW = (255, 48, 48)  # colour of new pixels


def draw_predictions(
    bg: np.ndarray,
    fgbg: np.ndarray,
    mask: np.ndarray,
    predicted_mask: np.ndarray,
    depth: np.ndarray,
    predicted_depth: np.ndarray,
) -> bytes:
    """Draws a row for every example, true labels beside predicted ones.

    Both depths of all rows share one logarithmic scale.

    Args:
      bg: uint8 [N, H, W, 3].
      fgbg: uint8 [N, H, W, 3].
      mask: float [N, H, W, 1], 0 to 1.
      predicted_mask: float [N, H, W, 1], 0 to 1.
      depth: float [N, H, W, 1], metres; 0 is unknown and left white.
      predicted_depth: float [N, H, W, 1], metres.

    Returns:
      A PNG.
    """
    columns = {
        "bg": bg,
        "fgbg": fgbg,
        "mask": mask,
        "predicted mask": predicted_mask,
        "depth": np.ma.masked_equal(depth, 0),
        "predicted depth": predicted_depth,
    }
    known = np.concatenate([depth[depth > 0].ravel(), predicted_depth.ravel()])
    low, high = np.percentile(known, [1, 99])
    low, high = max(low, 0.1), max(high, low * 1.1, 0.2)
    scale = matplotlib.colors.LogNorm(low, high)
    figure = matplotlib.figure.Figure(
        figsize=(2 * len(columns) + 1, 2 * len(bg) + 0.4), layout="constrained"
    )
    axes = figure.subplots(len(bg), len(columns), squeeze=False)
    for row, cells in enumerate(axes):
        for axis, (name, pictures) in zip(cells, columns.items(), strict=True):
            axis.set_axis_off()
            if row == 0:
                axis.set_title(name)
            if "depth" in name:
                shown = axis.imshow(pictures[row, ..., 0], cmap="magma_r", norm=scale)
            elif "mask" in name:
                axis.imshow(pictures[row, ..., 0], cmap="gray", vmin=0, vmax=1)
            else:
                axis.imshow(pictures[row])
    bar = figure.colorbar(shown, ax=axes[:, -1], label="depth, metres", aspect=40)
    ticks = [t for t in (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 80)
             if low <= t <= high]  # fmt: skip
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    memory = io.BytesIO()
    figure.savefig(memory, dpi=80, format="png")
    return memory.getvalue()


def colour_depth(depth: np.ndarray) -> np.ndarray:
    """Colours depth, with the same colours for the same metres in every picture.

    Near is bright, on a logarithmic scale from `NEAREST` to `FARTHEST`.

    Args:
      depth: float [..., H, W, 1], metres; 0 is unknown and comes out black.

    Returns:
      uint8 [..., H, W, 3].
    """
    metres = depth[..., 0]
    far = np.log(np.clip(metres, NEAREST, FARTHEST) / NEAREST)
    level = np.rint(255 * (1 - far / np.log(FARTHEST / NEAREST))).astype(np.uint8)
    return np.where(metres[..., None] > 0, _make_palette()[level], np.uint8(0))


def draw_overlay(
    frame: np.ndarray, mask: np.ndarray, threshold: float = PROBABILITY_THRESHOLD
) -> np.ndarray:
    """Tints new pixels of a frame and draws a line around them.

    Args:
      frame: uint8 [H, W, 3].
      mask: float [H, W, 1], 0 to 1.
      threshold: Of the mask; from here on is inside the line.

    Returns:
      uint8 [H, W, 3].
    """
    tint = 0.45 * np.clip(mask, 0, 1)
    tinted = np.rint(frame * (1 - tint) + np.array(NEW) * tint).astype(np.uint8)
    inside = mask[..., 0] >= threshold
    reach = max(1, round(min(inside.shape) / 300))  # pixels
    grown = PIL.Image.fromarray(inside).filter(PIL.ImageFilter.MaxFilter(2 * reach + 1))
    line = np.asarray(grown) & ~inside
    return np.where(line[..., None], np.array(NEW, np.uint8), tinted)


@functools.cache
def _make_palette() -> np.ndarray:
    """Computes the palette, uint8 [256, 3], dark to bright."""
    return np.rint(matplotlib.colormaps["magma"](range(256))[:, :3] * 255).astype("u1")
