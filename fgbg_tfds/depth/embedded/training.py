"""The training of the embedded teacher: scenes, augmentation, steps."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import multiprocessing
import signal
from collections.abc import Callable, Generator
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import tqdm

from fgbg_tfds.command_line import spare_children
from fgbg_tfds.depth.embedded.losses import compute_loss
from fgbg_tfds.depth.embedded.network import build_network, fold
from fgbg_tfds.depth.embedded.teacher import feed
from fgbg_tfds.errors import InputError
from fgbg_tfds.procedural import draw_scene

HELD_OUT = 1 << 40  # seeds of held-out scenes begin here


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The schedule of a training; the same schedule gives the same weights.

    Attributes:
      seed: Seed of scenes, initial weights and order.
      scenes: Number of distinct scenes.
      scene_size: Pixels of their sides.
      steps: Number of optimizer steps.
      batch_size: Scenes in a step.
      feeds: Sides of the network's input, in turn.
      learning_rate: Peak learning rate; it rises over 4 % of the steps, then falls as
        a cosine to 0.
      weight_decay: Weight decay of AdamW (https://arxiv.org/abs/1711.05101).
      average: Momentum of the averaged weights, which are kept.
      edge_weight: Weight of gradient matching in the loss.
      pasted: Probability of pasted cut-outs in a scene.
      augmented: Whether scenes are cropped, mirrored and recoloured.
      precision: 'float32' or 'mixed_bfloat16'.
    """

    seed: int = 0
    scenes: int = 16000
    scene_size: int = 160
    steps: int = 6000
    batch_size: int = 32
    feeds: tuple[int, ...] = (128, 160)
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    average: float = 0.998
    edge_weight: float = 0.4
    pasted: float = 0.65
    augmented: bool = True
    precision: str = "mixed_bfloat16"


def _draw(seed: int, size: int, pasted: float) -> tuple[np.ndarray, np.ndarray]:
    scene = draw_scene(seed, size, pasted)
    return scene.image, np.log(scene.depth).astype(np.float16)


