"""Recipes: which losses, weights and rates a network is trained with, and when."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import keras

from trainer.errors import UserError
from trainer.models.network import Network
from trainer.settings import Settings
from trainer.train.adamw import AdamW

MASK_WEIGHT = 2.0  # to 1 of depth: those of the original project


@dataclasses.dataclass(frozen=True)
class Group:
    """Weights that share an optimizer."""

    optimizer: keras.optimizers.Optimizer
    variables: tuple[keras.Variable, ...]


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stretch of training.

    Attributes:
      until: Step it ends at.
      heads: How much the loss of each head counts.
      groups: What is trained; weights in no group are frozen.
      dropout: Whether layers behave as in training.
    """

    until: int
    heads: Mapping[str, float]
    groups: tuple[Group, ...]
    dropout: bool = True


def make_recipe(network: Network, settings: Settings) -> tuple[Stage, ...]:
    """Makes the stages of a run; the optimizers' variables are made with them.

    Args:
      network: What is trained.
      settings: Read are `recipe`, the steps, rates and weight decay.

    Returns:
      Stages in order; the last one ends at `train_steps`.

    Raises:
      UserError: If the recipe does not fit the network or its steps.
    """
    make = {"joint": _joint, "paper": _paper}[settings.recipe]
    stages = make(network, settings)
    for stage in stages:
        for group in stage.groups:
            group.optimizer.build(list(group.variables))
    return stages


def learning_rate(settings: Settings, step: int) -> float:
    """Learning rate of the first group of weights at a step, from 0."""
    if settings.recipe == "paper":
        return settings.learning_rate
    return float(_Warm(settings.learning_rate, *_warm_steps(settings)).at(step))


def _joint(network: Network, settings: Settings) -> tuple[Stage, ...]:
    """Every head at once, the heads before the last for half."""
    schedule = _Warm(settings.learning_rate, *_warm_steps(settings))
    optimizer = AdamW(schedule, settings.weight_decay, ("bias", "gamma", "beta"))
    heads = dict.fromkeys(network.heads, 0.5) | {network.heads[-1]: 1.0}
    group = Group(optimizer, tuple(network.model.trainable_variables))
    return (Stage(settings.train_steps, heads, (group,)),)


def _paper(network: Network, settings: Settings) -> tuple[Stage, ...]:
    """Eigen et al. 2014, section 3.3: SGD, a rate for every group of layers.

    The paper gives 0.001 to the coarse convolutions, 0.1 to the coarse dense layers,
    0.001 to the first and third and 0.01 to the second of the fine convolutions.
    """
    if settings.model != "eigen":
        raise UserError(
            f"--recipe=paper is for the network eigen; --model={settings.model} "
            "has other stacks or none"
        )
    coarse_steps = settings.coarse_steps or round(settings.train_steps * 4 / 7)
    if not 0 < coarse_steps < settings.train_steps:
        raise UserError(
            f"--coarse_steps={coarse_steps} leaves the fine stack nothing of "
            f"--train_steps={settings.train_steps}"
        )

    def group(factor, *names):
        variables = [
            variable
            for name in names
            for variable in network.model.get_layer(name).trainable_variables
        ]
        rate = settings.learning_rate * factor
        return Group(keras.optimizers.SGD(rate, momentum=0.9), tuple(variables))

    coarse = (
        group(1, *(f"coarse_{number}" for number in range(1, 6))),
        group(100, "coarse_6", "coarse_7"),
    )
    fine = (group(1, "fine_1", "fine_4"), group(10, "fine_3"))
    return (
        Stage(coarse_steps, {"coarse": 1.0}, coarse),
        Stage(settings.train_steps, {"fine": 1.0}, fine, dropout=False),
    )


def _warm_steps(settings: Settings) -> tuple[int, int]:
    return min(settings.warmup_steps, settings.train_steps // 2), settings.train_steps


class _Warm(keras.optimizers.schedules.LearningRateSchedule):
    """Straight up to the highest rate, then down half a cosine to a hundredth."""

    def __init__(self, highest: float, warm: int, steps: int):
        self._highest, self._warm, self._steps = highest, warm, steps

    def at(self, step: float, cosine=math.cos, least=min):
        up = least((step + 1) / max(self._warm, 1), 1.0)
        part = least(step / self._steps, 1.0)
        return self._highest * up * (0.505 + 0.495 * cosine(math.pi * part))

    def __call__(self, step):
        return self.at(
            keras.ops.cast(step, "float32"), keras.ops.cos, keras.ops.minimum
        )

    def get_config(self) -> dict:
        return {"highest": self._highest, "warm": self._warm, "steps": self._steps}
