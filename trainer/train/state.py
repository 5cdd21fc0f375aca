"""A run's state: networks, recipe and data set, and whose workdir it is."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
import tensorflow as tf

from trainer import data, distribution
from trainer.errors import UserError
from trainer.evaluate import baselines
from trainer.files import write_atomically
from trainer.models import make_network
from trainer.models.network import Network
from trainer.settings import Settings
from trainer.train.schedule import Stage, make_recipe

# Settings that a run cannot change half-way: they shape the weights or the order of
# the examples.
IDENTITY = (
    "model", "image_size", "padding", "coarse_units", "fine_rows", "recipe",
    "train_split", "dataset_shares", "augment", "repeats", "batch_size", "seed",
    "small_size", "small_steps",
    "refine_without", "life_without",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class State:
    """All that a run knows.

    Attributes:
      settings: Its settings.
      strategy: How devices share the work.
      builder: The data set; of several that are mixed, the first.
      builders: All data sets.
      network: What is trained, in the run's precision.
      averaged: The same network in float32 with averaged weights: what is evaluated
        and exported.
      stages: The recipe.
      step: int64 variable, steps done.
      mean_depth: float32 [H, W], metres, over the training split.
    """

    settings: Settings
    strategy: tf.distribute.Strategy
    builder: object
    builders: tuple
    network: Network
    averaged: Network
    stages: tuple[Stage, ...]
    step: tf.Variable
    mean_depth: np.ndarray

    @property
    def folder(self) -> pathlib.Path:
        """The workdir."""
        return self.settings.folder


def make_state(settings: Settings, strategy: tf.distribute.Strategy) -> State:
    """Opens the data set and makes networks and recipe, untrained.

    Raises:
      UserError: If data set, workdir or settings cannot be used.
    """
    size = settings.size
    builders = data.open_datasets(settings.dataset, settings.data_dir)
    for split in (settings.train_split, settings.validation_split, settings.test_split):
        for builder in builders:
            data.count(builder, split)
    data.picture_size(builders, settings.train_split)
    _claim(settings, builders, distribution.is_chief(strategy))
    mean_depth, mean_log_depth = baselines.mean_depth(builders, settings.train_split)
    with strategy.scope():
        network = make_network(
            settings, size, mean_log_depth, distribution.policy(settings.precision)
        )
        averaged = make_network(settings, size, mean_log_depth, "float32")
        stages = make_recipe(network, settings)
        step = tf.Variable(
            0, dtype=tf.int64, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )
    return State(
        settings, strategy, builders[0], builders, network, averaged, stages, step,
        mean_depth,
    )  # fmt: skip


def _claim(settings: Settings, builders, chief: bool) -> None:
    """Writes down whose workdir it is, or compares with what is written there."""
    path = settings.folder / "run.json"
    ours = {name: getattr(settings, name) for name in IDENTITY}
    ours["dataset"] = data.full_name(builders)
    ours["fingerprint"] = data.fingerprint(builders)
    if path.exists():
        theirs = json.loads(path.read_text())["identity"]
        # A run from before there was a flag is one with its default.
        defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
        for name, value in ours.items():
            its = theirs.get(name, defaults.get(name))
            if its != value:
                raise UserError(
                    f"workdir {settings.folder} holds a run with {name} {its}, not "
                    f"{value}; choose another --workdir"
                )
    if chief and settings.mode == "train":
        record = {"identity": ours, "settings": dataclasses.asdict(settings)}
        write_atomically(path, json.dumps(record, indent=2) + "\n")
