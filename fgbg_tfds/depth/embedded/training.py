"""The training of the embedded teacher: schedule and steps."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np
import tqdm

from fgbg_tfds.depth.embedded.augmentation import (
    augment,
    change_nothing,
    crop,
    draw_augmentation,
)
from fgbg_tfds.depth.embedded.losses import compute_loss, compute_photo_loss
from fgbg_tfds.depth.embedded.network import build_network, fold
from fgbg_tfds.depth.embedded.pasting import collect_cutouts, paste_anew
from fgbg_tfds.depth.embedded.photos import Composites, load_swatches
from fgbg_tfds.depth.embedded.teacher import feed
from fgbg_tfds.errors import InputError

KEPT_EVERY = 500  # steps


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The schedule of a training; the same schedule gives the same weights.

    Attributes:
      seed: Seed of scenes, initial weights and order.
      scenes: Number of distinct scenes.
      scene_size: Pixels of their sides.
      steps: Number of optimizer steps, those of finishing not counted.
      finishing: Number of steps after these, as a part of them. In each, cut-outs are
        pasted anew into every scene, and they begin from the averaged weights: without
        them, pasted objects stood out less (`weights/README.md`).
      finishing_rate: Their peak learning rate.
      batch_size: Scenes in a step.
      first_feeds: Sides of the network's input, in turn, in the first 40 % of the
        steps, which are the cheaper for it.
      feeds: Those in the other steps.
      learning_rate: Peak learning rate; it rises over 4 % of the steps, then falls as
        a cosine to 0.
      weight_decay: Weight decay of AdamW (https://arxiv.org/abs/1711.05101).
      average: Momentum of the averaged weights, which are kept.
      edge_weight: Weight of gradient matching in the loss.
      pasted: Probability of pasted cut-outs in a scene.
      photos: Folder of photos and cut-outs without depth, or None. Scenes are dressed
        with pieces of them.
      dressed: Whether scenes are dressed with them.
      composites: Number of distinct composites of photos that are learned from; none
        by default, since that gave nothing (`weights/README.md`).
      composites_a_step: Composites in a step, besides the scenes.
      agreement_weight: Weight of the agreement of a composite with its photo.
      order_weight: Weight of a cut-out's being nearer than what it hides.
      augmented: Whether scenes are cropped, mirrored and recoloured.
      precision: 'float32' or 'mixed_bfloat16'.
    """

    seed: int = 0
    scenes: int = 12000
    scene_size: int = 160
    steps: int = 6500
    finishing: float = 0.4
    finishing_rate: float = 8e-4
    batch_size: int = 24
    first_feeds: tuple[int, ...] = (96, 128)
    feeds: tuple[int, ...] = (128, 160)
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    average: float = 0.998
    edge_weight: float = 0.4
    pasted: float = 0.7
    photos: pathlib.Path | None = None
    dressed: bool = True
    composites: int = 0
    composites_a_step: int = 6
    agreement_weight: float = 0.3
    order_weight: float = 0.0
    augmented: bool = True
    precision: str = "float32"

    @property
    def all_steps(self) -> int:
        """Number of all steps."""
        return self.steps + round(self.finishing * self.steps)


def _choose(seed: int, step: int, count: int, size: int, which: int) -> np.ndarray:
    """Chooses the examples of a step, each once an epoch, as a function of the step."""
    whole = size // count
    epoch, place = divmod(step, whole)
    order = np.random.default_rng([seed, which, epoch]).permutation(size)
    return order[place * count : (place + 1) * count]