def draw_scenes(
    seeds: range, size: int, pasted: float, workers: int = 1, show: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Draws scenes, in any number of processes, which does not change them.

    Args:
      seeds: One for each scene.
      size: Pixels of their sides.
      pasted: Probability of pasted cut-outs.
      workers: Number of processes; 1 draws in this one.
      show: Whether to show a progress bar.

    Returns:
      uint8 [N, size, size, 3] and log metres, float16 [N, size, size].

    Raises:
      InputError: If a process was killed, as it is where memory is short.
    """
    images = np.empty((len(seeds), size, size, 3), np.uint8)
    logs = np.empty((len(seeds), size, size), np.float16)
    draw = functools.partial(_draw, size=size, pasted=pasted)
    bar = tqdm.tqdm(total=len(seeds), desc="scenes", unit="scene", disable=not show)

    def collect(drawn) -> None:
        for index, (image, log) in enumerate(drawn):
            images[index], logs[index] = image, log
            bar.update()

    with bar:
        if workers <= 1:
            collect(map(draw, seeds))
        else:
            with contextlib.closing(_draw_in_processes(draw, seeds, workers)) as drawn:
                collect(drawn)
    return images, logs


def _draw_in_processes(
    draw: Callable[[int], tuple], seeds: range, workers: int
) -> Generator[tuple, None, None]:
    """Yields what `draw` returns for each seed, in order."""
    pool = concurrent.futures.ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        signal.signal,  # Windows lets no process inherit it
        (signal.SIGINT, signal.SIG_IGN),
    )
    try:
        with spare_children():
            drawn = pool.map(draw, seeds)
        yield from drawn
    except BrokenProcessPool as error:
        raise InputError(
            "a process that drew scenes was killed, perhaps since memory is short; "
            f"give less than --workers={workers}"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _augment(images, logs, boxes, gains, side: int):
    """Crops, mirrors and recolours a batch.

    Args:
      images: uint8 [N, S, S, 3].
      logs: float16 [N, S, S].
      boxes: float32 [N, 4], crops as top, left, bottom, right in 0 .. 1; left and
        right change places to mirror.
      gains: float32 [N, 5], gains of the three channels, offset, saturation.
      side: Side of the network's input.

    Returns:
      float32 [N, side, side, 3] and float32 [N, side / 2, side / 2].
    """
    import tensorflow as tf

    order = tf.range(tf.shape(images)[0])
    pictures = tf.image.crop_and_resize(
        tf.cast(images, tf.float32), boxes, order, (side, side)
    )
    half = side // 2
    truth = tf.image.crop_and_resize(
        tf.cast(logs, tf.float32)[..., None], boxes, order, (half, half), "nearest"
    )[..., 0]
    grey = tf.reduce_mean(pictures, -1, keepdims=True)
    pictures = grey + (pictures - grey) * gains[:, None, None, 4:]
    pictures = pictures * gains[:, None, None, :3] + gains[:, None, None, 3:4]
    return tf.clip_by_value(pictures, 0.0, 255.0), truth


def _draw_augmentation(rng: np.random.Generator, count: int):
    """Draws `boxes`, `gains` and `rows` for a batch."""
    extent = rng.uniform(0.7, 1.0, (count, 2))
    extent[rng.random(count) < 0.3] = 1.0
    corner = rng.random((count, 2)) * (1 - extent)
    boxes = np.concatenate([corner, corner + extent], 1)
    mirrored = rng.random(count) < 0.5
    boxes[mirrored] = boxes[mirrored][:, [0, 3, 2, 1]]
    gains = np.exp(rng.normal(0, 0.06, (count, 5)))
    gains[:, :3] *= np.exp(rng.normal(0, 0.12, (count, 1)))
    gains[:, 3] = rng.normal(0, 8, count)
    gains[:, 4] = rng.uniform(0.5, 1.2, count)
    rows = (rng.random(count) >= 0.3).astype(np.float32)
    return boxes.astype(np.float32), gains.astype(np.float32), rows


def _change_nothing(count: int):
    """Makes `boxes` and `gains` that change nothing."""
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (count, 1))
    return boxes, np.tile(np.array([1, 1, 1, 0, 1], np.float32), (count, 1))


def train_network(schedule: Schedule, images, logs, show: bool = True):
    """Trains the network on scenes.

    Args:
      schedule: Scenes, steps and rates.
      images: uint8 [N, S, S, 3].
      logs: float16 [N, S, S], log metres.
      show: Whether to show a progress bar.

    Returns:
      The folded weights, name to float32 array, and the losses, a float a step.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    model = build_network(train=True, policy=schedule.precision)
    model.get_layer("log_depth").bias.assign([np.log(12.0)])
    averaged = [tf.Variable(weight) for weight in model.weights]
    warm = max(1, round(0.04 * schedule.steps))
    rate = keras.optimizers.schedules.CosineDecay(
        schedule.learning_rate / warm,
        decay_steps=max(1, schedule.steps - warm),
        warmup_target=schedule.learning_rate,
        warmup_steps=warm,
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=schedule.weight_decay, global_clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=False)
    def step(images, logs, boxes, gains, rows, decay, side):
        pictures, truth = _augment(images, logs, boxes, gains, side)
        with tf.GradientTape() as tape:
            estimate = model(feed(pictures, rows), training=True)
            loss = compute_loss(estimate, truth, edge_weight=schedule.edge_weight)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        for mean, weight in zip(averaged, model.weights, strict=True):
            mean.assign(decay * mean + (1 - decay) * tf.convert_to_tensor(weight))
        return loss

    rng = np.random.default_rng([schedule.seed, 0x7A1])
    order = np.empty(0, int)
    losses = []
    bar = tqdm.trange(schedule.steps, desc="training", unit="step", disable=not show)
    with bar:
        for index in bar:
            if len(order) < schedule.batch_size:
                order = np.concatenate([order, rng.permutation(len(images))])
            chosen, order = np.split(order, [schedule.batch_size])
            boxes, gains, rows = _draw_augmentation(rng, len(chosen))
            if not schedule.augmented:
                boxes, gains = _change_nothing(len(chosen))
            # Ours, since Keras's `use_ema` has no warm-up: after 300 steps, 55 % of the
            # average would be the untrained weights (0.998 to the power of 300).
            decay = min(schedule.average, (1 + index) / (10 + index))
            side = schedule.feeds[index % len(schedule.feeds)]
            loss = step(
                images[chosen],
                logs[chosen],
                boxes,
                gains,
                rows,
                tf.constant(decay),
                side,
            )
            losses.append(float(loss))
            if index % 20 == 0:
                bar.set_postfix(loss=f"{np.mean(losses[-100:]):.3f}")
    for weight, mean in zip(model.weights, averaged, strict=True):
        weight.assign(mean)
    return fold(model), losses
