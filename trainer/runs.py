"""Runs: a trained network with its settings, data sets and step, kept in a workdir."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import pathlib
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from trainer.augment import fit
from trainer.data import Mixture, average_depth
from trainer.errors import UserError, summarise
from trainer.files import expand
from trainer.models import Network, make_network
from trainer.settings import Settings
from trainer.workdirs import read_run, refuse_other_run

LOG = logging.getLogger("trainer")


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A trained network.

    Attributes:
      settings: The settings that it was trained with.
      mixture: The data sets that it was trained on.
      network: The network with the averaged weights, in float32.
      step: Step of the weights.
      mean_depth: float32 [H, W], metres, over the training split.
    """

    settings: Settings
    mixture: Mixture
    network: Network
    step: int
    mean_depth: np.ndarray

    @property
    def folder(self) -> pathlib.Path:
        """The workdir."""
        return self.settings.folder

    @property
    def model(self) -> str:
        """Name of the network."""
        return self.settings.model

    @property
    def parameters(self) -> int:
        """Number of trainable weights."""
        weights = self.network.model.trainable_weights
        return sum(math.prod(weight.shape) for weight in weights)

    def predict(self, bg, fgbg, size: tuple[int, int]):
        """Predicts mask and depth of a batch of pairs of any size.

        Args:
          bg: Any number type [N, H, W, 3], 0 to 255.
          fgbg: The same for the composite.
          size: Height and width of the result.

        Returns:
          Two float32 [N, *size, 1]: the mask in 0 to 1, the depth in metres.
        """
        feed = self.settings.size
        if self.network.multiple:  # as it is served: at the pictures' own size
            height, width = self.network.feed_size(size)
            feed = height, width
        return self.network.predict(fit(bg, feed), fit(fgbg, feed), size)


def open_run(
    settings: Settings, mixture: Mixture, strategy: tf.distribute.Strategy
) -> Run:
    """Opens the run of a workdir with the weights that the settings choose.

    Args:
      settings: Settings of the run.
      mixture: Its data sets.
      strategy: Its variables are placed by this strategy.

    Returns:
      The run.

    Raises:
      UserError: If the workdir holds another run, or no checkpoint can be read.
    """
    refuse_other_run(settings, mixture)
    mean_depth, _ = average_depth(mixture)
    return _open(settings, mixture, mean_depth, strategy)


def find_compared(settings: Settings, mixture: Mixture) -> tuple[Settings, ...]:
    """Finds the runs of `--compare`, without opening their networks.

    Args:
      settings: Settings of the run at hand.
      mixture: Its data sets.

    Returns:
      The settings that each of them was trained with.

    Raises:
      UserError: If a folder holds no run, or a run of other data, or is named twice.
    """
    folders = [
        expand(name.strip(), "compare")
        for name in settings.compare.split(",")
        if name.strip()
    ]
    resolved = [folder.resolve() for folder in (settings.folder, *folders)]
    if len(set(resolved)) < len(resolved):
        raise UserError(f"--compare={settings.compare} names a run twice")
    return tuple(_find_compared(folder, mixture) for folder in folders)


def open_compared(
    compared: Sequence[Settings], run: Run, strategy: tf.distribute.Strategy
) -> dict[str, Run]:
    """Opens runs beside the run at hand, by the names of their rows in the report.

    Args:
      compared: The settings of `find_compared`.
      run: The run at hand.
      strategy: Places their variables.

    Returns:
      All runs, the one at hand first. A row has the name of its network, and that of
      its workdir too where two have the same network.

    Raises:
      UserError: If a run has no checkpoint that can be read.
    """
    runs = [run]
    for settings in compared:
        try:
            other = _open(settings, run.mixture, run.mean_depth, strategy)
        except UserError as error:
            raise UserError(f"--compare={settings.folder}: {error}") from error
        runs.append(other)
    models = [each.model for each in runs]
    names = [
        each.model if models.count(each.model) == 1 else f"{each.model}, {each.folder}"
        for each in runs
    ]
    return dict(zip(names, runs, strict=True))


def restore_weights(network: Network, settings: Settings) -> int:
    """Restores the averaged weights that `settings.weights` chooses.

    Args:
      network: Gets the weights.
      settings: Settings of the run: its workdir, and whether the last or the best
        weights are wanted. The last are taken where no best ones were kept.

    Returns:
      Step of the weights.

    Raises:
      UserError: If no checkpoint can be read.
    """
    weights = [weight.value for weight in network.model.weights]
    folder = settings.folder / "checkpoints"
    best = read_best(folder) if settings.weights == "best" else None
    if best:
        folder = folder / "best"
    step = tf.Variable(0, dtype=tf.int64)
    objects = {"averaged": weights} | ({} if best else {"step": step})
    checkpoint = tf.train.Checkpoint(**objects)
    found = tf.train.get_checkpoint_state(str(folder))
    paths = list(reversed(found.all_model_checkpoint_paths)) if found else []
    if not paths:
        raise UserError(
            f"workdir {settings.folder} has no checkpoint; train first, "
            "with --mode=train"
        )
    if not restore_newest(
        paths, lambda path: checkpoint.restore(path).assert_existing_objects_matched()
    ):
        raise UserError(f"no checkpoint in {folder} can be read; train it again")
    if best:
        LOG.info("took the weights of step %d, the best on validation", best["step"])
        return best["step"]
    return int(step.numpy())


def restore_newest(
    paths: Sequence[str], restore: Callable[[str], object]
) -> str | None:
    """Restores the first checkpoint that can be read, and warns of those that cannot.

    Args:
      paths: Checkpoints, the newest first.
      restore: Restores one, or raises.

    Returns:
      That checkpoint; None where none can be read.
    """
    for path in paths:
        try:
            restore(path)
        except (tf.errors.OpError, AssertionError, LookupError, ValueError) as error:
            LOG.warning("checkpoint %s is damaged: %s", path, summarise(error))
            continue
        if path != paths[0]:
            LOG.warning("went back to checkpoint %s", path)
        return path
    return None


def read_best(folder: pathlib.Path) -> dict | None:
    """Reads step and score of the best weights; None where none were kept.

    Args:
      folder: The folder of a run's checkpoints.
    """
    path = folder / "best" / "best.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _open(
    settings: Settings,
    mixture: Mixture,
    mean_depth: np.ndarray,
    strategy: tf.distribute.Strategy,
) -> Run:
    with strategy.scope():
        network = make_network(settings, settings.size)
        step = restore_weights(network, settings)
    return Run(settings, mixture, network, step, mean_depth)


def _find_compared(folder: pathlib.Path, mixture: Mixture) -> Settings:
    identity, settings = read_run(
        folder, f"--compare={folder}", "; several are separated by commas"
    )
    if identity.get("fingerprint") != mixture.fingerprint:
        raise UserError(
            f"--compare={folder}: it was trained on {identity.get('dataset')} "
            f"({identity.get('fingerprint')}), this run on {mixture.full_name} "
            f"({mixture.fingerprint}); only runs of the same data are compared"
        )
    return settings
