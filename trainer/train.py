"""The training loop: a step under any strategy, its record and its checkpoints."""

from __future__ import annotations

import logging
import time

import tensorflow as tf
from keras import ops
from tqdm.contrib.logging import logging_redirect_tqdm

from trainer import data, distribution, losses, metrics
from trainer.augment import Augmentation
from trainer.checkpoints import Checkpoints
from trainer.errors import UserError
from trainer.evaluation import Evaluator
from trainer.history import History
from trainer.models.network import MOST_DEPTH, Network
from trainer.recipes import DEPTH_WEIGHT, MASK_WEIGHT, Stage
from trainer.settings import Settings
from trainer.state import State, make_state

LOG = logging.getLogger("trainer")

DICE_SMOOTH = 50.0  # pixels


def train(settings: Settings, strategy: tf.distribute.Strategy) -> State:
    """Trains from the newest checkpoint, or from the beginning, to the last step.

    Args:
      settings: What to do.
      strategy: How devices share the work.

    Returns:
      The trained state.

    Raises:
      UserError: If data set, workdir or settings cannot be used, or if the loss is no
        longer a number.
    """
    state = make_state(settings, strategy)
    checkpoints = Checkpoints(state)
    if checkpoints.restore():
        LOG.info("going on from step %d", state.step.numpy())
    step = int(state.step.numpy())
    if step < settings.train_steps:
        _run_stages(state, step, checkpoints)
    else:
        LOG.info("%d steps are done already", step)
    return _chosen(state, checkpoints)


def _run_stages(state: State, step: int, checkpoints: Checkpoints) -> None:
    batches = _batches(state, step)
    with logging_redirect_tqdm([LOG]), History(state, step) as history:
        for stage in state.stages:
            if step < stage.until:
                step = _run_stage(state, stage, step, batches, history, checkpoints)


def _batches(state: State, step: int):
    """Batches from a step to the last one, at the size that each step is for."""
    for until, size in state.settings.sizes:
        if step < until:
            batches = iter(distributed_batches(state, step, size))
            for _ in range(step, until):
                yield next(batches)
            step = until


def _chosen(state: State, checkpoints: Checkpoints) -> State:
    """The state with the weights that the settings want to be evaluated."""
    distribution.wait_for_all(state.strategy)
    if state.settings.weights == "best":
        checkpoints.restore_best()
    return state


def restore(settings: Settings, strategy: tf.distribute.Strategy) -> State:
    """Takes up the newest checkpoint of a workdir.

    Raises:
      UserError: If there is none.
    """
    state = make_state(settings, strategy)
    checkpoints = Checkpoints(state)
    if not checkpoints.restore():
        raise UserError(
            f"workdir {settings.folder} has no checkpoint; train first, "
            "with --mode=train"
        )
    return _chosen(state, checkpoints)


def distributed_batches(
    state: State, first_step: int, size: tuple[int, int] | None = None
):
    """The training split from a step on, shared among the strategy's devices.

    Args:
      state: The run.
      first_step: Step whose batch comes first.
      size: Height and width of the pictures; those of the settings if None.
    """
    settings = state.settings
    augmentation = Augmentation(
        settings.zoom, settings.rotation, settings.colour, settings.flip,
        life=settings.augment == "life", repeats=settings.repeats,
    )  # fmt: skip

    def batches(context):
        return data.training_batches(
            state.builders,
            settings.train_split,
            size=size or settings.size,
            whole=settings.size,
            batch_size=settings.batch_size,
            augmentation=augmentation,
            seed=settings.seed,
            shares=settings.shares,
            first_step=first_step,
            worker=context.input_pipeline_id,
            workers=context.num_input_pipelines,
            replicas=context.num_replicas_in_sync,
        )

    return state.strategy.distribute_datasets_from_function(batches)


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

    Returns:
      A function of a batch: the sums over all devices of the losses by name, divided
      by the batch size, and of the mask's counts.
    """
    settings, network = state.settings, state.network
    variables = [variable for group in stage.groups for variable in group.variables]

    def replica_step(batch):
        results = {}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            outputs = network.model(
                {"bg": batch["bg"], "fgbg": batch["fgbg"]}, training=stage.dropout
            )
            loss = 0.0
            for head, weight in stage.heads.items():
                mask, depth, logits = head_losses(
                    network, outputs[head], batch, settings
                )
                mask = tf.reduce_sum(mask) / settings.batch_size
                depth = tf.reduce_sum(depth) / settings.batch_size
                loss += weight * (MASK_WEIGHT * mask + DEPTH_WEIGHT * depth)
                results |= {f"{head}_mask_loss": mask, f"{head}_depth_loss": depth}
        gradients = iter(tape.gradient(loss, [v.value for v in variables]))
        for group in stage.groups:
            chosen = [next(gradients) for _ in group.variables]
            group.optimizer.apply(chosen, group.variables)
        counts = metrics.mask_sums(ops.sigmoid(logits), batch["mask"])
        results |= {name: tf.reduce_sum(value) for name, value in counts.items()}
        return {**results, "loss": loss, "mask_loss": mask, "depth_loss": depth}

    pairs = list(zip(state.averaged.model.weights, network.model.weights, strict=True))

    @tf.function
    def step(batch):
        results = state.strategy.run(replica_step, args=(batch,))
        done = tf.cast(state.step.assign_add(1), tf.float32)
        # Early averages would remember the untrained weights for long.
        momentum = tf.minimum(settings.ema, (1 + done) / (10 + done))
        for average, weight in pairs:
            state.strategy.extended.update(
                average.value,
                lambda a, w, m: a.assign(m * a + (1 - m) * tf.cast(w, a.dtype)),
                args=(weight.value, momentum if settings.ema else 0.0),
                group=False,
            )
        return {
            name: state.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
            for name, value in results.items()
        }

    return step


def _run_stage(state, stage, step, batches, history, checkpoints) -> int:
    settings = state.settings
    run_step, evaluator = make_step(state, stage), Evaluator(state)
    while step < stage.until:
        asked = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - asked
        results = {name: float(value) for name, value in run_step(batch).items()}
        step += 1
        if not results["loss"] < float("inf"):
            raise UserError(_not_a_number(state, step, results["loss"], batch))
        history.add(step, results, waited, time.perf_counter() - asked)
        if step % settings.checkpoint_steps == 0 or step == settings.train_steps:
            figures = evaluator.validate()
            history.validated(step, figures)
            # In this order, so that a run killed in between offers them again.
            checkpoints.offer(figures["score"])
            checkpoints.save()
    return step


def _not_a_number(state: State, step: int, loss: float, batch) -> str:
    indices = [
        int(index)
        for part in state.strategy.experimental_local_results(batch["index"])
        for index in part.numpy()
    ]
    return (
        f"the loss is {loss} at step {step}, on examples {min(indices)} to "
        f"{max(indices)} of the stream; the last checkpoint is from before it. "
        "Try a lower --learning_rate or --precision=float32"
    )
