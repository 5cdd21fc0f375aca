"""Measures of estimated depth: metrics, and the order of marked pairs."""

from fgbg_tfds.depth.measures.metrics import NAMES, average_metrics
from fgbg_tfds.depth.measures.ordinal import (
    MarkedPair,
    check_pairs,
    compute_object_ratio,
    judge_by_row,
    judge_pairs,
    read_pairs,
    read_trimmed,
)

__all__ = [
    "NAMES",
    "MarkedPair",
    "average_metrics",
    "check_pairs",
    "compute_object_ratio",
    "judge_by_row",
    "judge_pairs",
    "read_pairs",
    "read_trimmed",
]
