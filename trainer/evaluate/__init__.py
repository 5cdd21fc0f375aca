"""Measures runs beside baselines, and reports on them."""

from trainer.evaluate.evaluator import OWN_ROW, Evaluator, validate
from trainer.evaluate.metrics import (
    MASK_SUMS,
    compute_mask_metrics,
    sum_mask_pixels,
)
from trainer.evaluate.report import write_report
from trainer.evaluate.tables import format_report, format_table

__all__ = [
    "MASK_SUMS",
    "OWN_ROW",
    "Evaluator",
    "compute_mask_metrics",
    "format_report",
    "format_table",
    "sum_mask_pixels",
    "validate",
    "write_report",
]