class Steps:
    """The steps of a training, with all that has to be kept to go on with it.

    Attributes:
      schedule: Scenes, steps and rates.
      model: The network that is trained.
      mean: The network of its averaged weights, which are kept in the end.
      optimizer: AdamW.
      finisher: The same for the steps of finishing.
    """

    def __init__(self, schedule: Schedule, cutouts: Sequence[np.ndarray] = ()):
        import tensorflow as tf

        self.schedule = schedule
        self.model = build_network(train=True, policy=schedule.precision)
        self.model.get_layer("log_depth").bias.assign([np.log(12.0)])
        # Ours, since Keras's `use_ema` has no warm-up: after 300 steps, 55 % of the
        # average would be the untrained weights (0.998 to the power of 300).
        self.mean = build_network(train=True, policy=schedule.precision)
        self.mean.set_weights(self.model.get_weights())
        self._cutouts = cutouts
        self.optimizer = self._make_optimizer(schedule.learning_rate, schedule.steps)
        self.finisher = self._make_optimizer(
            schedule.finishing_rate, schedule.all_steps - schedule.steps
        )
        self._run = tf.function(self._step, autograph=False)
        self._run_photos = tf.function(self._step_with_photos, autograph=False)

    def _make_optimizer(self, peak: float, steps: int):
        import keras

        warm = max(1, round(0.04 * steps))
        rate = keras.optimizers.schedules.CosineDecay(
            peak / warm,
            decay_steps=max(1, steps - warm),
            warmup_target=peak,
            warmup_steps=warm,
        )
        optimizer = keras.optimizers.AdamW(
            rate, weight_decay=self.schedule.weight_decay, global_clipnorm=5.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        optimizer.build(self.model.trainable_variables)
        return optimizer

    def take(self, index: int, images, logs, composites: Composites | None) -> float:
        """Takes a step.

        Args:
          index: Number of the step, from 0; it decides batch and augmentation.
          images: uint8 [N, S, S, 3].
          logs: float16 [N, S, S], log metres.
          composites: Composites of photos without depth, or None.

        Returns:
          The loss.
        """
        import tensorflow as tf

        schedule = self.schedule
        rng = np.random.default_rng([schedule.seed, 0x7A1, index])
        chosen = _choose(schedule.seed, index, schedule.batch_size, len(images), 0)
        boxes, gains, rows = draw_augmentation(rng, len(chosen))
        if not schedule.augmented:
            boxes, gains = change_nothing(len(chosen))
        decay = tf.constant(min(schedule.average, (1 + index) / (10 + index)))
        early = index < 0.4 * schedule.steps
        feeds = schedule.first_feeds if early else schedule.feeds
        side = feeds[index % len(feeds)]
        finishing = index >= schedule.steps
        if index == schedule.steps:
            self.model.set_weights(self.mean.get_weights())
        images, logs = images[chosen], logs[chosen]
        if finishing:
            images, logs = paste_anew(images, logs, self._cutouts, rng)
        scenes = (images, logs, boxes, gains, rows)
        # Begun at a tenth of 900 steps, with a mean network that had not settled, they
        # ended in a loss of 9.
        part = float(np.clip((index / schedule.steps - 0.4) / 0.2, 0, 1))
        if composites is None or not part:
            return float(self._run(*scenes, decay, side, finishing))
        count = schedule.composites_a_step
        chosen = _choose(schedule.seed, index, count, len(composites.empty), 1)
        photos = (composites.empty[chosen], composites.pasted[chosen])
        photos += (composites.alpha[chosen], *draw_augmentation(rng, count)[:2])
        photos += (tf.constant(part),)
        return float(self._run_photos(*scenes, decay, side, finishing, photos))

    def _step(self, images, logs, boxes, gains, rows, decay, side, finishing):
        pictures, truth = augment(images, logs, boxes, gains, side)
        return self._descend(
            feed(pictures, rows), decay, finishing, lambda x: self._judge(x, truth)
        )

    def _step_with_photos(
        self, images, logs, boxes, gains, rows, decay, side, finishing, photos
    ):
        import tensorflow as tf

        pictures, truth = augment(images, logs, boxes, gains, side)
        empty, pasted, alpha, boxes, gains, part = photos
        alpha = tf.cast(alpha, tf.float32)[..., None] / 255
        known = tf.image.resize(tf.cast(empty, tf.float32), (side, side))
        ones = tf.ones(tf.shape(empty)[0])
        known = self.mean(feed(known, ones), training=False)[..., None]
        half = side // 2
        known = crop(tf.cast(known, tf.float32), boxes, half)[..., 0]
        covered = crop(tf.image.resize(alpha, (half, half), "area"), boxes, half)
        seen, _ = augment(pasted, tf.zeros(tf.shape(pasted)[:3]), boxes, gains, side)
        inputs = feed(tf.concat([pictures, seen], 0), tf.concat([rows, ones], 0))

        def judge(estimate):
            number = tf.shape(truth)[0]
            loss = self._judge(estimate[:number], truth)
            agreement, order = compute_photo_loss(
                estimate[number:], known, covered[..., 0]
            )
            photo_loss = self.schedule.agreement_weight * agreement
            return loss + part * (photo_loss + self.schedule.order_weight * order)

        return self._descend(inputs, decay, finishing, judge)

    def _judge(self, estimate, truth):
        return compute_loss(estimate, truth, edge_weight=self.schedule.edge_weight)

    def _descend(self, inputs, decay, finishing: bool, judge):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = judge(self.model(inputs, training=True))
        variables = self.model.trainable_variables
        optimizer = self.finisher if finishing else self.optimizer
        optimizer.apply(tape.gradient(loss, variables), variables)
        for mean, weight in zip(self.mean.weights, self.model.weights, strict=True):
            weight = tf.convert_to_tensor(weight)
            mean.assign(decay * tf.convert_to_tensor(mean) + (1 - decay) * weight)
        return loss


def _collect_cutouts(schedule: Schedule) -> Sequence[np.ndarray]:
    if schedule.all_steps == schedule.steps:
        return ()
    real = load_swatches(schedule.photos).cutouts if schedule.photos else ()
    return collect_cutouts([each.rgba for each in real])


def _keep(manager) -> None:
    import tensorflow as tf

    try:
        manager.save()
    except (tf.errors.OpError, OSError) as error:
        raise InputError(
            f"{manager.directory}: the training cannot be kept there "
            f"({str(error).splitlines()[0]}); make room, and give the same command "
            "again: it goes on from where it was kept last"
        ) from error


def train_network(
    schedule: Schedule,
    images,
    logs,
    composites: Composites | None = None,
    show: bool = True,
    kept: pathlib.Path | None = None,
):
    """Trains the network on scenes, and on composites of photos.

    Args:
      schedule: Scenes, steps and rates.
      images: uint8 [N, S, S, 3].
      logs: float16 [N, S, S], log metres.
      composites: Composites of photos without depth.
      show: Whether to show a progress bar.
      kept: Folder in which the training is kept every so often; a training that was
        cut off goes on from there to the same weights.

    Returns:
      The folded weights, name to float32 array, and the losses, a float a step that
      was taken here.

    Raises:
      InputError: If it cannot be kept, such as on a full disk.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    steps = Steps(schedule, _collect_cutouts(schedule))
    done = tf.Variable(0, dtype=tf.int64)
    manager = None
    if kept is not None:
        state = tf.train.Checkpoint(
            model=steps.model,
            mean=steps.mean,
            optimizer=steps.optimizer,
            finisher=steps.finisher,
            done=done,
        )
        manager = tf.train.CheckpointManager(state, str(kept), max_to_keep=1)
        manager.restore_or_initialize()
    losses = []
    bar = tqdm.tqdm(
        total=schedule.all_steps, initial=int(done), desc="training", unit="step",
        disable=not show,
    )  # fmt: skip
    with bar:
        for index in range(int(done), schedule.all_steps):
            losses.append(steps.take(index, images, logs, composites))
            bar.update()
            if index % 20 == 0:
                bar.set_postfix(loss=f"{np.mean(losses[-100:]):.3f}")
            if manager and (index + 1) % KEPT_EVERY == 0:
                done.assign(index + 1)
                _keep(manager)
    return fold(steps.mean), losses
