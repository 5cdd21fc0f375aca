"""Figures for people."""

from __future__ import annotations

import io

import matplotlib.colors
import matplotlib.figure
import numpy as np


def predictions(
    bg: np.ndarray,
    fgbg: np.ndarray,
    mask: np.ndarray,
    predicted_mask: np.ndarray,
    depth: np.ndarray,
    predicted_depth: np.ndarray,
) -> bytes:
    """Draws a row for every example, true labels beside predicted ones.

    Both depths of all rows share one scale, logarithmic as the eye wants it.

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
    least, most = np.percentile(known, [1, 99])
    scale = matplotlib.colors.LogNorm(max(least, 0.1), max(most, least * 1.1, 0.2))
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
             if scale.vmin <= t <= scale.vmax]  # fmt: skip
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    memory = io.BytesIO()
    figure.savefig(memory, dpi=80, format="png")
    return memory.getvalue()
