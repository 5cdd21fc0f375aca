"""Metrics of mask and depth: sums for each picture first, one figure at the end.

Sums of pictures can be gathered from any number of batches, devices and machines, in
any order, and give the same figure.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from keras import ops

from trainer.contract import DEPTH_UNITS, MAX_DEPTH, PROBABILITY_THRESHOLD

MIN_DEPTH = 1 / DEPTH_UNITS  # metres, the least that can be stored
TOLERANCE = 2  # pixels that a boundary may be off
MASK_SUMS = ("hits", "false_alarms", "misses")
BOUNDARY_SUMS = (
    "found_boundary",
    "true_boundary",
    "found_boundary_met",
    "true_boundary_met",
    "background",
    "background_found",
)
DEPTH_SUMS = (
    "pixels",
    "pictures",
    "relative",
    "squared_relative",
    "squared",
    "squared_log",
    "silog",
    "within_1",
    "within_2",
    "within_3",
)


def sum_mask_pixels(predicted, mask, weights=1.0) -> dict:
    """Counts the pixels where the two masks of each picture agree and differ.

    Args:
      predicted: float32 [N, H, W, 1]; >= 0.5 is foreground.
      mask: float32 [N, H, W, 1]; >= 0.5 is foreground.
      weights: float32, broadcasts to [N, H, W, 1]; 0 leaves a pixel out.

    Returns:
      'hits', 'false_alarms' and 'misses', each float32 [N], pixels.
    """
    found = ops.cast(predicted >= PROBABILITY_THRESHOLD, "float32")
    true = ops.cast(mask >= PROBABILITY_THRESHOLD, "float32")

    def count(values):
        return ops.sum(values * weights, (1, 2, 3))

    return {
        "hits": count(found * true),
        "false_alarms": count(found * (1 - true)),
        "misses": count((1 - found) * true),
    }


def compute_mask_metrics(sums: Mapping[str, np.ndarray]) -> dict[str, float]:
    r"""Computes IoU, precision, recall and F over all pixels of all pictures.

    With hits h, false alarms a and misses m: IoU = h / (h + a + m),
    precision = h / (h + a), recall = h / (h + m), F = 2h / (2h + a + m).
    A quotient of 0 by 0 counts as 1: nothing was there and nothing was found.

    Args:
      sums: Output of `sum_mask_pixels` for any number of pictures.

    Returns:
      'mask_iou', 'mask_precision', 'mask_recall', 'mask_f', each 0 to 1.
    """
    hits, false_alarms, misses = (
        float(np.sum(sums[name], dtype=np.float64))
        for name in ("hits", "false_alarms", "misses")
    )
    return {
        "mask_iou": _divide(hits, hits + false_alarms + misses),
        "mask_precision": _divide(hits, hits + false_alarms),
        "mask_recall": _divide(hits, hits + misses),
        "mask_f": _divide(2 * hits, 2 * hits + false_alarms + misses),
    }


def sum_boundary_pixels(predicted, mask) -> dict:
    """Counts the pixels of each picture for boundary F and the false-positive rate.

    A boundary pixel is one whose right, lower or lower right neighbour is on the
    other side, as in the DAVIS benchmark. It is met where the other mask has a
    boundary pixel at most `TOLERANCE` pixels away, in a straight line.

    Args:
      predicted: float32 [N, H, W, 1]; >= 0.5 is foreground.
      mask: float32 [N, H, W, 1]; >= 0.5 is foreground.

    Returns:
      'found_boundary' and 'true_boundary', pixels; 'found_boundary_met' and
      'true_boundary_met', those of them that the other one has near; 'background',
      pixels that are not foreground, and 'background_found', those of them that were
      taken for foreground. Each float32 [N].
    """
    found = ops.cast(predicted >= PROBABILITY_THRESHOLD, "float32")
    true = ops.cast(mask >= PROBABILITY_THRESHOLD, "float32")
    edges = {"found": _find_boundary(found), "true": _find_boundary(true)}

    def count(values):
        return ops.sum(values, (1, 2, 3))

    return {
        "found_boundary": count(edges["found"]),
        "true_boundary": count(edges["true"]),
        "found_boundary_met": count(edges["found"] * _grow(edges["true"])),
        "true_boundary_met": count(edges["true"] * _grow(edges["found"])),
        "background": count(1 - true),
        "background_found": count(found * (1 - true)),
    }


def compute_boundary_metrics(sums: Mapping[str, np.ndarray]) -> dict[str, float]:
    r"""Computes boundary F and the false-positive rate.

    With P the fraction of the found boundary that is met and R that of the true one,
    F = 2PR / (P + R) of each picture, averaged over pictures, as in Csurka et al.,
    What is a good evaluation measure for semantic segmentation?, BMVC 2013, and
    Perazzi et al., A Benchmark Dataset and Evaluation Methodology for Video Object
    Segmentation, CVPR 2016. F is 1 where there is neither boundary, 0 where there is
    one alone. The false-positive rate is that of all background pixels together.

    Args:
      sums: Output of `sum_boundary_pixels` for any number of pictures.

    Returns:
      'mask_boundary_f' and 'mask_false_positive_rate', each 0 to 1.
    """
    exact = {name: np.asarray(v, np.float64) for name, v in sums.items()}
    found, true = exact["found_boundary"], exact["true_boundary"]
    precision = exact["found_boundary_met"] / np.maximum(found, 1)
    recall = exact["true_boundary_met"] / np.maximum(true, 1)
    # An F of 0 by 0 is that of no boundary at all, or of two that never meet.
    f = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    f = np.where(found + true == 0, 1.0, f)
    background = float(exact["background"].sum())
    alarms = float(exact["background_found"].sum())
    return {
        "mask_boundary_f": float(f.mean()),
        "mask_false_positive_rate": alarms / max(background, 1.0),
    }


def sum_depth_errors(predicted, depth, weights=1.0) -> dict:
    """Sums the errors of depth over the pixels of each picture that have depth.

    Args:
      predicted: float32 [N, H, W, 1], metres; clipped to 1/256 to 80.
      depth: float32 [N, H, W, 1], metres; 0 is unknown.
      weights: float32, broadcasts to [N, H, W, 1]; 0 leaves a pixel out.

    Returns:
      `DEPTH_SUMS` by name, each float32 [N], for `compute_depth_metrics`.
    """
    predicted, depth = ops.cast(predicted, "float32"), ops.cast(depth, "float32")
    known = ops.cast(depth > 0, "float32") * weights
    true = ops.where(depth > 0, depth, 1.0)
    guess = ops.clip(predicted, MIN_DEPTH, MAX_DEPTH)
    error = guess - true
    log_error = ops.log(guess) - ops.log(true)
    ratio = ops.maximum(guess / true, true / guess)

    def total(values):
        return ops.sum(values * known, (1, 2, 3))

    pixels = total(ops.ones_like(true))
    mean = total(log_error) / ops.maximum(pixels, 1.0)
    centred = ops.where(known > 0, log_error - mean[:, None, None, None], 0.0)
    variance = total(centred**2) / ops.maximum(pixels, 1.0)
    return {
        "pixels": pixels,
        "pictures": ops.cast(pixels > 0, "float32"),
        "relative": total(ops.abs(error) / true),
        "squared_relative": total(error**2 / true),
        "squared": total(error**2),
        "squared_log": total(log_error**2),
        "silog": ops.sqrt(variance),
        "within_1": total(ops.cast(ratio < 1.25, "float32")),
        "within_2": total(ops.cast(ratio < 1.25**2, "float32")),
        "within_3": total(ops.cast(ratio < 1.25**3, "float32")),
    }


def compute_depth_metrics(sums: Mapping[str, np.ndarray]) -> dict[str, float]:
    r"""Computes the depth metrics of Eigen et al. 2014, and KITTI's SILog.

    With y the prediction, y* the truth and T all pixels of known depth of all
    pictures: abs rel = mean |y - y*| / y*, sq rel = mean (y - y*)² / y*,
    RMSE = root of mean (y - y*)², RMSE log = root of mean (log y - log y*)²,
    δn = fraction of T with max(y / y*, y* / y) < 1.25ⁿ. SILog is 100 times the standard
    deviation of log y - log y* within a picture, averaged over pictures.

    Args:
      sums: Output of `sum_depth_errors` for any number of pictures.

    Returns:
      'depth_abs_rel', 'depth_sq_rel' (m), 'depth_rmse' (m), 'depth_rmse_log',
      'depth_silog' (in 1/100), 'depth_delta_1', 'depth_delta_2', 'depth_delta_3';
      all NaN where no depth is known.
    """
    totals = {name: float(np.sum(v, dtype=np.float64)) for name, v in sums.items()}
    pixels, pictures = totals["pixels"], totals["pictures"]
    if not pixels:
        return dict.fromkeys(DEPTH_METRICS, float("nan"))
    return {
        "depth_abs_rel": totals["relative"] / pixels,
        "depth_sq_rel": totals["squared_relative"] / pixels,
        "depth_rmse": (totals["squared"] / pixels) ** 0.5,
        "depth_rmse_log": (totals["squared_log"] / pixels) ** 0.5,
        "depth_silog": 100 * totals["silog"] / pictures,
        "depth_delta_1": totals["within_1"] / pixels,
        "depth_delta_2": totals["within_2"] / pixels,
        "depth_delta_3": totals["within_3"] / pixels,
    }


MASK_METRICS = ("mask_iou", "mask_precision", "mask_recall", "mask_f")
BOUNDARY_METRICS = ("mask_boundary_f", "mask_false_positive_rate")
DEPTH_METRICS = (
    "depth_abs_rel",
    "depth_sq_rel",
    "depth_rmse",
    "depth_rmse_log",
    "depth_silog",
    "depth_delta_1",
    "depth_delta_2",
    "depth_delta_3",
)


def _divide(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _find_boundary(mask):
    """Finds pixels that differ from a neighbour to the right or below; [N, H, W, 1]."""
    wide = ops.pad(mask, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="symmetric")
    neighbours = wide[:, :-1, 1:], wide[:, 1:, :-1], wide[:, 1:, 1:]
    differences = [ops.abs(mask - neighbour) for neighbour in neighbours]
    return ops.maximum(ops.maximum(*differences[:2]), differences[2])


def _grow(pixels):
    """Grows a set of pixels by a disc of radius `TOLERANCE`; [N, H, W, 1]."""
    reach = np.arange(-TOLERANCE, TOLERANCE + 1)
    disc = np.hypot(*np.meshgrid(reach, reach)) <= TOLERANCE
    kernel = ops.convert_to_tensor(disc[:, :, None, None], "float32")
    counts = ops.conv(pixels, kernel, padding="same", data_format="channels_last")
    return ops.cast(counts >= 0.5, "float32")
