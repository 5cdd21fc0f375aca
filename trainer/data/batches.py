"""Batches from a data set that TFDS has built, addressed by step.

The order of examples is a function of the seed alone: batch k of a run holds the
same examples, augmented alike, however many machines share it and however often the
run was interrupted.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from trainer.augment import Augmentation, augment, fit
from trainer.augment.life import empty, perturbed
from trainer.augment.pasting import Scene, values
from trainer.data.datasets import (
    FEATURES,
    Builders,
    count,
    decode,
    encoded,
    fingerprint,
    full_name,
    open_dataset,
    open_datasets,
    picture_size,
    pictures,
    several,
    spread,
)
from trainer.data.pairs import Life
from trainer.data.streams import Part, mixed

__all__ = [
    "FEATURES", "VARIANTS", "count", "evaluation_batches", "fingerprint", "full_name",
    "open_dataset", "open_datasets", "picture_size", "pictures", "several",
    "spread", "training_batches",
]  # fmt: skip

EVALUATION_SEED = 20260
VARIANTS = {
    "clean": lambda pair, seed: pair,
    "perturbed": perturbed,
    "empty": empty,
}


def training_batches(
    builders: Builders,
    split: str,
    *,
    size: tuple[int, int],
    batch_size: int,
    augmentation: Augmentation,
    seed: int,
    shares: tuple[int, ...] = (),
    whole: tuple[int, int] | None = None,
    first_step: int = 0,
    worker: int = 0,
    workers: int = 1,
    replicas: int = 1,
) -> tf.data.Dataset:
    """Endless batches from a given step on.

    Epochs follow each other without a gap, each in an order of its own, so no batch
    is short and every example comes once an epoch. Of several data sets the examples
    come in turn, each data set with epochs of its own.

    Args:
      builders: The data set, or several.
      split: Split to read.
      size: Height h and width w of the pictures.
      batch_size: Examples a step, over all workers.
      augmentation: What is done to the pairs.
      seed: Of order and augmentation.
      shares: How many examples of each data set come in turn; one of each if empty.
      whole: With life, size to which whole pictures are brought, as they are when
        the network is evaluated; the data set's own if None. Where `size` is smaller,
        windows of them are shown.
      first_step: Step whose batch comes first.
      worker: Which part of every batch is this process's.
      workers: Number of parts.
      replicas: Devices over all workers; batches are cut to `batch_size / replicas`.

    Returns:
      Data set of {'bg', 'fgbg', 'mask', 'depth', 'index'} as `augment` gives them,
      with a first axis of `batch_size / replicas`; 'index' int64 is the example's
      place in the stream, which `trainer.streams.addresses` takes.

    Raises:
      UserError: If the split is missing or empty, or the shares do not fit.
    """
    if len(several(builders)) > 1:
        picture_size(builders, split)  # has to be one
    part = Part(batch_size, worker, workers, replicas)
    stream = functools.partial(mixed, several(builders), split, shares, seed)
    if augmentation.life:
        full = whole or picture_size(builders, split)
        full = max(full[0], size[0]), max(full[1], size[1])
        decoded = functools.partial(decode, builders)
        life = Life(augmentation, seed, size, full)
        return life.batches(stream, decoded, first_step, part).prefetch(4)
    first = first_step * batch_size

    def prepare(index, example):
        seeds = tf.stack([tf.cast(seed, tf.int64), index])
        example = augment(
            decode(builders, example), size, tf.cast(seeds, tf.int32), augmentation
        )
        return {**example, "index": index}

    return (
        part.of(stream(first).enumerate(first))
        .map(prepare, tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size // replicas, drop_remainder=True)
        .prefetch(4)
    )


def evaluation_batches(
    builders: Builders,
    split: str,
    *,
    size: tuple[int, int],
    batch_size: int,
    variant: str = "clean",
    worker: int = 0,
    workers: int = 1,
    replicas: int = 1,
) -> tf.data.Dataset:
    """All examples of a split once, in the order of the files.

    The last batch is filled up with black pictures that count nothing. What life does
    to a variant comes from the place of the example in the split alone.

    Args:
      builders: The data set, or several.
      split: Split to read.
      size: Height h and width w that the network is fed.
      batch_size: Examples at a time, over all workers.
      variant: 'clean', the pairs as they are; 'perturbed', both pictures as a fixed
        camera would have seen them, labels as they are; 'empty', perturbed and clean
        pairs with nothing new, depth unknown where the object was.
      worker: Which part of every batch is this process's.
      workers: Number of parts.
      replicas: Devices over all workers; batches are cut to `batch_size / replicas`.

    Returns:
      Data set of dicts with a first axis of `batch_size / replicas`: 'bg', 'fgbg'
      float32 [n, h, w, 3] to feed; 'change' float32 [n, H, W, 1], the largest
      difference of the two pictures over the colours, 0 to 255; 'mask' float32
      [n, H, W, 1] in 0 to 1 and 'depth' float32 [n, H, W, 1] in metres, of the data
      set's own size; 'real' bool [n], False for what fills up; 'index' int64 [n].

    Raises:
      UserError: If the split is missing or empty.
    """
    number = count(builders, split)
    part = Part(batch_size, worker, workers, replicas)
    full = picture_size(builders, split)

    @tf.autograph.experimental.do_not_convert
    def prepare(index, example):
        seed = tf.stack([EVALUATION_SEED, tf.cast(index, tf.int32)])
        pair = _pair(decode(builders, example), full)
        bg, fgbg, mask, depth = _varied(variant, pair, seed)
        return {
            "bg": fit(bg, size),
            "fgbg": fit(fgbg, size),
            "change": tf.reduce_max(tf.abs(fgbg - bg), -1, keepdims=True),
            "mask": mask,
            "depth": depth,
            "real": tf.constant(True),
            "index": index,
        }

    stream = encoded(builders, split).enumerate().map(prepare, tf.data.AUTOTUNE)
    nothing = {
        name: tf.zeros(spec.shape, spec.dtype)
        for name, spec in stream.element_spec.items()
    }
    filling = tf.data.Dataset.from_tensors(nothing).repeat(-number % batch_size)
    stream = part.of(stream.concatenate(filling).enumerate())
    stream = stream.map(lambda _, example: example)
    return stream.batch(batch_size // replicas, drop_remainder=True).prefetch(2)


def _pair(example: dict, size: tuple[int, int]) -> tuple:
    """A decoded example in float32: background, frame, mask, metres."""
    scales = {"bg": 1.0, "fgbg": 1.0, "mask": 255.0, "depth": 256.0}
    pictures = (tf.cast(example[name], tf.float32) / s for name, s in scales.items())
    return tuple(tf.ensure_shape(picture, (*size, None)) for picture in pictures)


@tf.function(autograph=False)  # traced once, however many streams there are
def _varied(variant: str, pair: tuple, seed) -> tuple:
    result = VARIANTS[variant](Scene(*(value[None] for value in pair)), seed)
    return tuple(value[0] for value in values(result))
