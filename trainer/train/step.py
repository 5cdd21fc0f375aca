"""One step of training: losses of every head, gradients, updates, averaged weights."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from trainer.contract import MAX_DEPTH
from trainer.errors import UserError
from trainer.evaluate import sum_mask_pixels
from trainer.models import Network
from trainer.settings import Settings
from trainer.train import losses, microbatches
from trainer.train.schedule import MASK_WEIGHT, Stage
from trainer.train.state import State

DICE_SMOOTH = 50.0  # pixels


def compute_head_losses(network: Network, maps, batch: dict, settings: Settings):
    """Computes the losses of mask and depth of one head.

    Args:
      network: The network that gave the maps.
      maps: float32 [N, h, w, 2].
      batch: 'mask' float32 [N, H, W, 1] in 0 to 1, 'depth' float32 [N, H, W, 1] in
        metres. Maps whose cells divide the picture evenly are compared with the means
        over their cells; others are enlarged.
      settings: `edge_weight`, `dice`, `depth_edges`, `depth_entropy` and `ssim` are
        used.

    Returns:
      Mask loss and depth loss, float32 [N], and the mask's logits.
    """
    true, metres = batch["mask"], batch["depth"]
    covered: Any = 1.0
    if network.grid is None:
        true, metres = _average_cells(true, metres, maps.shape[1:3])
    else:
        covered = network.grid.covered(true.shape[1])
    logits, code = network.logits(maps, tuple(true.shape[1:3]))
    weights = covered
    if settings.edge_weight != 1:
        weights = covered * losses.weight_edges(true, settings.edge_weight)
    mask = losses.compute_mask_loss(logits, true, weights)
    if settings.dice:
        cell = batch["mask"].shape[1] // true.shape[1]
        smooth = DICE_SMOOTH / cell**2
        mask += settings.dice * losses.compute_dice_loss(logits, true, covered, smooth)
    if network.depth_code == "share":
        depth = settings.depth_entropy * losses.compute_share_loss(
            code, metres, MAX_DEPTH, covered
        )
    else:
        depth = losses.compute_depth_loss(code, metres, covered)
        if settings.depth_edges:
            depth += settings.depth_edges * losses.compute_depth_edge_loss(
                code, metres, covered
            )
    if settings.ssim:
        # Unknown depth is set to 0 in both, so that nothing is learned there.
        known = ops.cast(metres > 0, "float32")
        shares = [d * known / MAX_DEPTH for d in (network.metres(code), metres)]
        depth += settings.ssim * losses.compute_ssim_loss(*shares)
    return mask, depth, logits


def make_step(
    state: State, stage: Stage, settings: Settings, strategy: tf.distribute.Strategy
):
    """Makes the function that does one step of a stage.

    Args:
      state: The training.
      stage: Heads and weights to train.
      settings: Settings of the run.
      strategy: Shares the batch among devices.

    Returns:
      A function of a batch that gives two things: the losses by name, of all devices
      together and divided by the batch size, with the sums of the mask's counts; and
      the loss of each example, float32 [batch_size / devices] on each device. It
      raises UserError if XLA is wanted and cannot compile the step.

    Raises:
      UserError: If the batch cannot be cut into the microbatches that are wanted.
    """
    network = state.network
    variables = [variable for group in stage.groups for variable in group.variables]

    @tf.function(jit_compile=settings.xla or None, autograph=False)
    def differentiate(batch):
        results, each = {}, 0.0
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            pair = (batch["bg"], batch["fgbg"], batch.get("spread"))
            outputs = network.run(*pair, training=stage.dropout)
            for head, weight in stage.heads.items():
                mask, depth, logits = compute_head_losses(
                    network, outputs[head], batch, settings
                )
                each += weight * (MASK_WEIGHT * mask + settings.depth_weight * depth)
                mask = tf.reduce_sum(mask) / settings.batch_size
                depth = tf.reduce_sum(depth) / settings.batch_size
                results |= {f"{head}_mask_loss": mask, f"{head}_depth_loss": depth}
            loss = tf.reduce_sum(each) / settings.batch_size
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        counts = sum_mask_pixels(ops.sigmoid(logits), batch["mask"])
        results |= {name: tf.reduce_sum(value) for name, value in counts.items()}
        results |= {"loss": loss, "mask_loss": mask, "depth_loss": depth}
        return gradients, results, each

    number = microbatches.count_per_device(settings, strategy.num_replicas_in_sync)

    def replica_step(batch):
        gradients, results, each = microbatches.accumulate(differentiate, batch, number)
        gradients = iter(gradients)
        for group in stage.groups:
            chosen = [next(gradients) for _ in group.variables]
            group.optimizer.apply(chosen, group.variables)
        return results, each

    pairs = list(zip(state.averaged.model.weights, network.model.weights, strict=True))

    @tf.function(autograph=False)
    def step(batch):
        results, each = strategy.run(replica_step, args=(batch,))
        done = tf.cast(state.step.assign_add(1), tf.float32)
        # Ours, since Keras's `use_ema` is wrong for short runs: it has no warm-up, so
        # that after 500 steps 37 % of the average are the untrained weights (0.998
        # to the power of 500). Keras's takes 0.93 of the time of a step of refine and
        # 1.04 of one of Eigen (benchmarks/keras_optimizer.py).
        momentum = tf.minimum(settings.ema, (1 + done) / (10 + done))
        for average, weight in pairs:
            strategy.extended.update(
                average.value, _approach, args=(weight.value, momentum), group=False
            )
        sums = {
            name: strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
            for name, value in results.items()
        }
        return sums, each

    return _report_uncompilable(step, settings) if settings.xla else step


def _average_cells(mask, depth, cells):
    """Averages labels over the cells of a map, depth where it is known."""
    side = mask.shape[1] // cells[0]
    if side == 1:
        return mask, depth
    mask, total, known = (
        ops.average_pool(values, side, side)
        for values in (mask, depth, ops.cast(depth > 0, "float32"))
    )
    return mask, total / ops.maximum(known, 1e-6)


def _approach(average: tf.Variable, weight: tf.Variable, momentum: tf.Tensor) -> None:
    """Moves an average towards a weight; with a momentum of 0 it becomes the weight."""
    weight = tf.cast(weight, average.dtype)
    average.assign_sub(tf.cast(1 - momentum, average.dtype) * (average - weight))


def _report_uncompilable(step, settings: Settings):
    """Wraps the step so that XLA's refusal becomes one line."""

    def compiled_step(batch):
        try:
            return step(batch)
        except (
            tf.errors.InvalidArgumentError,
            tf.errors.UnimplementedError,
            RuntimeError,
        ) as error:
            lines = str(error).strip().splitlines()
            reason = next((line for line in lines if "unsupported" in line), lines[-1])
            raise UserError(
                f"--xla: the step of --model={settings.model} cannot be compiled on "
                f"these devices; leave --xla out ({reason.strip()[:200]})"
            ) from error

    return compiled_step
