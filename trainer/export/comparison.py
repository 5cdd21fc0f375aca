"""Comparing an exported file, run in its own runtime, with the network it is of."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from trainer.errors import UserError, summarise
from trainer.export.formats import Format
from trainer.runtimes import open_network

OFF = 0.1  # difference of two masks from which a pixel is counted

Pair = tuple[np.ndarray, np.ndarray]  # empty scene and frame, uint8 [H, W, 3]


@dataclasses.dataclass(frozen=True)
class Difference:
    """How far the answers of two networks are apart.

    Attributes:
      mask: Share of pixels whose masks differ by more than `OFF`.
      iou: IoU of both masks at 0.5; 1 where both are empty.
      depth: Mean relative difference of depth.
    """

    mask: float
    iou: float
    depth: float

    def __str__(self) -> str:
        """Tells it in words."""
        return (
            f"mask off by more than {OFF:g} on {self.mask:.3%} of pixels, IoU "
            f"{self.iou:.4f}; depth off by {self.depth:.3%}"
        )


def check_file(
    path: pathlib.Path, kind: Format, reference: Callable, pairs: Sequence[Pair]
) -> Difference:
    """Runs a file in its runtime, and compares it with the network.

    Args:
      path: The file.
      kind: Its format.
      reference: The network, as the signature `images` of a SavedModel.
      pairs: Pictures to compare answers for.

    Returns:
      The greatest differences.

    Raises:
      UserError: If the runtime cannot run it, or the answers are too far apart.
    """
    try:
        network = open_network(path)
    except UserError as error:
        raise UserError(
            f"{kind.name}: the network was converted, but its runtime cannot load it: "
            f"{summarise(error)}"
        ) from error
    found = []
    for bg, fgbg in pairs:
        answers = reference(bg=tf.constant(bg[None]), fgbg=tf.constant(fgbg[None]))
        expected = [answers[name][0].numpy() for name in ("mask", "depth")]
        try:
            found.append(measure_difference(network(bg, fgbg), expected))
        except Exception as error:  # each runtime has its own
            raise UserError(
                f"{kind.name}: the network was converted, but its runtime cannot run "
                f"it: {summarise(error)}"
            ) from error
    worst = Difference(
        max(each.mask for each in found),
        min(each.iou for each in found),
        max(each.depth for each in found),
    )
    # Written so that what is no number is refused.
    if not (worst.mask <= kind.max_mask and worst.depth <= kind.max_depth):
        raise UserError(
            f"{kind.name}: the converted network does not answer as the network does: "
            f"{worst}; allowed are {kind.max_mask:.3%} and {kind.max_depth:.3%}"
        )
    return worst


def measure_difference(one: Sequence, other: Sequence) -> Difference:
    """Measures how far answers are apart, each mask and depth, float32 [H, W, 1].

    Raises:
      ValueError: If they have different sizes.
    """
    (mask, depth), (expected, metres) = one, other
    if not mask.shape == expected.shape == depth.shape == metres.shape:
        raise ValueError(f"answers of {mask.shape} in place of {expected.shape}")
    new, wanted = mask >= 0.5, expected >= 0.5
    either = (new | wanted).sum()
    return Difference(
        float(np.mean(~(np.abs(mask - expected) <= OFF))),
        float((new & wanted).sum() / either) if either else 1.0,
        float(np.mean(np.abs(depth / metres - 1))),
    )
