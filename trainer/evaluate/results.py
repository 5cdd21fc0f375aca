"""The figures of a report, as they stand in metrics.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from trainer.evaluate.metrics import (
    compute_boundary_metrics,
    compute_depth_metrics,
    compute_mask_metrics,
)
from trainer.runs import Run

SUBTRACTIONS = ("background_subtraction", "background_subtraction_perturbed")
MEAN_DEPTH = "mean_depth_map"
ALL_SETS = "all data sets"

Sums = Mapping[str, Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Block:
    """The sums of one kind of pairs of one split of one data set.

    Attributes:
      dataset: Full name of the data set, or `ALL_SETS`.
      split: Name of the split.
      pairs: One of `trainer.data.PAIRS`.
      whole: Number of examples in the whole split.
      sums: For every row, sums by name, each float32 [examples].
    """

    dataset: str
    split: str
    pairs: str
    whole: int
    sums: Sums

    @property
    def examples(self) -> int:
        """Number of examples that were measured."""
        return len(next(iter(next(iter(self.sums.values())).values())))


def summarise(
    blocks: Sequence[Block],
    runs: Mapping[str, Run],
    thresholds: Mapping[str, Sequence[int]],
    test_split: str,
) -> dict:
    """Computes the figures of all blocks, as they stand in metrics.json.

    Args:
      blocks: The measured sums.
      runs: The networks by the names of their rows; the run at hand comes first.
      thresholds: Those of `SUBTRACTIONS`, by data set.
      test_split: Name of the split that is reported on.

    Returns:
      'examples', 'network' and 'baselines': the test split as it is, of all data sets;
      'networks', a description of each row's network; 'thresholds'; 'test' and
      'generalisation', a list of blocks with their figures by row.
    """
    every = [*blocks, *_pool(blocks)]
    tests = [block for block in every if block.split == test_split]
    (whole,) = [b for b in tests if b.pairs == "clean"][-1:]
    first, names = SUBTRACTIONS[0], list(thresholds)
    by_set = {name: list(values) for name, values in thresholds.items()}
    own = whole.sums[next(iter(runs))]
    return {
        "examples": whole.examples,
        "network": {**_compute_mask(own), **compute_depth_metrics(own)},
        "baselines": {
            first: {
                "threshold": by_set[names[0]][0]
                if len(names) == 1
                else {name: values[0] for name, values in by_set.items()},
                **_compute_mask(whole.sums[first]),
            },
            MEAN_DEPTH: compute_depth_metrics(whole.sums[MEAN_DEPTH]),
        },
        "networks": {
            name: {
                "workdir": str(run.folder),
                "model": run.model,
                "step": run.step,
                "parameters": run.parameters,
            }
            for name, run in runs.items()
        },
        "thresholds": by_set,
        "test": [_describe(block) for block in tests],
        "generalisation": [_describe(b) for b in every if b.pairs != "empty"],
    }


def _pool(blocks: Sequence[Block]) -> list[Block]:
    """Pools the blocks of all data sets, if there are several."""
    if len({block.dataset for block in blocks}) < 2:
        return []
    groups: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.split, block.pairs), []).append(block)
    return [
        Block(ALL_SETS, split, pairs, sum(b.whole for b in group), _concatenate(group))
        for (split, pairs), group in groups.items()
    ]


def _concatenate(group: Sequence[Block]) -> Sums:
    return {
        row: {n: np.concatenate([b.sums[row][n] for b in group]) for n in sums}
        for row, sums in group[0].sums.items()
    }


def _describe(block: Block) -> dict:
    rows = {row: _compute(sums, block.pairs) for row, sums in block.sums.items()}
    return {
        "dataset": block.dataset,
        "split": block.split,
        "pairs": block.pairs,
        "examples": block.examples,
        "whole_split": block.whole,
        "rows": {row: found for row, found in rows.items() if found},
    }


def _compute(sums: Mapping[str, np.ndarray], pairs: str) -> dict[str, float]:
    """Computes the figures that are defined: no IoU of nothing, no unknown depth."""
    found = {}
    if "hits" in sums:
        found = _compute_mask(sums)
        if pairs == "empty":
            found = {n: found[n] for n in ("mask_false_positive_rate",)}
    if "relative" in sums:
        found |= compute_depth_metrics(sums)
    return {name: value for name, value in found.items() if value == value}


def _compute_mask(sums: Mapping[str, np.ndarray]) -> dict[str, float]:
    return {**compute_mask_metrics(sums), **compute_boundary_metrics(sums)}
