"""The report of a run: measured, written down and drawn."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from trainer import distribution, figures
from trainer.contract import DEPTH_UNITS, FEATURES, MAX_ALPHA
from trainer.data import PAIRS, Mixture, make_evaluation_batches, sample_split
from trainer.errors import UserError
from trainer.evaluate.baselines import find_best_threshold
from trainer.evaluate.evaluator import Evaluator
from trainer.evaluate.results import Block, summarise
from trainer.evaluate.tables import format_report, format_tables
from trainer.evaluate.timing import time_rows
from trainer.files import write_atomically
from trainer.runs import Run
from trainer.settings import Settings

LOG = logging.getLogger("trainer")

PICTURE_ROWS = 8  # examples of predictions.png
CROSS = "cross"  # the data contract's split of pictures that other splits keep apart
NEW_PAIRS = PAIRS[:2]  # those with something new


def write_report(runs: Mapping[str, Run], strategy: tf.distribute.Strategy) -> dict:
    """Evaluates; writes metrics.json, report.md and predictions.png.

    The test split is measured as it is, perturbed with a fixed seed, and with nothing
    new; samples of the other splits as they are and perturbed. A short report measures
    the test split as it is, alone.

    Args:
      runs: The run at hand, and those beside it, by the names of their rows.
      strategy: Shares the work among devices.

    Returns:
      The content of metrics.json: 'network' and 'baselines' by name, each with the
      figures of `trainer.evaluate.metrics` on the test split as it is, at the full
      size of the data set's pictures; 'test' and 'generalisation', the content of the
      tables; 'timing'.

    Raises:
      UserError: If a split is missing or a file cannot be written.
    """
    run = next(iter(runs.values()))
    settings, mixture = run.settings, run.mixture
    test = mixture.with_split(settings.test_split)
    blocks, thresholds = _measure(runs, strategy)
    result = {
        "dataset": mixture.full_name,
        "fingerprint": mixture.fingerprint,
        "split": settings.test_split,
        "model": settings.model,
        "step": run.step,
        **summarise(blocks, runs, thresholds, settings.test_split),
    }
    if distribution.is_chief(strategy):
        example = next(test.read_pictures())
        result["timing"] = time_rows(runs, example["bg"], example["fgbg"])
        content = json.dumps(result, indent=2) + "\n"
        write_atomically(run.folder / "metrics.json", content)
        path = run.folder / "report.md"
        write_atomically(path, format_report(result))
        drawn = figures.draw_predictions(**_predict_examples(run, test))
        write_atomically(run.folder / "predictions.png", drawn)
        for line in format_tables(result):
            LOG.info("%s", line)
        LOG.info("%s explains the columns", path)
    return result


@dataclasses.dataclass(frozen=True)
class _Task:
    """One kind of pairs of one split, or of a sample of it, of one data set.

    Attributes:
      mixture: The data set, and the split or the sample.
      split: Name of the split.
      pairs: One of `PAIRS`.
      whole: Number of examples in the split.
    """

    mixture: Mixture
    split: str
    pairs: str
    whole: int


def _measure(
    runs: Mapping[str, Run], strategy: tf.distribute.Strategy
) -> tuple[list[Block], dict[str, tuple[int, ...]]]:
    """Measures the blocks of every table; gives the thresholds by data set too."""
    run = next(iter(runs.values()))
    settings = run.settings
    chosen = NEW_PAIRS[:1] if settings.report == "short" else NEW_PAIRS
    evaluator = Evaluator(strategy, runs, thresholds=len(chosen))
    tasks = _list_tasks(settings, run.mixture)
    sizes = [math.ceil(t.mixture.count() / evaluator.batch_size) for t in tasks]
    blocks, thresholds = [], {}
    with (
        logging_redirect_tqdm([LOG]),
        tqdm.tqdm(
            total=sum(sizes),
            desc="evaluating",
            unit="batch",
            disable=not distribution.is_chief(strategy),
            dynamic_ncols=True,
            delay=10,
        ) as bar,
    ):
        for task in tasks:
            name = task.mixture.full_name
            if name not in thresholds:
                validation = task.mixture.with_split(settings.validation_split)
                thresholds[name] = tuple(
                    _find_threshold(validation, settings, pairs) for pairs in chosen
                )
            sums = evaluator.measure(
                task.mixture, thresholds[name], task.pairs, bar.update
            )
            blocks.append(Block(name, task.split, task.pairs, task.whole, sums))
    return blocks, thresholds


def _list_tasks(settings: Settings, mixture: Mixture) -> list[_Task]:
    test = settings.test_split
    tasks = []
    if settings.report == "short":
        for builder in mixture:
            alone = mixture.only(builder).with_split(test)
            tasks.append(_Task(alone, test, PAIRS[0], alone.count()))
        return tasks
    held_out = (settings.validation_split, test)
    for builder in mixture:
        for split in dict.fromkeys((settings.train_split, CROSS, *held_out)):
            alone = mixture.only(builder).with_split(split)
            try:
                whole = alone.count()
            except UserError:  # only `cross` may be missing
                continue
            if split not in held_out:
                sample = sample_split(builder, split, settings.report_examples)
                alone = alone.with_split(sample)
            chosen = PAIRS if split == test else NEW_PAIRS
            tasks += [_Task(alone, split, pairs, whole) for pairs in chosen]
    return tasks


def _find_threshold(validation: Mixture, settings: Settings, pairs: str) -> int:
    batches = make_evaluation_batches(
        validation, size=settings.size, batch_size=32, pairs=pairs
    )
    return find_best_threshold(
        (batch["change"][batch["real"]], batch["mask"][batch["real"]])
        for batch in batches.as_numpy_iterator()
    )


def _predict_examples(run: Run, test: Mixture) -> dict:
    """Predicts some examples, evenly spread over the split, for predictions.png."""
    number = test.count()
    places = np.linspace(0, number - 1, min(PICTURE_ROWS, number)).astype(int)
    chosen = set(places.tolist())
    rows = {name: [] for name in FEATURES}
    for index, example in enumerate(test.read_pictures()):
        if index in chosen:
            for name, values in rows.items():
                values.append(example[name])
    full = {name: np.stack(values) for name, values in rows.items()}
    mask, metres = run.predict(full["bg"], full["fgbg"], full["mask"].shape[1:3])
    return {
        "bg": full["bg"],
        "fgbg": full["fgbg"],
        "mask": full["mask"] / MAX_ALPHA,
        "predicted_mask": np.asarray(mask),
        "depth": full["depth"] / DEPTH_UNITS,
        "predicted_depth": np.asarray(metres),
    }
