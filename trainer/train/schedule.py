"""The schedule of a training: losses, weights and learning rates of each stage."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import keras

from trainer.errors import UserError
from trainer.models import Network
from trainer.settings import Settings

MASK_WEIGHT = 2.0  # to 1 of depth, as in the original project
NOT_DECAYED = ("bias", "gamma", "beta")
FINAL_RATE = 0.01  # of the peak learning rate
MOMENTUM = 0.9  # of SGD, in the paper and in the original project


@dataclasses.dataclass(frozen=True)
class Group:
    """Weights that share an optimizer."""

    optimizer: keras.optimizers.Optimizer
    variables: tuple[keras.Variable, ...]


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stretch of training.

    Attributes:
      until: Step at which it ends.
      heads: Weight of the loss of each head.
      groups: Weights to train; all others are frozen.
      dropout: Whether layers behave as in training.
    """

    until: int
    heads: Mapping[str, float]
    groups: tuple[Group, ...]
    dropout: bool = True


def make_stages(network: Network, settings: Settings) -> tuple[Stage, ...]:
    """Makes the stages of a training, and the optimizers with their variables.

    Args:
      network: The network to train.
      settings: `recipe`, the steps, learning rates and weight decay are used.

    Returns:
      Stages in order; the last one ends at `train_steps`.

    Raises:
      UserError: If the recipe does not fit the network or its steps.
    """
    check_settings(settings)
    make = {"joint": _make_joint, "paper": _make_paper, "sgd": _make_sgd}[
        settings.recipe
    ]
    stages = make(network, settings)
    for stage in stages:
        for group in stage.groups:
            group.optimizer.build(list(group.variables))
    return stages


def check_settings(settings: Settings) -> None:
    """Checks that the recipe fits the network and its steps.

    Raises:
      UserError: If it does not.
    """
    if settings.recipe != "paper":
        return
    if settings.model != "eigen":
        raise UserError(
            f"--recipe=paper is for the network eigen; --model={settings.model} "
            "has other stacks or none"
        )
    coarse_steps = _count_coarse_steps(settings)
    if not 0 < coarse_steps < settings.train_steps:
        raise UserError(
            f"--coarse_steps={coarse_steps} leaves the fine stack nothing of "
            f"--train_steps={settings.train_steps}"
        )


def find_learning_rate(settings: Settings, step: int) -> float:
    """Finds the learning rate of the first group of weights at a step, from 0."""
    if settings.recipe != "joint":
        return settings.learning_rate
    return float(_make_rate(settings)(step))


def _make_joint(network: Network, settings: Settings) -> tuple[Stage, ...]:
    """Trains all heads at once; heads before the last one count half."""
    optimizer = keras.optimizers.AdamW(
        _make_rate(settings), weight_decay=settings.weight_decay
    )
    optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    return _train_all(network, settings, optimizer)


def _make_sgd(network: Network, settings: Settings) -> tuple[Stage, ...]:
    """Trains all heads at once at one learning rate, as the original project."""
    optimizer = keras.optimizers.SGD(settings.learning_rate, momentum=MOMENTUM)
    return _train_all(network, settings, optimizer)


def _train_all(
    network: Network, settings: Settings, optimizer: keras.optimizers.Optimizer
) -> tuple[Stage, ...]:
    """Makes the one stage in which all weights are trained."""
    heads = dict.fromkeys(network.heads, 0.5) | {network.heads[-1]: 1.0}
    group = Group(optimizer, tuple(network.model.trainable_variables))
    return (Stage(settings.train_steps, heads, (group,)),)


def _make_paper(network: Network, settings: Settings) -> tuple[Stage, ...]:
    """Trains one stack after the other, each group of layers at its own rate.

    Eigen et al. 2014, section 3.3: SGD; 0.001 for the coarse convolutions, 0.1 for
    the coarse dense layers, 0.001 for the first and third and 0.01 for the second of
    the fine convolutions.
    """

    def group(factor, *names):
        variables = [
            variable
            for name in names
            for variable in network.model.get_layer(name).trainable_variables
        ]
        rate = settings.learning_rate * factor
        return Group(keras.optimizers.SGD(rate, momentum=MOMENTUM), tuple(variables))

    coarse = (
        group(1, *(f"coarse_{number}" for number in range(1, 6))),
        group(100, "coarse_6", "coarse_7"),
    )
    fine = (group(1, "fine_1", "fine_4"), group(10, "fine_3"))
    return (
        Stage(_count_coarse_steps(settings), {"coarse": 1.0}, coarse),
        Stage(settings.train_steps, {"fine": 1.0}, fine, dropout=False),
    )


def _count_coarse_steps(settings: Settings) -> int:
    return settings.coarse_steps or round(settings.train_steps * 4 / 7)


@functools.cache
def _make_rate(settings: Settings) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rises linearly to the peak, then falls as half a cosine to a hundredth of it."""
    peak = settings.learning_rate
    warm = min(settings.warmup_steps, settings.train_steps // 2)
    return keras.optimizers.schedules.CosineDecay(
        peak / max(warm, 1),
        decay_steps=settings.train_steps - warm,
        alpha=FINAL_RATE,
        warmup_target=peak if warm else None,
        warmup_steps=warm,
    )
