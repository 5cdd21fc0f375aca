"""Data sets that TFDS has built: opened, checked, counted and read, one at a time."""

from __future__ import annotations

import functools
import operator
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.contract import FEATURES
from trainer.errors import UserError
from trainer.files import expand

Builder = tfds.core.DatasetBuilder


def open_dataset(name: str, data_dir: str = "") -> Builder:
    """Opens a data set that stands on disk.

    Args:
      name: As `tfds.load` takes it, such as 'fgbg/sample'.
      data_dir: Folder of the data sets; TFDS's own if empty.

    Returns:
      A builder to read from.

    Raises:
      UserError: If it is not there, or lacks a feature of the data contract.
    """
    folder = expand(data_dir or tfds.core.constants.DATA_DIR, "data_dir")
    try:
        builder = tfds.builder(name, data_dir=str(folder))
        built = builder.data_path.exists()
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        raise UserError(_describe_missing(name, folder)) from error
    if not built:
        raise UserError(_describe_missing(name, folder))
    missing = [feature for feature in FEATURES if feature not in builder.info.features]
    if missing:
        raise UserError(
            f"data set {name} has no {', '.join(missing)}; "
            f"the trainer needs the features {', '.join(FEATURES)}"
        )
    return builder


def count(builder: Builder, split: str) -> int:
    """Counts the examples of a split, such as 'train' or 'train[:7800]'.

    Raises:
      UserError: If there is no such split, or it is empty.
    """
    try:
        number = builder.info.splits[split].num_examples
    except (KeyError, ValueError) as error:
        sizes = (f"{n} of {s.num_examples:,}" for n, s in builder.info.splits.items())
        raise UserError(
            f"data set {builder.info.full_name} has no split {split}; it has "
            f"{', '.join(sizes)} examples"
        ) from error
    if not number:
        raise UserError(f"split {split} of {builder.info.full_name} is empty")
    return number


def sample_split(builder: Builder, split: str, limit: int, stretches: int = 16):
    """Chooses stretches of a split that are evenly spread over it.

    Stretches rather than single examples, since files are read from front to back.

    Args:
      builder: The data set.
      split: A split.
      limit: The number of examples wanted, approximately; the whole split is taken
        where it has no more.
      stretches: Number of stretches.

    Returns:
      A split, as TFDS takes it.
    """
    number = count(builder, split)
    if number <= limit:
        return split
    pieces = tfds.even_splits(split, number // max(1, limit // stretches))
    chosen = np.linspace(0, len(pieces) - 1, min(stretches, limit)).round().astype(int)
    return functools.reduce(operator.add, [pieces[index] for index in chosen])


def read_picture_size(builder: Builder, split: str) -> tuple[int, int]:
    """Finds the height and width of a data set's pictures."""
    height, width, _ = builder.info.features["mask"].shape
    if height is None or width is None:
        example = next(read_pictures(builder, split, ("mask",)))
        height, width, _ = example["mask"].shape
    return height, width


def read_pictures(
    builder: Builder, split: str, features: tuple[str, ...] = FEATURES
) -> Iterator[dict[str, np.ndarray]]:
    """Reads and decodes examples in the order of the files.

    Args:
      builder: The data set.
      split: Split to read.
      features: Features to decode.

    Yields:
      Pictures by feature, as the data contract has them.
    """
    stream = read_encoded(builder, split, features)
    stream = stream.map(functools.partial(decode, builder), tf.data.AUTOTUNE)
    yield from stream.prefetch(16).as_numpy_iterator()


def read_encoded(
    builder: Builder,
    split: str,
    features: tuple[str, ...] = FEATURES,
    with_ids: bool = False,
) -> tf.data.Dataset:
    """Reads examples in the order of the files, pictures still as JPEG and PNG.

    Args:
      builder: The data set.
      split: Split to read.
      features: Features to read.
      with_ids: Whether to add 'tfds_id', TFDS's name of the example.

    Returns:
      Data set of bytes by feature, string [].
    """
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
        read_config=tfds.ReadConfig(try_autocache=False, add_tfds_id=with_ids),
    ).with_options(options)


def decode(builder: Builder, example: dict) -> dict:
    """Decodes the pictures of an encoded example, as the data contract has them."""
    features = builder.info.features
    return {name: features[name].decode_example(example[name]) for name in example}


def locate_example(builder: Builder, tfds_id: str) -> str:
    """Translates TFDS's name of an example into a split that `tfds.load` reads.

    Args:
      builder: The data set.
      tfds_id: The name that `read_encoded` gives: file and place in the file.

    Returns:
      Data set and a split of one example, such as 'fgbg/sample train[12:13]'.
    """
    file, place = tfds_id.rsplit("__", 1)
    for name, split in builder.info.splits.items():
        if file in split.filenames:
            shard = list(split.filenames).index(file)
            start = sum(split.shard_lengths[:shard]) + int(place)
            data_set = builder.info.full_name.rsplit("/", 1)[0]
            return f"{data_set} {name}[{start}:{start + 1}]"
    raise LookupError(f"{builder.info.full_name} has no file {file}")


def _describe_missing(name: str, folder: pathlib.Path) -> str:
    infos = [
        *folder.glob("*/*/dataset_info.json"),
        *folder.glob("*/*/*/dataset_info.json"),
    ]
    built = sorted({str(info.parent.parent.relative_to(folder)) for info in infos})
    found = f"built there: {', '.join(built)}" if built else "nothing is built there"
    return (
        f"data set {name} is not in {folder}; {found}; "
        "build it with: tfds build fgbg_tfds"
    )
