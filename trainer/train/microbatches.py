"""Cutting a batch: gradients of its parts are computed one by one and summed.

Less memory is needed, and two devices that take a part each add up the same numbers as
one that takes both. Optimizers that divide by a gradient's size, as AdamW does, make
much of how sums are rounded: without this, losses of one device and of two part after
some twenty steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from trainer import distribution
from trainer.errors import UserError
from trainer.models.network import Network
from trainer.settings import Settings


def per_device(settings: Settings, network: Network, devices: int) -> int:
    """Into how many microbatches each device cuts its share of a batch.

    Args:
      settings: Read are `microbatches`, `batch_size`, `precision`, `model`.
      network: What is trained.
      devices: How many share a batch.

    Returns:
      A divisor of `batch_size / devices`. If the settings leave it open: two for one
      device and one for more where that is exact and in float32, else one.

    Raises:
      UserError: If batch, devices or network do not allow the number that is set.
    """
    wanted = settings.microbatches
    if not wanted:
        float32 = distribution.policy(settings.precision) == "float32"
        exact = float32 and not network.batch_statistics
        return 2 if exact and devices == 1 and settings.batch_size % 2 == 0 else 1
    if wanted % devices or settings.batch_size % wanted:
        raise UserError(
            f"--microbatches={wanted} must divide --batch_size={settings.batch_size} "
            f"and be a multiple of the {devices} devices"
        )
    if wanted > devices and network.batch_statistics:
        raise UserError(
            f"--microbatches={wanted}: --model={settings.model} takes statistics over "
            "the whole batch, which cannot be cut; leave the flag out"
        )
    return wanted // devices


def accumulate(
    differentiate: Callable, batch: Mapping[str, tf.Tensor], number: int
) -> tuple[list, dict, tf.Tensor]:
    """Differentiates a batch part by part.

    Args:
      differentiate: Takes a batch; gives gradients, results by name, both to be
        summed, and one value for each example.
      batch: By name, with the examples along the first axis.
      number: Of microbatches; divides the number of examples.

    Returns:
      What `differentiate` gives, of the whole batch.
    """
    size = batch["index"].shape[0] // number
    gradients, results, each = [], {}, []
    for start in range(0, number * size, size):
        part = {name: value[start : start + size] for name, value in batch.items()}
        # One after another, so that only one keeps what it needs for its gradients.
        with tf.control_dependencies(gradients):
            more, its_results, its_each = differentiate(part)
        if not each:
            gradients, results = more, its_results
        else:
            gradients = [a + b for a, b in zip(gradients, more, strict=True)]
            results = {name: results[name] + its_results[name] for name in results}
        each.append(its_each)
    return gradients, results, each[0] if number == 1 else tf.concat(each, 0)
