"""Batches from a data set that TFDS has built, addressed by step.

The order of examples is a function of the seed alone: batch k of a run holds the
same examples, augmented alike, however many machines share it and however often the
run was interrupted.
"""

from __future__ import annotations

import functools
import hashlib
import json
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.augment import Augmentation, augment, fit
from trainer.errors import UserError

FEATURES = ("bg", "fgbg", "mask", "depth")
SHUFFLED = 8192  # examples, encoded; TFDS has shuffled the files already


def open_dataset(name: str, data_dir: str = "") -> tfds.core.DatasetBuilder:
    """Opens a data set that stands on disk.

    Args:
      name: As `tfds.load` takes it, such as 'fgbg/sample'.
      data_dir: Where data sets are; TFDS's own place if empty.

    Returns:
      A builder to read from.

    Raises:
      UserError: If it is not there, or has not the features of this project.
    """
    folder = pathlib.Path(data_dir or tfds.core.constants.DATA_DIR).expanduser()
    try:
        builder = tfds.builder(name, data_dir=str(folder))
        built = builder.data_path.exists()
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        raise UserError(_not_built(name, folder)) from error
    if not built:
        raise UserError(_not_built(name, folder))
    missing = [feature for feature in FEATURES if feature not in builder.info.features]
    if missing:
        raise UserError(
            f"data set {name} has no {', '.join(missing)}; "
            f"the trainer needs the features {', '.join(FEATURES)}"
        )
    return builder


def fingerprint(builder: tfds.core.DatasetBuilder) -> str:
    """Sixteen hexadecimal digits that change with name, version or content."""
    splits = {
        name: [split.num_bytes, list(split.shard_lengths)]
        for name, split in sorted(builder.info.splits.items())
    }
    text = json.dumps([builder.info.full_name, splits])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def count(builder: tfds.core.DatasetBuilder, split: str) -> int:
    """Number of examples of a split, such as 'train' or 'train[:7800]'.

    Raises:
      UserError: If there is no such split, or nothing in it.
    """
    try:
        number = builder.info.splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise UserError(
            f"data set {builder.info.full_name} has no split {split}; "
            f"it has {', '.join(builder.info.splits)}"
        ) from error
    if not number:
        raise UserError(f"split {split} of {builder.info.full_name} is empty")
    return number


def picture_size(builder: tfds.core.DatasetBuilder, split: str) -> tuple[int, int]:
    """Height and width of the pictures of a data set."""
    height, width, _ = builder.info.features["mask"].shape
    if height is None or width is None:
        example = next(iter(_encoded(builder, split).take(1)))
        height, width, _ = _decode(builder, example)["mask"].shape
    return height, width


