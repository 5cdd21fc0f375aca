"""Measures networks and baselines on whole splits, and reports on a run."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from trainer import data, distribution, figures
from trainer.errors import UserError
from trainer.evaluate import baselines, metrics, tables, timing
from trainer.evaluate import results as reporting
from trainer.evaluate.results import Block
from trainer.files import write_atomically
from trainer.runs import Run, run_at_hand, runs_of
from trainer.train.state import State

LOG = logging.getLogger("trainer")

SHOWN = 8  # examples of predictions.png
CROSS = "cross"  # the data contract's split of pictures that other splits have apart


def report(state: State) -> dict:
    """Evaluates; writes metrics.json, report.md and predictions.png.

    On the test split: as it is, perturbed with a fixed seed, and as pairs with nothing
    new. On parts of the other splits: as they are, and perturbed. A short report is
    on the test split as it is alone.

    Args:
      state: A trained run.

    Returns:
      What metrics.json says: 'network' and 'baselines' by name, each with the figures
      of `trainer.metrics` on the test split as it is, at the full size of the data
      set's pictures; 'test' and 'generalisation', what the tables say; 'timing'.

    Raises:
      UserError: If a split is missing, another run cannot be compared, or the files
        cannot be written.
    """
    runs = runs_of(state)
    blocks, thresholds = _measure(state, runs)
    result = {
        "dataset": data.full_name(state.builders),
        "fingerprint": data.fingerprint(state.builders),
        "split": state.settings.test_split,
        "model": state.settings.model,
        "step": int(state.step.numpy()),
        **reporting.result(blocks, runs, thresholds, state.settings.test_split),
    }
    if distribution.is_chief(state.strategy):
        example = next(data.pictures(state.builders, state.settings.test_split))
        result["timing"] = timing.time_rows(runs, example["bg"], example["fgbg"])
        path = state.folder / "metrics.json"
        write_atomically(path, json.dumps(result, indent=2) + "\n")
        path = state.folder / "report.md"
        write_atomically(path, tables.markdown(result))
        shown = _shown(state)
        write_atomically(state.folder / "predictions.png", figures.predictions(**shown))
        for line in tables.tables(result):
            LOG.info("%s", line)
        LOG.info("what the columns mean: %s", path)
    return result


class Evaluator:
    """Measures networks, and the baselines, on whole splits."""

    def __init__(self, state: State, runs: Mapping[str, Run] | None = None):
        """Makes the function that measures a batch.

        Args:
          state: The run, for its strategy and data sets.
          runs: Networks by name of their rows; that of the run, 'network', if None.
        """
        self._state = state
        self._columns = ()
        runs = runs or {"network": run_at_hand(state)}
        strategy = state.strategy
        mean_depth = tf.constant(state.mean_depth[None, :, :, None])

        def replica_sums(batch, thresholds):
            mask, depth = batch["mask"], batch["depth"]
            rows = {}
            for name, threshold in zip(
                reporting.SUBTRACTIONS, tf.unstack(thresholds), strict=False
            ):
                found = baselines.subtraction(batch["change"], threshold)
                rows[name] = _mask_sums(found, mask)
            everywhere = tf.broadcast_to(mean_depth, tf.shape(depth))
            rows[reporting.MEAN_DEPTH] = metrics.depth_sums(everywhere, depth)
            for name, run in runs.items():
                found, metres = run.predict(
                    batch["bg"], batch["fgbg"], tuple(mask.shape[1:3])
                )
                depths = metrics.depth_sums(metres, depth)
                rows[name] = {**_mask_sums(found, mask), **depths}
            sums = {(r, name): v for r, row in rows.items() for name, v in row.items()}
            self._columns = tuple(sums)
            # One tensor, since gathering each would cost a round over all devices.
            return tf.stack(list(sums.values()), -1), tf.cast(batch["real"], tf.int32)

        @tf.function
        def measure(batch, thresholds):
            results = strategy.run(replica_sums, args=(batch, thresholds))
            return [strategy.gather(value, axis=0) for value in results]

        self._measure = measure

    def __call__(
        self,
        builders,
        split,
        thresholds: tuple[int, ...] = (),
        pairs: str = "clean",
        each: Callable[[], object] = lambda: None,
    ) -> dict[str, dict[str, np.ndarray]]:
        """Sums of errors of the networks and of the baselines, for every example.

        Args:
          builders: The data set, or several.
          split: Split to evaluate on.
          thresholds: Of background subtraction, for the first of `SUBTRACTIONS`.
          pairs: 'clean', 'perturbed' or 'empty', see `trainer.data`.
          each: Called after every batch.

        Returns:
          By row what `mask_sums`, `boundary_sums` and `depth_sums` gave, each float32
          [examples], the same on every worker.
        """
        parts = []
        thresholds = tf.constant(thresholds, tf.float32)
        for batch in _distributed(self._state, builders, split, pairs):
            sums, real = (value.numpy() for value in self._measure(batch, thresholds))
            parts.append(sums[real > 0])
            each()
        rows = {}
        for (row, name), values in zip(
            self._columns, np.concatenate(parts).T, strict=True
        ):
            rows.setdefault(row, {})[name] = values
        return rows

    def validate(self) -> dict[str, float]:
        """Figures of the network on the validation split.

        Returns:
          Those of `trainer.metrics`, and 'score', by which the best weights are
          chosen: the mean of mask IoU and depth's δ1.
        """
        split = self._state.settings.validation_split
        sums = self(self._state.builders, split)["network"]
        figures = {**metrics.mask_metrics(sums), **metrics.depth_metrics(sums)}
        depth = figures["depth_delta_1"]
        score = figures["mask_iou"] + (depth if depth == depth else 0.0)
        return {**figures, "score": score / 2}


def _measure(state: State, runs: Mapping[str, Run]) -> tuple[list[Block], dict]:
    """Blocks of every table, and the thresholds by data set."""
    tasks = _tasks(state)
    size = _batch_size(state)
    batches = [math.ceil(data.count(b, part) / size) for b, _, part, _ in tasks]
    evaluator, blocks, thresholds = Evaluator(state, runs), [], {}
    with (
        logging_redirect_tqdm([LOG]),
        tqdm.tqdm(
            total=sum(batches),
            desc="evaluating",
            unit="batch",
            disable=not distribution.is_chief(state.strategy),
            dynamic_ncols=True,
            delay=10,
        ) as bar,
    ):
        for builder, split, part, pairs in tasks:
            name = builder.info.full_name
            if name not in thresholds:
                thresholds[name] = _thresholds(state, builder)
            sums = evaluator(builder, part, thresholds[name], pairs, bar.update)
            whole = data.count(builder, split)
            blocks.append(Block(name, split, pairs, whole, sums))
    return blocks, thresholds


def _tasks(state: State) -> list[tuple]:
    """What is measured: data set, split, the part of it, kind of pairs."""
    settings = state.settings
    test = settings.test_split
    if settings.report == "short":
        return [(builder, test, test, "clean") for builder in state.builders]
    held_out = (settings.validation_split, test)
    splits = dict.fromkeys((settings.train_split, CROSS, *held_out))
    tasks = []
    for builder in state.builders:
        for split in splits:
            try:
                data.count(builder, split)
            except UserError:  # only `cross` may be missing
                continue
            part = split
            if split not in held_out:
                part = data.spread(builder, split, settings.report_examples)
            kinds = reporting.PAIRS if split == test else _WITH_NEW
            tasks += [(builder, split, part, pairs) for pairs in kinds]
    return tasks


def _thresholds(state: State, builder) -> tuple[int, ...]:
    """Best on the validation split, clean and, for a full report, perturbed."""
    kinds = _WITH_NEW[:1] if state.settings.report == "short" else _WITH_NEW
    return tuple(
        baselines.best_threshold(
            (batch["change"][batch["real"]], batch["mask"][batch["real"]])
            for batch in data.evaluation_batches(
                builder,
                state.settings.validation_split,
                size=state.settings.size,
                batch_size=32,
                variant=pairs,
            ).as_numpy_iterator()
        )
        for pairs in kinds
    )


def _mask_sums(found, mask) -> dict:
    return {**metrics.mask_sums(found, mask), **metrics.boundary_sums(found, mask)}


def _batch_size(state: State) -> int:
    """About 32 at a time, and something for every device."""
    replicas = state.strategy.num_replicas_in_sync
    return replicas * max(1, 32 // replicas)


def _distributed(state: State, builders, split, pairs: str):
    """Batches at the pictures' full size, so that every network sees the same ones."""
    size = data.picture_size(builders, split)

    def batches(context):
        return data.evaluation_batches(
            builders,
            split,
            size=size,
            batch_size=_batch_size(state),
            worker=context.input_pipeline_id,
            workers=context.num_input_pipelines,
            replicas=context.num_replicas_in_sync,
            variant=pairs,
        )

    return state.strategy.distribute_datasets_from_function(batches)


def _shown(state: State) -> dict:
    """Some test examples, spread evenly over the split, with predictions."""
    split = state.settings.test_split
    number = data.count(state.builders, split)
    chosen = set(np.linspace(0, number - 1, min(SHOWN, number)).astype(int).tolist())
    rows = {name: [] for name in ("bg", "fgbg", "mask", "depth")}
    for index, example in enumerate(data.pictures(state.builders, split)):
        if index in chosen:
            for name, values in rows.items():
                values.append(example[name])
    full = {name: np.stack(values) for name, values in rows.items()}
    mask, metres = run_at_hand(state).predict(
        full["bg"], full["fgbg"], full["mask"].shape[1:3]
    )
    return {
        "bg": full["bg"],
        "fgbg": full["fgbg"],
        "mask": full["mask"] / 255.0,
        "predicted_mask": np.asarray(mask),
        "depth": full["depth"] / 256.0,
        "predicted_depth": np.asarray(metres),
    }


_WITH_NEW = reporting.PAIRS[:2]
