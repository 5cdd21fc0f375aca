"""Measures of estimated depth: metrics, and the order of marked pairs."""

from fgbg_tfds.depth.measures.metrics import NAMES, average_metrics
from fgbg_tfds.depth.measures.ordinal import (
    compute_object_ratio,
    judge_by_row,
    judge_pairs,
    read_pairs,
    read_trimmed,
)

__all__ = [
    "NAMES",
    "average_metrics",
    "compute_object_ratio",
    "judge_by_row",
    "judge_pairs",
    "read_pairs",
    "read_trimmed",
]
