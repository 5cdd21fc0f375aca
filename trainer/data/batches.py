"""Batches for training and evaluation.

The order of examples is a function of the seed alone: batch k of a run holds the same
examples, augmented alike, however many machines share it and however often the run was
interrupted.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.augment import (
    Augmentation,
    Scene,
    augment,
    empty_pair,
    fit,
    perturb_pair,
)
from trainer.contract import DEPTH_UNITS, MAX_ALPHA
from trainer.data.mixture import Mixture
from trainer.data.pairs import make_batches
from trainer.data.streams import keep_own, stream_examples

EVALUATION_SEED = 20260
SINGLE_DEVICE = tf.distribute.InputContext()
PAIRS = ("clean", "perturbed", "empty")
_PREPARE_PAIR = {
    "clean": lambda pair, seed: pair,
    "perturbed": perturb_pair,
    "empty": empty_pair,
}


def make_training_batches(
    mixture: Mixture,
    *,
    size: tuple[int, int],
    batch_size: int,
    augmentation: Augmentation,
    full_size: tuple[int, int] | None = None,
    first_step: int = 0,
    context: tf.distribute.InputContext = SINGLE_DEVICE,
) -> tf.data.Dataset:
    """Makes endless batches, from a given step on.

    Epochs follow each other without a gap, each in an order of its own, so no batch
    is short and every example comes once in an epoch.

    Args:
      mixture: Data sets, split, shares and seed. The seed is also that of the
        augmentation.
      size: Height h and width w of the pictures.
      batch_size: Examples in a step, over all devices.
      augmentation: Changes of the pairs.
      full_size: With `augmentation.life`, the size to which whole pictures are
        brought, as they are in evaluation; the data set's own if None. Where `size`
        is smaller, windows of them are shown.
      first_step: Step whose batch comes first.
      context: This process, and the number of processes and devices that share a
        batch.

    Returns:
      Data set of {'bg', 'fgbg', 'mask', 'depth', 'index'} as `augment` gives them,
      with a first axis of `batch_size` over the number of devices; 'index' int64 is
      the example's place in the stream, which `find_addresses` takes. With
      `augmentation.life` also 'spread', as `Scene` has it.

    Raises:
      UserError: If the split is missing or empty, or pictures differ in size.
    """
    if len(mixture.builders) > 1:
        _ = mixture.picture_size  # raises where the data sets differ
    if augmentation.life:
        full = full_size or mixture.picture_size
        full = max(full[0], size[0]), max(full[1], size[1])
        batches = make_batches(
            mixture, augmentation, size, full, batch_size, first_step, context
        )
        return batches.prefetch(4)
    first = first_step * batch_size

    def prepare(index, example):
        seed = tf.stack([tf.cast(mixture.seed, tf.int64), index])
        example = augment(
            mixture.decode(example), size, tf.cast(seed, tf.int32), augmentation
        )
        return {**example, "index": index}

    examples = stream_examples(mixture, first).enumerate(first)
    return (
        keep_own(examples, batch_size, context)
        .map(prepare, tf.data.AUTOTUNE, deterministic=True)
        .batch(context.get_per_replica_batch_size(batch_size), drop_remainder=True)
        .prefetch(4)
    )


def make_evaluation_batches(
    mixture: Mixture,
    *,
    size: tuple[int, int],
    batch_size: int,
    pairs: str = "clean",
    context: tf.distribute.InputContext = SINGLE_DEVICE,
) -> tf.data.Dataset:
    """Reads all examples of a split once, in the order of the files.

    The last batch is filled up with black pictures that count nothing. Perturbations
    depend on the place of the example in the split alone.

    Args:
      mixture: Data sets and split; one data set is read after the other.
      size: Height h and width w of the network's input.
      batch_size: Examples in a batch, over all devices.
      pairs: One of `PAIRS`. 'clean': the pairs as they are. 'perturbed': both
        pictures as a fixed camera would have taken them, labels as they are. 'empty':
        perturbed and clean pairs with nothing new, depth unknown where the object was.
      context: This process, and the number of processes and devices that share a
        batch.

    Returns:
      Data set of dicts with a first axis n of `batch_size` over the number of
      devices: 'bg', 'fgbg' float32 [n, h, w, 3] to feed; 'change' float32
      [n, H, W, 1], the maximum over the colours of the difference of the two pictures,
      0 to 255; 'mask' float32 [n, H, W, 1] in 0 to 1 and 'depth' float32 [n, H, W, 1]
      in metres, of the data set's own size; 'real' bool [n], False for examples that
      fill up; 'index' int64 [n].

    Raises:
      UserError: If the split is missing or empty.
    """
    number = mixture.count()
    full_size = mixture.picture_size

    @tf.autograph.experimental.do_not_convert
    def prepare(index, example):
        seed = tf.stack([EVALUATION_SEED, tf.cast(index, tf.int32)])
        pair = _normalise(mixture.decode(example), full_size)
        bg, fgbg, mask, depth = _prepare_pair(pairs, pair, seed)
        return {
            "bg": fit(bg, size),
            "fgbg": fit(fgbg, size),
            "change": tf.reduce_max(tf.abs(fgbg - bg), -1, keepdims=True),
            "mask": mask,
            "depth": depth,
            "real": tf.constant(True),
            "index": index,
        }

    examples = mixture.read_encoded().enumerate().map(prepare, tf.data.AUTOTUNE)
    nothing = {
        name: tf.zeros(spec.shape, spec.dtype)
        for name, spec in examples.element_spec.items()
    }
    filling = tf.data.Dataset.from_tensors(nothing).repeat(-number % batch_size)
    numbered = examples.concatenate(filling).enumerate()
    return (
        keep_own(numbered, batch_size, context)
        .map(lambda _, example: example)
        .batch(context.get_per_replica_batch_size(batch_size), drop_remainder=True)
        .prefetch(2)
    )


def _normalise(example: dict, size: tuple[int, int]) -> tuple:
    """Converts a decoded example to float32: background, frame, mask, metres."""
    scales = {"bg": 1.0, "fgbg": 1.0, "mask": MAX_ALPHA, "depth": DEPTH_UNITS}
    pictures = (tf.cast(example[name], tf.float32) / s for name, s in scales.items())
    return tuple(tf.ensure_shape(picture, (*size, None)) for picture in pictures)


@tf.function(autograph=False)  # traced once, however many streams there are
def _prepare_pair(pairs: str, pair: tuple, seed) -> tuple:
    scene = Scene(*(value[None] for value in pair))
    made = _PREPARE_PAIR[pairs](scene, seed)
    return tuple(value[0] for value in (made.bg, made.frame, made.mask, made.depth))
