"""Microbatches: the gradients of a batch's pieces are computed one by one and summed.

Less memory is needed. Ours, since Keras's `gradient_accumulation_steps` raises an error
under a strategy of several devices ("merge_call called while defining a new graph"),
and takes 1.06 of the time of a step of Eigen in two pieces on one device
(benchmarks/keras_optimizer.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from trainer.errors import UserError
from trainer.settings import Settings

BATCH_STATISTICS = ("dnn15",)  # networks whose gradients need the whole batch


def count_per_device(settings: Settings, devices: int) -> int:
    """Counts the microbatches that each device cuts its share of a batch into.

    Args:
      settings: `microbatches` is used; 0 is one for each device.
      devices: Number of devices that share a batch.
    """
    return max(1, settings.microbatches // devices)


def check_settings(settings: Settings, devices: int) -> None:
    """Checks that batch, devices and network allow the number of microbatches.

    Args:
      settings: `microbatches`, `batch_size` and `model` are used.
      devices: Number of devices that share a batch.

    Raises:
      UserError: If they do not.
    """
    wanted = settings.microbatches
    if not wanted:
        return
    if wanted % devices or settings.batch_size % wanted:
        raise UserError(
            f"--microbatches={wanted} must divide --batch_size={settings.batch_size} "
            f"and be a multiple of the {devices} devices"
        )
    if wanted > devices and settings.model in BATCH_STATISTICS:
        raise UserError(
            f"--microbatches={wanted}: --model={settings.model} takes statistics over "
            "the whole batch, which cannot be cut; leave the flag out"
        )


def accumulate(
    differentiate: Callable, batch: Mapping[str, tf.Tensor], number: int
) -> tuple[list, dict, tf.Tensor]:
    """Differentiates a batch piece by piece.

    Args:
      differentiate: Takes a batch; gives gradients, results by name, both to be
        summed, and one value for each example.
      batch: By name, with the examples along the first axis.
      number: Number of pieces; divides the number of examples.

    Returns:
      The gradients, results and values of the whole batch.
    """
    if number == 1:
        return differentiate(batch)
    size = batch["index"].shape[0] // number
    gradients, results, each = [], {}, []
    for start in range(0, number * size, size):
        piece = {name: value[start : start + size] for name, value in batch.items()}
        # One after another, so that only one keeps what it needs for its gradients.
        with tf.control_dependencies(gradients):
            more, its_results, its_each = differentiate(piece)
        if not each:
            gradients, results = more, its_results
        else:
            gradients = [a + b for a, b in zip(gradients, more, strict=True)]
            results = {name: results[name] + its_results[name] for name in results}
        each.append(its_each)
    return gradients, results, tf.concat(each, 0)
