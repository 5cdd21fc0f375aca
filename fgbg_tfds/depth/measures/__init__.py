"""Measures of estimated depth: metrics, marked pairs, photos with measured depth."""

from fgbg_tfds.depth.measures.measured import MeasuredPhoto, read_measured, stretch
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
    "MeasuredPhoto",
    "average_metrics",
    "check_pairs",
    "compute_object_ratio",
    "judge_by_row",
    "judge_pairs",
    "read_measured",
    "read_pairs",
    "read_trimmed",
    "stretch",
]
