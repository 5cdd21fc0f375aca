"""One step of training: losses of every head, gradients, updates, averaged weights."""

from __future__ import annotations

import tensorflow as tf
from keras import ops

from trainer.errors import UserError
from trainer.evaluate import metrics
from trainer.models.network import MOST_DEPTH, Network
from trainer.settings import Settings
from trainer.train import losses, microbatches
from trainer.train.schedule import MASK_WEIGHT, Stage
from trainer.train.state import State

DICE_SMOOTH = 50.0  # pixels


def head_losses(network: Network, maps, batch: dict, settings: Settings):
    """Losses of mask and depth of one head, depth in the network's own code.

    Args:
      network: What gave the maps.
      maps: float32 [N, h, w, 2].
      batch: 'mask' float32 [N, H, W, 1] in 0 to 1, 'depth' float32 [N, H, W, 1] in
        metres. Maps that divide the picture evenly learn from the means over their
        cells, others are enlarged.
      settings: Read are `edge_weight`, `dice`, `depth_edges` and `ssim`.

    Returns:
      Mask loss and depth loss, float32 [N], and the mask's logits.
    """
    true, metres, covered = batch["mask"], batch["depth"], 1.0
    if network.grid is None:
        true, metres = _cell_means(true, metres, maps.shape[1:3])
    else:
        covered = network.grid.covered(true.shape[1])
    logits, code = network.logits(maps, tuple(true.shape[1:3]))
    weights = covered
    if settings.edge_weight != 1:
        weights = covered * losses.edge_weights(true, settings.edge_weight)
    mask = losses.mask_loss(logits, true, weights)
    if settings.dice:
        cell = batch["mask"].shape[1] // true.shape[1]
        smooth = DICE_SMOOTH / cell**2
        mask += settings.dice * losses.dice_loss(logits, true, covered, smooth)
    if network.depth_code == "share":
        depth = losses.share_loss(code, metres, MOST_DEPTH, covered)
    else:
        depth = losses.depth_loss(code, metres, covered)
        if settings.depth_edges:
            depth += settings.depth_edges * losses.depth_edge_loss(
                code, metres, covered
            )
    if settings.ssim:
        # Where depth is unknown both are the same, so that nothing is learned there.
        known = ops.cast(metres > 0, "float32")
        shares = [d * known / MOST_DEPTH for d in (network.metres(code), metres)]
        depth += settings.ssim * losses.ssim_loss(*shares)
    return mask, depth, logits


def _cell_means(mask, depth, cells):
    """Labels over the cells of a map; depth over the pixels where it is known."""
    side = mask.shape[1] // cells[0]
    if side == 1:
        return mask, depth
    mask, total, known = (
        ops.average_pool(values, side, side)
        for values in (mask, depth, ops.cast(depth > 0, "float32"))
    )
    return mask, total / ops.maximum(known, 1e-6)


def make_step(state: State, stage: Stage):
    """Makes the function that does one step of a stage.

    Args:
      state: The run.
      stage: What is trained, on which heads.

    Returns:
      A function of a batch that gives two things: the losses by name, of all devices
      together and divided by the batch size, with the sums of the mask's counts; and
      the loss of each example, float32 [batch_size / replicas] on each device. It
      raises UserError if XLA is wanted and cannot compile the step.

    Raises:
      UserError: If the batch cannot be cut into the microbatches that are wanted.
    """
    settings, network = state.settings, state.network
    variables = [variable for group in stage.groups for variable in group.variables]

    @tf.function(jit_compile=settings.xla or None)
    def differentiate(batch):
        results, each = {}, 0.0
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            outputs = network.model(
                {"bg": batch["bg"], "fgbg": batch["fgbg"]}, training=stage.dropout
            )
            for head, weight in stage.heads.items():
                mask, depth, logits = head_losses(
                    network, outputs[head], batch, settings
                )
                each += weight * (MASK_WEIGHT * mask + settings.depth_weight * depth)
                mask = tf.reduce_sum(mask) / settings.batch_size
                depth = tf.reduce_sum(depth) / settings.batch_size
                results |= {f"{head}_mask_loss": mask, f"{head}_depth_loss": depth}
            loss = tf.reduce_sum(each) / settings.batch_size
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        counts = metrics.mask_sums(ops.sigmoid(logits), batch["mask"])
        results |= {name: tf.reduce_sum(value) for name, value in counts.items()}
        results |= {"loss": loss, "mask_loss": mask, "depth_loss": depth}
        return gradients, results, each

    number = microbatches.per_device(
        settings, network, state.strategy.num_replicas_in_sync
    )

    def replica_step(batch):
        gradients, results, each = microbatches.accumulate(differentiate, batch, number)
        gradients = iter(gradients)
        for group in stage.groups:
            chosen = [next(gradients) for _ in group.variables]
            group.optimizer.apply(chosen, group.variables)
        return results, each

    move = _approach if settings.ema else _take
    pairs = list(zip(state.averaged.model.weights, network.model.weights, strict=True))

    @tf.function
    def step(batch):
        results, each = state.strategy.run(replica_step, args=(batch,))
        done = tf.cast(state.step.assign_add(1), tf.float32)
        # Early averages would remember the untrained weights for long.
        momentum = tf.minimum(settings.ema, (1 + done) / (10 + done))
        for average, weight in pairs:
            state.strategy.extended.update(
                average.value, move, args=(weight.value, momentum), group=False
            )
        sums = {
            name: state.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
            for name, value in results.items()
        }
        return sums, each

    return _compiled(step, settings) if settings.xla else step


def _approach(average: tf.Variable, weight: tf.Variable, momentum: tf.Tensor) -> None:
    """Moves an average towards a weight, in two passes over the arrays."""
    tf.raw_ops.ResourceApplyGradientDescent(
        var=average.handle,
        alpha=tf.cast(1 - momentum, average.dtype),
        delta=average - tf.cast(weight, average.dtype),
    )


def _take(average: tf.Variable, weight: tf.Variable, momentum: tf.Tensor) -> None:
    del momentum
    average.assign(tf.cast(weight, average.dtype))


def _compiled(step, settings: Settings):
    """The step, with what XLA has against it as one line."""

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
