"""The training loop: a step under any strategy, its record and its checkpoints."""

from __future__ import annotations

import json
import logging
import time

import tensorflow as tf
import tqdm
from keras import ops
from tqdm.contrib.logging import logging_redirect_tqdm

from trainer import data, distribution, losses, metrics
from trainer.augment import Augmentation
from trainer.errors import UserError
from trainer.models.network import MOST_DEPTH, Network
from trainer.recipes import DEPTH_WEIGHT, MASK_WEIGHT, Stage, learning_rate
from trainer.settings import Settings
from trainer.state import Checkpoints, State, make_state, write_atomically
from trainer.summaries import Summaries

LOG = logging.getLogger("trainer")


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
    if step >= settings.train_steps:
        LOG.info("%d steps are done already", step)
        return state
    batches = iter(distributed_batches(state, step))
    with logging_redirect_tqdm([LOG]), History(state, step) as history:
        for stage in state.stages:
            if step < stage.until:
                step = _run_stage(state, stage, step, batches, history, checkpoints)
    return state


def restore(settings: Settings, strategy: tf.distribute.Strategy) -> State:
    """Takes up the newest checkpoint of a workdir.

    Raises:
      UserError: If there is none.
    """
    state = make_state(settings, strategy)
    if not Checkpoints(state).restore():
        raise UserError(
            f"workdir {settings.folder} has no checkpoint; train first, "
            "with --mode=train"
        )
    return state


def distributed_batches(state: State, first_step: int):
    """The training split from a step on, shared among the strategy's devices."""
    settings = state.settings
    augmentation = Augmentation(
        settings.zoom, settings.rotation, settings.colour, settings.flip
    )

    def batches(context):
        return data.training_batches(
            state.builder,
            settings.train_split,
            size=settings.size,
            batch_size=settings.batch_size,
            augmentation=augmentation,
            seed=settings.seed,
            first_step=first_step,
            worker=context.input_pipeline_id,
            workers=context.num_input_pipelines,
            replicas=context.num_replicas_in_sync,
        )

    return state.strategy.distribute_datasets_from_function(batches)


def head_losses(network: Network, maps, batch: dict, ssim: float = 0.0):
    """Losses of mask and depth of one head, depth in the network's own code.

    Args:
      network: What gave the maps.
      maps: float32 [N, h, w, 2].
      batch: 'mask' float32 [N, H, W, 1] in 0 to 1, 'depth' float32 [N, H, W, 1] in
        metres.
      ssim: How much the structural similarity of depth counts.

    Returns:
      Mask loss and depth loss, float32 [N], and the mask's logits at full size.
    """
    size = tuple(batch["mask"].shape[1:3])
    covered = network.grid.covered(size[0])
    logits, code = network.logits(maps, size)
    mask = losses.mask_loss(logits, batch["mask"], covered)
    if network.depth_code == "share":
        depth = losses.share_loss(code, batch["depth"], MOST_DEPTH, covered)
    else:
        depth = losses.depth_loss(code, batch["depth"], covered)
    if ssim:
        # Where depth is unknown both are the same, so that nothing is learned there.
        known = ops.cast(batch["depth"] > 0, "float32")
        shares = [
            d * known / MOST_DEPTH for d in (network.metres(code), batch["depth"])
        ]
        depth += ssim * losses.ssim_loss(*shares)
    return mask, depth, logits


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
                    network, outputs[head], batch, settings.ssim
                )
                mask = tf.reduce_sum(mask) / settings.batch_size
                depth = tf.reduce_sum(depth) / settings.batch_size
                loss += weight * (MASK_WEIGHT * mask + DEPTH_WEIGHT * depth)
                results |= {f"{head}_mask_loss": mask, f"{head}_depth_loss": depth}
            scaled = loss
            for group in stage.groups:
                scaled = group.optimizer.scale_loss(scaled)
        gradients = iter(tape.gradient(scaled, [v.value for v in variables]))
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
    run_step = make_step(state, stage)
    while step < stage.until:
        asked = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - asked
        results = {name: float(value) for name, value in run_step(batch).items()}
        step += 1
        if not results["loss"] < float("inf"):
            raise UserError(_not_a_number(state, step, results["loss"], batch))
        history.add(step, results, waited)
        if step % settings.checkpoint_steps == 0 or step == settings.train_steps:
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


class History:
    """The record of a run: a live line, history.jsonl and TensorBoard."""

    def __init__(self, state: State, first_step: int):
        self._state = state
        self._settings = state.settings
        self._chief = distribution.is_chief(state.strategy)
        self._path = state.folder / "history.jsonl"
        self._cut(first_step)
        self._summaries = Summaries(state) if self._chief else None
        self._since, self._steps, self._waited = time.perf_counter(), 0, 0.0
        self._bar = tqdm.tqdm(
            total=self._settings.train_steps,
            initial=first_step,
            unit="step",
            disable=not self._chief,
            dynamic_ncols=True,
            mininterval=1.0,
        )

    def add(self, step: int, results: dict[str, float], waited: float) -> None:
        """Takes note of a step: its results and the seconds it waited for data."""
        self._bar.update()
        self._steps += 1
        self._waited += waited
        settings = self._settings
        if step % settings.log_steps == 0 or step in (1, settings.train_steps):
            self._log(step, results)
        if self._summaries and (
            step % settings.summary_steps == 0 or step == settings.train_steps
        ):
            self._summaries.pictures(step)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()
        if self._summaries:
            self._summaries.close()

    def _log(self, step: int, results: dict[str, float]) -> None:
        now = time.perf_counter()
        seconds = max(now - self._since, 1e-9)
        counts = {name: [results[name]] for name in ("hits", "false_alarms", "misses")}
        line = {
            "step": step,
            "loss": results["loss"],
            "mask_loss": results["mask_loss"],
            "depth_loss": results["depth_loss"],
            "mask_iou": metrics.mask_metrics(counts)["mask_iou"],
            "learning_rate": learning_rate(self._settings, step - 1),
            "examples_per_second": self._steps * self._settings.batch_size / seconds,
            "waiting": self._waited / seconds,
        }
        line |= {n: v for n, v in results.items() if n not in line and n not in counts}
        self._since, self._steps, self._waited = now, 0, 0.0
        self._bar.set_postfix_str(
            f"loss {line['loss']:.3f}, IoU {line['mask_iou']:.3f}, "
            f"{line['examples_per_second']:.0f} examples/s"
        )
        if self._chief:
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")
            self._summaries.scalars(step, line)

    def _cut(self, first_step: int) -> None:
        """Drops lines of steps that came after the checkpoint we go on from."""
        if not self._chief or not self._path.exists():
            return
        lines = self._path.read_text().splitlines(keepends=True)
        kept = [
            line
            for line in lines
            if line.endswith("\n") and json.loads(line)["step"] <= first_step
        ]
        write_atomically(self._path, "".join(kept))
