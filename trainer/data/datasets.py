"""Data sets that TFDS has built: opened, checked, counted and read.

Every function takes one builder or several: several are read as if they were one,
one after the other.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import operator
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.errors import UserError

FEATURES = ("bg", "fgbg", "mask", "depth")
Builder = tfds.core.DatasetBuilder
Builders = Builder | tuple[Builder, ...]


def open_dataset(name: str, data_dir: str = "") -> Builder:
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


def open_datasets(names: str, data_dir: str = "") -> tuple[Builder, ...]:
    """Opens data sets that are to be mixed.

    Args:
      names: One name or several with commas, such as 'fgbg/streets,fgbg/rooms'.
      data_dir: Where data sets are; TFDS's own place if empty.

    Returns:
      A builder for each name, in their order.

    Raises:
      UserError: If one cannot be opened, or is named twice.
    """
    listed = [name.strip() for name in names.split(",")]
    if not all(listed):
        raise UserError(
            f"--dataset={names} has an empty name; write fgbg/sample, or "
            "fgbg/streets,fgbg/rooms for a mixture"
        )
    builders = tuple(open_dataset(name, data_dir) for name in listed)
    opened = [builder.info.full_name for builder in builders]
    for name in opened:
        if opened.count(name) > 1:
            raise UserError(
                f"--dataset={names} names {name} twice; give it a greater share with "
                "--dataset_shares"
            )
    return builders


def several(builders: Builders) -> tuple[Builder, ...]:
    """One builder or several, as a tuple."""
    return tuple(builders) if isinstance(builders, tuple | list) else (builders,)


def full_name(builders: Builders) -> str:
    """Names with versions, with commas in between."""
    return ",".join(builder.info.full_name for builder in several(builders))


def fingerprint(builders: Builders) -> str:
    """Sixteen hexadecimal digits that change with name, version or content."""
    contents = []
    for builder in several(builders):
        splits = {
            name: [split.num_bytes, list(split.shard_lengths)]
            for name, split in sorted(builder.info.splits.items())
        }
        contents.append([builder.info.full_name, splits])
    text = json.dumps(contents if len(contents) > 1 else contents[0])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def count(builders: Builders, split: str) -> int:
    """Number of examples of a split, such as 'train' or 'train[:7800]'.

    Raises:
      UserError: If there is no such split, or nothing in it.
    """
    return sum(_count(builder, split) for builder in several(builders))


def spread(builder: Builder, split: str, most: int, places: int = 16):
    """Part of a split: a stretch of examples at each of some places, evenly spread.

    Stretches, since files are read from front to back.

    Args:
      builder: The data set.
      split: A split.
      most: About how many examples; the whole split where it has no more.
      places: Number of stretches.

    Returns:
      A split as all functions here take it.
    """
    number = count(builder, split)
    if number <= most:
        return split
    pieces = tfds.even_splits(split, number // max(1, most // places))
    chosen = np.linspace(0, len(pieces) - 1, min(places, most)).round().astype(int)
    return functools.reduce(operator.add, [pieces[index] for index in chosen])


def picture_size(builders: Builders, split: str) -> tuple[int, int]:
    """Height and width of the pictures of a data set.

    Raises:
      UserError: If several data sets have pictures of different sizes.
    """
    sizes = {b.info.full_name: _picture_size(b, split) for b in several(builders)}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{n} has {h}x{w}" for n, (h, w) in sizes.items())
        raise UserError(
            f"data sets that are mixed need pictures of one size, but {listed}; "
            "build them with the same image_size"
        )
    return next(iter(sizes.values()))


def pictures(
    builders: Builders, split: str, features: tuple[str, ...] = FEATURES
) -> Iterator[dict[str, np.ndarray]]:
    """Examples of a split in the order of the files, decoded.

    Args:
      builders: The data set, or several.
      split: Split to read.
      features: Those wanted; no others are decoded.

    Yields:
      Pictures by feature, as the data contract has them.
    """
    for builder in several(builders):
        stream = encoded(builder, split, features)
        stream = stream.map(functools.partial(decode, builder), tf.data.AUTOTUNE)
        yield from stream.prefetch(16).as_numpy_iterator()


def encoded(
    builders: Builders,
    split: str,
    features: tuple[str, ...] = FEATURES,
    identified: bool = False,
) -> tf.data.Dataset:
    """Examples in the order of the files, pictures still as JPEG and PNG.

    Args:
      builders: The data set, or several.
      split: Split to read.
      features: Those wanted.
      identified: Whether each example gets TFDS's name for it, 'tfds_id', as well.

    Returns:
      Data set of bytes by feature, string [].
    """
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    streams = [
        builder.as_dataset(
            split=split,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(
                features=dict.fromkeys(features, True),
                decoders={name: tfds.decode.SkipDecoding() for name in features},
            ),
            read_config=tfds.ReadConfig(try_autocache=False, add_tfds_id=identified),
        )
        for builder in several(builders)
    ]
    return functools.reduce(tf.data.Dataset.concatenate, streams).with_options(options)


def address(builder: Builder, tfds_id: str) -> str:
    """Where `tfds.load` finds an example.

    Args:
      builder: The data set.
      tfds_id: Its name in `encoded`: file and place in the file.

    Returns:
      Data set and a split of one, such as 'fgbg/sample train[12:13]'.
    """
    file, place = tfds_id.rsplit("__", 1)
    for name, split in builder.info.splits.items():
        if file in split.filenames:
            shard = list(split.filenames).index(file)
            place = sum(split.shard_lengths[:shard]) + int(place)
            data_set = builder.info.full_name.rsplit("/", 1)[0]
            return f"{data_set} {name}[{place}:{place + 1}]"
    raise LookupError(f"{builder.info.full_name} has no file {file}")


def decode(builders: Builders, example: dict) -> dict:
    """Pictures of an encoded example, as the data contract has them."""
    features = several(builders)[0].info.features
    return {name: features[name].decode_example(example[name]) for name in example}


def _count(builder: Builder, split: str) -> int:
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


def _picture_size(builder: Builder, split: str) -> tuple[int, int]:
    height, width, _ = builder.info.features["mask"].shape
    if height is None or width is None:
        (example,) = itertools.islice(pictures(builder, split, ("mask",)), 1)
        height, width, _ = example["mask"].shape
    return height, width


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
