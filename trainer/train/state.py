"""The state of a training: everything that a checkpoint holds."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from trainer import distribution
from trainer.models import Network, make_network
from trainer.settings import Settings
from trainer.train.schedule import Stage, make_stages


@dataclasses.dataclass(frozen=True, eq=False)
class State:
    """The variables that training changes.

    Attributes:
      network: The network that is trained, in the run's precision.
      averaged: The same network in float32, with averaged weights: those that are
        evaluated and exported.
      stages: The schedule, with the optimizers.
      step: int64 variable, the number of steps done.
    """

    network: Network
    averaged: Network
    stages: tuple[Stage, ...]
    step: tf.Variable

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The optimizers of all stages."""
        return [group.optimizer for stage in self.stages for group in stage.groups]


def make_state(
    settings: Settings, strategy: tf.distribute.Strategy, mean_log_depth: np.ndarray
) -> State:
    """Makes an untrained network and its schedule.

    Args:
      settings: Settings of the run.
      strategy: Places the variables.
      mean_log_depth: float32 [H, W], log metres, where training starts from.

    Raises:
      UserError: If the settings do not fit the network.
    """
    with strategy.scope():
        network = make_network(
            settings,
            settings.size,
            mean_log_depth,
            distribution.choose_policy(settings.precision),
        )
        averaged = make_network(settings, settings.size, mean_log_depth, "float32")
        stages = make_stages(network, settings)
        step = tf.Variable(
            0, dtype=tf.int64, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )
    return State(network, averaged, stages, step)
