"""The training loop: steps under any strategy, their record and checkpoints."""

from __future__ import annotations

import logging
import time

import numpy as np
import tensorflow as tf
from tqdm.contrib.logging import logging_redirect_tqdm

from trainer import data, distribution
from trainer.augment import Augmentation, life
from trainer.data import streams
from trainer.errors import UserError
from trainer.evaluate.report import Evaluator
from trainer.models.alexnet import load_alexnet
from trainer.settings import Settings, parts
from trainer.train.checkpoints import Checkpoints
from trainer.train.history import History
from trainer.train.state import State, make_state
from trainer.train.step import make_step

LOG = logging.getLogger("trainer")


def train(settings: Settings, strategy: tf.distribute.Strategy) -> State:
    """Trains from the newest checkpoint, or from the beginning, to the last step.

    Args:
      settings: What to do.
      strategy: How devices share the work.

    Returns:
      The trained state.

    Raises:
      UserError: If data set, workdir, weights or settings cannot be used, or if the
        loss is no longer a number.
    """
    state = make_state(settings, strategy)
    checkpoints = Checkpoints(state)
    if checkpoints.restore():
        LOG.info("going on from step %d", state.step.numpy())
    elif settings.coarse_weights:
        load_alexnet(state.network, settings.coarse_weights)
    step = int(state.step.numpy())
    if step < settings.train_steps:
        _run_stages(state, step, checkpoints)
    else:
        LOG.info("%d steps are done already", step)
    return _chosen(state, checkpoints)


def _run_stages(state: State, step: int, checkpoints: Checkpoints) -> None:
    batches = _batches(state, step)
    with logging_redirect_tqdm([LOG]), History(state, step) as history:
        for stage in state.stages:
            if step < stage.until:
                step = _run_stage(state, stage, step, batches, history, checkpoints)


def _batches(state: State, step: int):
    """Batches from a step to the last one, at the size that each step is for."""
    for until, size in state.settings.sizes:
        if step < until:
            batches = iter(distributed_batches(state, step, size))
            for _ in range(step, until):
                yield next(batches)
            step = until


def _chosen(state: State, checkpoints: Checkpoints) -> State:
    """The state with the weights that the settings want to be evaluated."""
    distribution.wait_for_all(state.strategy)
    if state.settings.weights == "best":
        checkpoints.restore_best()
    return state


def restore(settings: Settings, strategy: tf.distribute.Strategy) -> State:
    """Takes up the newest checkpoint of a workdir.

    Raises:
      UserError: If there is none.
    """
    state = make_state(settings, strategy)
    checkpoints = Checkpoints(state)
    if not checkpoints.restore():
        raise UserError(
            f"workdir {settings.folder} has no checkpoint; train first, "
            "with --mode=train"
        )
    return _chosen(state, checkpoints)


def distributed_batches(
    state: State, first_step: int, size: tuple[int, int] | None = None
):
    """The training split from a step on, shared among the strategy's devices.

    Args:
      state: The run.
      first_step: Step whose batch comes first.
      size: Height and width of the pictures; those of the settings if None.

    Raises:
      UserError: If the settings contradict each other or the split is missing.
    """
    settings = state.settings
    if settings.life_without and settings.augment != "life":
        raise UserError(
            f"--augment={settings.augment} has none of the parts of --life_without; "
            "add --augment=life"
        )
    augmentation = Augmentation(
        settings.zoom, settings.rotation, settings.colour, settings.flip,
        life=settings.augment == "life", repeats=settings.repeats,
        without=parts("life_without", settings.life_without, life.PARTS),
    )  # fmt: skip

    def batches(context):
        return data.training_batches(
            state.builders,
            settings.train_split,
            size=size or settings.size,
            whole=settings.size,
            batch_size=settings.batch_size,
            augmentation=augmentation,
            seed=settings.seed,
            shares=settings.shares,
            first_step=first_step,
            worker=context.input_pipeline_id,
            workers=context.num_input_pipelines,
            replicas=context.num_replicas_in_sync,
        )

    return state.strategy.distribute_datasets_from_function(batches)


def _run_stage(state, stage, step, batches, history, checkpoints) -> int:
    settings = state.settings
    run_step, evaluator = make_step(state, stage), Evaluator(state)
    while step < stage.until:
        asked = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - asked
        sums, each = run_step(batch)
        results = {name: float(value) for name, value in sums.items()}
        step += 1
        if not results["loss"] < float("inf"):
            raise UserError(_not_a_number(state, step, results["loss"], each, batch))
        history.add(step, results, waited, time.perf_counter() - asked)
        if step % settings.checkpoint_steps == 0 or step == settings.train_steps:
            figures = evaluator.validate()
            history.validated(step, figures)
            # In this order, so that a run killed in between offers them again.
            checkpoints.offer(figures["score"])
            checkpoints.save()
    return step


def _not_a_number(state: State, step: int, loss: float, each, batch) -> str:
    """What went wrong, and on which of the examples of all workers."""
    settings = state.settings
    each, places = (
        state.strategy.gather(values, axis=0).numpy()
        for values in (each, batch["index"])
    )
    bad = np.unique(places[~np.isfinite(each)])
    all_bad = len(bad) == len(np.unique(places))
    examples = ", ".join(
        streams.addresses(
            state.builders, settings.train_split, settings.shares, settings.seed,
            bad if len(bad) else np.unique(places),
        )
    )  # fmt: skip
    which = "all of its batch: " if all_bad else "" if len(bad) else "one of "
    return (
        f"the loss is {loss} at step {step}, on {which}{examples}; the last "
        "checkpoint is from before it. Try a lower --learning_rate or "
        "--precision=float32"
    )
