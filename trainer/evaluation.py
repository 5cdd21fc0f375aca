"""The report on held-out examples: figures beside the baselines', and pictures."""

from __future__ import annotations

import json
import logging

import numpy as np
import tensorflow as tf

from trainer import baselines, data, distribution, figures, metrics
from trainer.files import write_atomically
from trainer.state import State

LOG = logging.getLogger("trainer")

SHOWN = 8  # examples of predictions.png


def report(state: State) -> dict:
    """Evaluates on the test split; writes metrics.json and predictions.png.

    Args:
      state: A trained run.

    Returns:
      What metrics.json says: 'network' and 'baselines' by name, each with the figures
      of `trainer.metrics`, at the full size of the data set's pictures.

    Raises:
      UserError: If a split is missing, or the files cannot be written.
    """
    settings = state.settings
    threshold = baselines.best_threshold(
        (batch["change"][batch["real"]], batch["mask"][batch["real"]])
        for batch in _batches(state, settings.validation_split)
    )
    sums = Evaluator(state)(settings.test_split, threshold)
    result = {
        "dataset": state.builder.info.full_name,
        "fingerprint": data.fingerprint(state.builder),
        "split": settings.test_split,
        "examples": len(sums["network"]["hits"]),
        "model": settings.model,
        "step": int(state.step.numpy()),
        "network": _figures(sums["network"]),
        "baselines": {
            "background_subtraction": {
                "threshold": threshold,
                **metrics.mask_metrics(sums["background_subtraction"]),
            },
            "mean_depth_map": metrics.depth_metrics(sums["mean_depth_map"]),
        },
    }
    if distribution.is_chief(state.strategy):
        write_atomically(
            state.folder / "metrics.json", json.dumps(result, indent=2) + "\n"
        )
        shown = _shown(state)
        write_atomically(state.folder / "predictions.png", figures.predictions(**shown))
        for line in table(result):
            LOG.info("%s", line)
    return result


class Evaluator:
    """Measures a run's averaged weights, and the baselines, on whole splits."""

    def __init__(self, state: State):
        """Makes the function that measures a batch.

        Args:
          state: The run.
        """
        self._state = state
        strategy = state.strategy
        mean_depth = tf.constant(state.mean_depth[None, :, :, None])

        def replica_sums(batch, threshold):
            mask, depth = batch["mask"], batch["depth"]
            size = tuple(mask.shape[1:3])
            found, metres = state.averaged.predict(batch["bg"], batch["fgbg"], size)
            subtracted = tf.cast(tf.round(batch["change"]) >= threshold, tf.float32)
            sums = {
                "network": {
                    **metrics.mask_sums(found, mask),
                    **metrics.depth_sums(metres, depth),
                },
                "background_subtraction": metrics.mask_sums(subtracted, mask),
                "mean_depth_map": metrics.depth_sums(
                    tf.broadcast_to(mean_depth, tf.shape(depth)), depth
                ),
            }
            return sums, tf.cast(batch["real"], tf.int32)

        @tf.function
        def measure(batch, threshold):
            results = strategy.run(replica_sums, args=(batch, threshold))
            return tf.nest.map_structure(
                lambda value: strategy.gather(value, axis=0), results
            )

        self._measure = measure

    def __call__(self, split: str, threshold: int = 0) -> dict:
        """Sums of errors of the network and of the baselines, for every example.

        Args:
          split: Split to evaluate on.
          threshold: Of background subtraction.

        Returns:
          'network', 'background_subtraction', 'mean_depth_map': what `mask_sums` and
          `depth_sums` gave, each float32 [examples], the same on every worker.
        """
        parts = []
        for batch in _distributed(self._state, split):
            sums, real = self._measure(batch, tf.constant(threshold, tf.float32))
            there = real.numpy() > 0
            parts.append(tf.nest.map_structure(lambda v, t=there: v.numpy()[t], sums))
        return tf.nest.map_structure(lambda *values: np.concatenate(values), *parts)

    def validate(self) -> dict[str, float]:
        """Figures of the network on the validation split.

        Returns:
          Those of `trainer.metrics`, and 'score', by which the best weights are
          chosen: the mean of mask IoU and depth's δ1.
        """
        sums = self(self._state.settings.validation_split)["network"]
        figures = _figures(sums)
        depth = figures["depth_delta_1"]
        score = figures["mask_iou"] + (depth if depth == depth else 0.0)
        return {**figures, "score": score / 2}


def table(result: dict) -> list[str]:
    """Lines of a table of a report, for people."""
    rows = {result["model"]: result["network"], **result["baselines"]}
    columns = (*metrics.MASK_METRICS[:1], "mask_f", *metrics.DEPTH_METRICS)
    names = [column.replace("mask_", "").replace("depth_", "") for column in columns]
    head = f"{'on ' + result['split']:24}" + "".join(f"{name:>10}" for name in names)
    lines = [head]
    for name, row in rows.items():
        cells = [f"{row[c]:10.4f}" if c in row else f"{'-':>10}" for c in columns]
        lines.append(f"{name:24}" + "".join(cells))
    return lines


def _figures(sums: dict) -> dict[str, float]:
    return {**metrics.mask_metrics(sums), **metrics.depth_metrics(sums)}


def _batch_size(state: State) -> int:
    """About 32 at a time, and something for every device."""
    replicas = state.strategy.num_replicas_in_sync
    return replicas * max(1, 32 // replicas)


def _batches(state: State, split: str):
    """All examples of a split as numpy, in this process alone."""
    return data.evaluation_batches(
        state.builder, split, size=state.settings.size, batch_size=32
    ).as_numpy_iterator()


def _distributed(state: State, split: str):
    def batches(context):
        return data.evaluation_batches(
            state.builder,
            split,
            size=state.settings.size,
            batch_size=_batch_size(state),
            worker=context.input_pipeline_id,
            workers=context.num_input_pipelines,
            replicas=context.num_replicas_in_sync,
        )

    return state.strategy.distribute_datasets_from_function(batches)


def _shown(state: State) -> dict:
    """Some test examples, spread evenly over the split, with predictions."""
    split = state.settings.test_split
    number = data.count(state.builder, split)
    chosen = set(np.linspace(0, number - 1, min(SHOWN, number)).astype(int).tolist())
    rows = {name: [] for name in ("bg", "fgbg", "mask", "depth")}
    for index, example in enumerate(data.pictures(state.builder, split)):
        if index in chosen:
            for name, values in rows.items():
                values.append(example[name])
    full = {name: np.stack(values) for name, values in rows.items()}
    size = full["mask"].shape[1:3]
    feed = (data.fit(full[name], state.settings.size) for name in ("bg", "fgbg"))
    mask, metres = state.averaged.predict(*feed, size)
    return {
        "bg": full["bg"],
        "fgbg": full["fgbg"],
        "mask": full["mask"] / 255.0,
        "predicted_mask": np.asarray(mask),
        "depth": full["depth"] / 256.0,
        "predicted_depth": np.asarray(metres),
    }
