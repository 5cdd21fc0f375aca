"""Metrics of estimated depth.

Those of Eigen et al. 2014 (https://arxiv.org/abs/1406.2283), section 4.
With p the estimate and t the truth, both in metres, over the valid pixels:

  abs_rel   mean |p - t| / t
  sq_rel    mean (p - t)^2 / t
  rmse      sqrt(mean (p - t)^2)
  rmse_log  sqrt(mean d^2), d = log p - log t
  silog     100 sqrt(mean d^2 - (mean d)^2)
  delta_n   fraction of the pixels with max(p / t, t / p) < 1.25^n
  rank      Spearman's rank correlation of p and t
"""

from __future__ import annotations

import numpy as np

NAMES = (
    "abs_rel",
    "sq_rel",
    "rmse",
    "rmse_log",
    "silog",
    "delta_1",
    "delta_2",
    "delta_3",
    "rank",
)


def scale_by_median(estimate: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Scales an estimate so that its median is the truth's.

    Args:
      estimate: float [...], metres.
      truth: float [...], metres; 0 is unknown.

    Returns:
      float [...], metres.
    """
    valid = truth > 0
    return estimate * (np.median(truth[valid]) / np.median(estimate[valid]))


def _compute_ranks(values: np.ndarray) -> np.ndarray:
    """Computes ranks from 0; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts + 1) / 2)[inverse]


def correlate_ranks(first: np.ndarray, second: np.ndarray) -> float:
    """Computes Spearman's rank correlation.

    Args:
      first: float [n].
      second: float [n].

    Returns:
      -1 to 1; 0 where either is constant.
    """
    a, b = _compute_ranks(np.ravel(first)), _compute_ranks(np.ravel(second))
    a, b = a - a.mean(), b - b.mean()
    spread = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / spread) if spread else 0.0


def compute_metrics(estimate: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Computes the metrics of one estimate; see the head of this module.

    Args:
      estimate: float [...], metres, above 0.
      truth: float [...], metres; 0 is unknown and left out.

    Returns:
      A number for each of `NAMES`.
    """
    valid = np.asarray(truth) > 0
    p = np.asarray(estimate, np.float64)[valid]
    t = np.asarray(truth, np.float64)[valid]
    d = np.log(p) - np.log(t)
    ratio = np.maximum(p / t, t / p)
    return {
        "abs_rel": float(np.mean(np.abs(p - t) / t)),
        "sq_rel": float(np.mean((p - t) ** 2 / t)),
        "rmse": float(np.sqrt(np.mean((p - t) ** 2))),
        "rmse_log": float(np.sqrt(np.mean(d**2))),
        "silog": float(100 * np.sqrt(max(np.mean(d**2) - np.mean(d) ** 2, 0.0))),
        "delta_1": float(np.mean(ratio < 1.25)),
        "delta_2": float(np.mean(ratio < 1.25**2)),
        "delta_3": float(np.mean(ratio < 1.25**3)),
        "rank": correlate_ranks(p, t),
    }


def average_metrics(estimates, truths, median_scaled: bool) -> dict[str, float]:
    """Averages the metrics over pictures.

    Args:
      estimates: float [N, H, W], metres.
      truths: float [N, H, W], metres; 0 is unknown.
      median_scaled: Whether each estimate is scaled by its median first.

    Returns:
      A number for each of `NAMES`.
    """
    rows = []
    for estimate, truth in zip(estimates, truths, strict=True):
        if median_scaled:
            estimate = scale_by_median(estimate, truth)
        rows.append(compute_metrics(estimate, truth))
    return {name: float(np.mean([row[name] for row in rows])) for name in NAMES}