def training_batches(
    builder: tfds.core.DatasetBuilder,
    split: str,
    *,
    size: tuple[int, int],
    batch_size: int,
    augmentation: Augmentation,
    seed: int,
    first_step: int = 0,
    worker: int = 0,
    workers: int = 1,
    replicas: int = 1,
) -> tf.data.Dataset:
    """Endless batches from a given step on.

    Epochs follow each other without a gap, each in an order of its own, so no batch
    is short and every example comes once an epoch.

    Args:
      builder: The data set.
      split: Split to read.
      size: Height h and width w of the pictures.
      batch_size: Examples a step, over all workers.
      augmentation: What is done to the pairs.
      seed: Of order and augmentation.
      first_step: Step whose batch comes first.
      worker: Which part of every batch is this process's.
      workers: Number of parts.
      replicas: Devices over all workers; batches are cut to `batch_size / replicas`.

    Returns:
      Data set of {'bg', 'fgbg', 'mask', 'depth', 'index'} as `augment` gives them,
      with a first axis of `batch_size / replicas`; 'index' int64 counts the stream.

    Raises:
      UserError: If the split is missing or empty.
    """
    number = count(builder, split)
    first = first_step * batch_size
    part = batch_size // workers
    encoded = _encoded(builder, split)

    buffer = min(number, SHUFFLED)

    def epoch(which):
        # Of this function's graph alone; without it the process's seed would count.
        tf.random.set_seed(seed + 1)
        return encoded.shuffle(buffer, seed=which, reshuffle_each_iteration=False)

    def prepare(index, example):
        seeds = tf.stack([tf.cast(seed, tf.int64), index])
        example = augment(
            _decode(builder, example), size, tf.cast(seeds, tf.int32), augmentation
        )
        return {**example, "index": index}

    stream = (
        tf.data.Dataset.range(first // number, np.iinfo(np.int64).max)
        .flat_map(epoch)
        .skip(first % number)
        .enumerate(first)
    )
    if workers > 1:
        low, high = worker * part, (worker + 1) * part
        stream = stream.filter(
            lambda index, _: (index % batch_size >= low) & (index % batch_size < high)
        )
    return (
        stream.map(prepare, tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size // replicas, drop_remainder=True)
        .prefetch(4)
    )


def evaluation_batches(
    builder: tfds.core.DatasetBuilder,
    split: str,
    *,
    size: tuple[int, int],
    batch_size: int,
    worker: int = 0,
    workers: int = 1,
    replicas: int = 1,
) -> tf.data.Dataset:
    """All examples of a split once, in the order of the files.

    The last batch is filled up with black pictures that count nothing.

    Args:
      builder: The data set.
      split: Split to read.
      size: Height h and width w that the network is fed.
      batch_size: Examples at a time, over all workers.
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
    number = count(builder, split)
    part = batch_size // workers
    full = picture_size(builder, split)

    def prepare(index, example):
        example = {
            name: tf.ensure_shape(picture, (*full, None))
            for name, picture in _decode(builder, example).items()
        }
        bg, fgbg = (tf.cast(example[name], tf.float32) for name in ("bg", "fgbg"))
        return {
            "bg": fit(bg, size),
            "fgbg": fit(fgbg, size),
            "change": tf.reduce_max(tf.abs(fgbg - bg), -1, keepdims=True),
            "mask": tf.cast(example["mask"], tf.float32) / 255.0,
            "depth": tf.cast(example["depth"], tf.float32) / 256.0,
            "real": tf.constant(True),
            "index": index,
        }

    stream = _encoded(builder, split).enumerate().map(prepare, tf.data.AUTOTUNE)
    nothing = {
        name: tf.zeros(spec.shape, spec.dtype)
        for name, spec in stream.element_spec.items()
    }
    filling = tf.data.Dataset.from_tensors(nothing).repeat(-number % batch_size)
    stream = stream.concatenate(filling)
    if workers > 1:
        low, high = worker * part, (worker + 1) * part
        stream = (
            stream.enumerate()
            .filter(lambda i, _: (i % batch_size >= low) & (i % batch_size < high))
            .map(lambda _, example: example)
        )
    return stream.batch(batch_size // replicas, drop_remainder=True).prefetch(2)


def pictures(
    builder: tfds.core.DatasetBuilder,
    split: str,
    features: tuple[str, ...] = FEATURES,
) -> Iterator[dict[str, np.ndarray]]:
    """Examples of a split in the order of the files, decoded.

    Args:
      builder: The data set.
      split: Split to read.
      features: Those wanted; no others are decoded.

    Yields:
      Pictures by feature, as the data contract has them.
    """
    decode = functools.partial(_decode, builder)
    stream = _encoded(builder, split, features).map(decode, tf.data.AUTOTUNE)
    yield from stream.prefetch(16).as_numpy_iterator()


def _encoded(builder, split: str, features: tuple[str, ...] = FEATURES):
    """Examples in the order of the files, pictures still as JPEG and PNG."""
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    return builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding(
            features=dict.fromkeys(features, True),
            decoders={name: tfds.decode.SkipDecoding() for name in features},
        ),
        read_config=tfds.ReadConfig(try_autocache=False),
    ).with_options(options)


def _decode(builder, example: dict) -> dict:
    features = builder.info.features
    return {name: features[name].decode_example(example[name]) for name in example}


def _not_built(name: str, folder: pathlib.Path) -> str:
    infos = [
        *folder.glob("*/*/dataset_info.json"),
        *folder.glob("*/*/*/dataset_info.json"),
    ]
    built = sorted({str(info.parent.parent.relative_to(folder)) for info in infos})
    return (
        f"data set {name} is not in {folder}; "
        + (
            f"built there: {', '.join(built)}; "
            if built
            else "nothing is built there; "
        )
        + "build it with: tfds build fgbg_tfds"
    )
