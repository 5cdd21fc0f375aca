"""What a report says: the figures of every row, as they stand in metrics.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from trainer.evaluate import metrics
from trainer.runs import Run

PAIRS = ("clean", "perturbed", "empty")
SUBTRACTIONS = ("background_subtraction", "background_subtraction_perturbed")
MEAN_DEPTH = "mean_depth_map"
ALL = "all data sets"

Sums = Mapping[str, Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Block:
    """What was measured on one kind of pairs of one split of one data set.

    Attributes:
      dataset: Full name of the data set, or `ALL`.
      split: Name of the split.
      pairs: One of `PAIRS`.
      whole: Examples of the whole split.
      sums: For every row, sums by name, each float32 [examples].
    """

    dataset: str
    split: str
    pairs: str
    whole: int
    sums: Sums

    @property
    def examples(self) -> int:
        """Examples that were measured."""
        return len(next(iter(next(iter(self.sums.values())).values())))


def result(
    blocks: Sequence[Block],
    runs: Mapping[str, Run],
    thresholds: Mapping[str, Sequence[int]],
    test_split: str,
) -> dict:
    """Figures of all blocks, as they stand in metrics.json.

    Args:
      blocks: What was measured; the run at hand comes first in `runs`.
      runs: The networks by name of their rows.
      thresholds: Those of `SUBTRACTIONS`, by data set.
      test_split: Name of the split that is reported on.

    Returns:
      'examples', 'network' and 'baselines': the test split as it is, of all data sets;
      'networks', what the rows' networks are; 'thresholds'; 'test' and
      'generalisation', a list of blocks with their figures by row.
    """
    every = [*blocks, *_pooled(blocks)]
    tests = [block for block in every if block.split == test_split]
    (whole,) = [b for b in tests if b.pairs == "clean"][-1:]
    first, names = SUBTRACTIONS[0], list(thresholds)
    by_set = {name: list(values) for name, values in thresholds.items()}
    own = whole.sums[next(iter(runs))]
    return {
        "examples": whole.examples,
        "network": {**_mask_figures(own), **metrics.depth_metrics(own)},
        "baselines": {
            first: {
                "threshold": by_set[names[0]][0]
                if len(names) == 1
                else {name: values[0] for name, values in by_set.items()},
                **_mask_figures(whole.sums[first]),
            },
            MEAN_DEPTH: metrics.depth_metrics(whole.sums[MEAN_DEPTH]),
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
        "test": [_described(block) for block in tests],
        "generalisation": [_described(b) for b in every if b.pairs != "empty"],
    }


def _pooled(blocks: Sequence[Block]) -> list[Block]:
    """Blocks of all data sets together, if there are several."""
    if len({block.dataset for block in blocks}) < 2:
        return []
    groups: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.split, block.pairs), []).append(block)
    return [
        Block(ALL, split, pairs, sum(b.whole for b in group), _joined(group))
        for (split, pairs), group in groups.items()
    ]


def _joined(group: Sequence[Block]) -> Sums:
    return {
        row: {n: np.concatenate([b.sums[row][n] for b in group]) for n in sums}
        for row, sums in group[0].sums.items()
    }


def _described(block: Block) -> dict:
    rows = {row: _figures(sums, block.pairs) for row, sums in block.sums.items()}
    return {
        "dataset": block.dataset,
        "split": block.split,
        "pairs": block.pairs,
        "examples": block.examples,
        "whole_split": block.whole,
        "rows": {row: found for row, found in rows.items() if found},
    }


def _figures(sums: Mapping[str, np.ndarray], pairs: str) -> dict[str, float]:
    """Figures that mean something: no IoU of nothing, no errors of unknown depth."""
    found = {}
    if "hits" in sums:
        found = _mask_figures(sums)
        if pairs == "empty":
            found = {n: found[n] for n in ("mask_false_positive_rate",)}
    if "relative" in sums:
        found |= metrics.depth_metrics(sums)
    return {name: value for name, value in found.items() if value == value}


def _mask_figures(sums: Mapping[str, np.ndarray]) -> dict[str, float]:
    return {**metrics.mask_metrics(sums), **metrics.boundary_metrics(sums)}
