"""Measures networks and baselines on whole splits, on any number of devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from trainer.data import Mixture, make_evaluation_batches
from trainer.evaluate.baselines import subtract
from trainer.evaluate.metrics import (
    BOUNDARY_SUMS,
    DEPTH_SUMS,
    MASK_SUMS,
    compute_depth_metrics,
    compute_mask_metrics,
    sum_boundary_pixels,
    sum_depth_errors,
    sum_mask_pixels,
)
from trainer.evaluate.results import MEAN_DEPTH, SUBTRACTIONS
from trainer.runs import Run

OWN_ROW = "network"  # row of the network where there is but one


class Evaluator:
    """Measures networks, and optionally the baselines, on whole splits."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        runs: Mapping[str, Run],
        thresholds: int = 0,
    ):
        """Makes the function that measures a batch.

        Args:
          strategy: Shares the batches among devices.
          runs: Networks by the names of their rows; the first one's mean depth is the
            baseline of depth.
          thresholds: Number of thresholds of background subtraction that each call
            will be given.
        """
        self._strategy = strategy
        subtractions = SUBTRACTIONS[:thresholds]
        masks = MASK_SUMS + BOUNDARY_SUMS
        self._columns = [
            *((row, name) for row in subtractions for name in masks),
            *((MEAN_DEPTH, name) for name in DEPTH_SUMS),
            *((row, name) for row in runs for name in masks + DEPTH_SUMS),
        ]
        mean_depth = next(iter(runs.values())).mean_depth
        mean_depth = tf.constant(mean_depth[None, :, :, None])

        def measure_replica(batch, thresholds):
            mask, depth = batch["mask"], batch["depth"]
            rows = {}
            for row, threshold in zip(
                subtractions, tf.unstack(thresholds), strict=True
            ):
                found = subtract(batch["change"], threshold)
                rows[row] = _sum_mask(found, mask)
            everywhere = tf.broadcast_to(mean_depth, tf.shape(depth))
            rows[MEAN_DEPTH] = sum_depth_errors(everywhere, depth)
            for row, run in runs.items():
                found, metres = run.predict(
                    batch["bg"], batch["fgbg"], tuple(mask.shape[1:3])
                )
                rows[row] = _sum_mask(found, mask) | sum_depth_errors(metres, depth)
            # One tensor, since each gathering costs a round over all devices.
            sums = tf.stack([rows[row][name] for row, name in self._columns], -1)
            return sums, tf.cast(batch["real"], tf.int32)

        @tf.function(autograph=False)
        def measure(batch, thresholds):
            results = strategy.run(measure_replica, args=(batch, thresholds))
            return [strategy.gather(value, axis=0) for value in results]

        self._measure = measure

    def measure(
        self,
        mixture: Mixture,
        thresholds: Sequence[int] = (),
        pairs: str = "clean",
        on_batch: Callable[[], object] = lambda: None,
    ) -> dict[str, dict[str, np.ndarray]]:
        """Sums the errors of the networks and of the baselines in every example.

        Args:
          mixture: Data sets and split.
          thresholds: Of background subtraction, as many as were announced.
          pairs: One of `trainer.data.PAIRS`.
          on_batch: Called after every batch.

        Returns:
          By row the sums of `trainer.evaluate.metrics`, each float32 [examples], the
          same on every worker.
        """
        levels = tf.constant(thresholds, tf.float32, shape=[len(thresholds)])
        batches = []
        for batch in self._distribute(mixture, pairs):
            sums, real = (value.numpy() for value in self._measure(batch, levels))
            batches.append(sums[real > 0])
            on_batch()
        rows: dict[str, dict[str, np.ndarray]] = {}
        columns = np.concatenate(batches).T
        for (row, name), values in zip(self._columns, columns, strict=True):
            rows.setdefault(row, {})[name] = values
        return rows

    @property
    def batch_size(self) -> int:
        """Examples in a batch: about 32, and at least one for each device."""
        replicas = self._strategy.num_replicas_in_sync
        return replicas * max(1, 32 // replicas)

    def _distribute(self, mixture: Mixture, pairs: str):
        """Makes batches at the pictures' full size, so that all networks see them."""
        return self._strategy.distribute_datasets_from_function(
            lambda context: make_evaluation_batches(
                mixture,
                size=mixture.picture_size,
                batch_size=self.batch_size,
                pairs=pairs,
                context=context,
            )
        )


def validate(evaluator: Evaluator, mixture: Mixture) -> dict[str, float]:
    """Measures the network on the validation split.

    Args:
      evaluator: Measures one network, called `OWN_ROW`.
      mixture: Data sets and validation split.

    Returns:
      Figures of `trainer.evaluate.metrics`, and 'score', which chooses the best
      weights: the mean of mask IoU and of depth's δ < 1.25.
    """
    sums = evaluator.measure(mixture)[OWN_ROW]
    figures = compute_mask_metrics(sums) | compute_depth_metrics(sums)
    depth = figures["depth_delta_1"]
    score = figures["mask_iou"] + (0.0 if np.isnan(depth) else depth)
    return figures | {"score": score / 2}


def _sum_mask(found, mask) -> dict:
    return sum_mask_pixels(found, mask) | sum_boundary_pixels(found, mask)
