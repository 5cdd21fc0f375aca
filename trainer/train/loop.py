"""The training loop: steps under any strategy, their record and checkpoints."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tqdm.contrib.logging import logging_redirect_tqdm

from trainer import distribution
from trainer.augment import OMITTABLE, Augmentation
from trainer.data import (
    Mixture,
    average_depth,
    find_addresses,
    make_training_batches,
)
from trainer.errors import UserError
from trainer.evaluate import OWN_ROW, Evaluator, validate
from trainer.files import lock_folder
from trainer.models import load_alexnet
from trainer.pretrained import blend_with_start, choose_share, start_from
from trainer.runs import Run, restore_weights
from trainer.settings import Settings, parse_names
from trainer.train.checkpoints import Checkpoints
from trainer.train.history import History
from trainer.train.schedule import Stage
from trainer.train.state import State, make_state
from trainer.train.step import make_step
from trainer.train.tensorboard import TensorBoard
from trainer.workdirs import claim_workdir

LOG = logging.getLogger("trainer")


def train(
    settings: Settings, mixture: Mixture, strategy: tf.distribute.Strategy
) -> Run:
    """Trains from the newest checkpoint, or from the beginning, to the last step.

    Args:
      settings: Settings of the run, checked.
      mixture: Its data sets.
      strategy: Shares the work among devices.

    Returns:
      The trained run, with the weights that the settings choose.

    Raises:
      UserError: If workdir or weights cannot be used, or another process trains in the
        workdir, or if the loss diverges.
    """
    mean_depth, mean_log_depth = average_depth(mixture)
    state = make_state(settings, strategy, mean_log_depth)
    folder = settings.folder / "checkpoints"
    if settings.coarse_weights and not tf.train.latest_checkpoint(str(folder)):
        load_alexnet(state.network, settings.coarse_weights)
    if settings.init and not tf.train.latest_checkpoint(str(folder)):
        start_from(settings, (state.network, state.averaged))
    chief = distribution.is_chief(strategy)
    # Last, so that a mistake leaves no trace in the workdir.
    with _keep_others_out(settings) if chief else contextlib.nullcontext():
        claim_workdir(settings, mixture, chief)
        checkpoints = Checkpoints(state, folder, settings.keep, chief)
        resumed = checkpoints.restore()
        step = int(state.step.numpy())
        run = Run(settings, mixture, state.averaged, step, mean_depth)
        if step < settings.train_steps:
            if resumed:
                LOG.info("going on from step %d", step)
            _Loop(run, state, strategy, checkpoints).run_stages(step)
        else:
            LOG.info("%d steps are done already", step)
        distribution.wait_for_workers(strategy)
        with strategy.scope():
            step = restore_weights(state.averaged, settings)
    return Run(settings, mixture, state.averaged, step, mean_depth)


def distribute_batches(
    settings: Settings,
    mixture: Mixture,
    strategy: tf.distribute.Strategy,
    first_step: int,
    size: tuple[int, int],
):
    """Distributes the training split, from a step on, among the strategy's devices.

    Args:
      settings: Batch size and augmentation.
      mixture: The data sets.
      strategy: Shares the batches among devices.
      first_step: Step whose batch comes first.
      size: Height and width of the pictures.
    """
    augmentation = Augmentation(
        settings.zoom, settings.rotation, settings.colour, settings.flip,
        life=settings.augment == "life", repeats=settings.repeats,
        without=parse_names("life_without", settings.life_without, OMITTABLE),
    )  # fmt: skip
    return strategy.distribute_datasets_from_function(
        lambda context: make_training_batches(
            mixture,
            size=size,
            full_size=settings.size,
            batch_size=settings.batch_size,
            augmentation=augmentation,
            first_step=first_step,
            context=context,
        )
    )


def _keep_others_out(settings: Settings) -> contextlib.AbstractContextManager[None]:
    return lock_folder(
        settings.folder,
        f"another process trains in workdir {settings.folder}; wait for it, or choose "
        "another --workdir",
    )


class _Loop:
    """The steps of a training, with their record and checkpoints."""

    def __init__(
        self,
        run: Run,
        state: State,
        strategy: tf.distribute.Strategy,
        checkpoints: Checkpoints,
    ):
        self._settings, self._mixture = run.settings, run.mixture
        self._state, self._strategy = state, strategy
        self._checkpoints = checkpoints
        self._evaluator = Evaluator(strategy, {OWN_ROW: run})
        self._validation = run.mixture.with_split(run.settings.validation_split)

    def run_stages(self, step: int) -> None:
        """Runs the stages that are left after a number of steps."""
        tensorboard = None
        if distribution.is_chief(self._strategy):
            if not step:  # curves of a start that reached no checkpoint
                curves = self._settings.folder / "tensorboard"
                shutil.rmtree(curves, ignore_errors=True)
            tensorboard = TensorBoard(
                self._settings, self._mixture, self._state.averaged
            )
        batches = self._generate_batches(step)
        history = History(self._settings, step, tensorboard)
        with logging_redirect_tqdm([LOG]), history:
            for stage in self._state.stages:
                if step < stage.until:
                    step = self._run_stage(stage, step, batches, history)

    def _generate_batches(self, step: int) -> Iterator[dict]:
        """Generates batches up to the last step, each at the size of its step."""
        for until, size in self._settings.sizes:
            if step < until:
                batches = iter(
                    distribute_batches(
                        self._settings, self._mixture, self._strategy, step, size
                    )
                )
                for _ in range(step, until):
                    yield next(batches)
                step = until

    def _run_stage(
        self, stage: Stage, step: int, batches: Iterator[dict], history: History
    ) -> int:
        settings = self._settings
        run_step = make_step(self._state, stage, settings, self._strategy)
        while step < stage.until:
            asked = time.perf_counter()
            batch = next(batches)
            waited = time.perf_counter() - asked
            sums, each = run_step(batch)
            results = {name: float(value) for name, value in sums.items()}
            step += 1
            if not np.isfinite(results["loss"]):
                raise UserError(
                    self._describe_divergence(step, results["loss"], each, batch)
                )
            history.add(step, results, waited, time.perf_counter() - asked)
            if step == settings.train_steps and settings.init_share:
                self._blend_with_start()
            if step % settings.checkpoint_steps == 0 or step == settings.train_steps:
                figures = validate(self._evaluator, self._validation)
                history.add_validation(step, figures)
                # In this order: a run killed in between validates this step again.
                self._checkpoints.save_if_best(figures["score"])
                self._checkpoints.save()
        return step

    def _blend_with_start(self) -> None:
        foregrounds = self._mixture.foregrounds
        share = choose_share(self._settings, foregrounds)
        LOG.info(
            "%.0f %% of the weights of --init=%s stay%s",
            100 * share,
            self._settings.init,
            f", for {foregrounds} foregrounds" if foregrounds else "",
        )
        blend_with_start(self._settings, self._state.averaged, share)

    def _describe_divergence(self, step: int, loss: float, each, batch) -> str:
        """Names the examples whose loss is not finite, of all workers."""
        each, places = (
            self._strategy.gather(values, axis=0).numpy()
            for values in (each, batch["index"])
        )
        bad, every = np.unique(places[~np.isfinite(each)]), np.unique(places)
        examples = ", ".join(find_addresses(self._mixture, bad if len(bad) else every))
        which = "" if len(bad) else "one of "
        if len(bad) == len(every):
            which = "all of its batch: "
        return (
            f"the loss is {loss} at step {step}, on {which}{examples}; the last "
            "checkpoint is from before it. Try a lower --learning_rate or "
            "--precision=float32"
        )
