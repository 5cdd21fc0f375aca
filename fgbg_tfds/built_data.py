"""Data sets that are built: opening them, and reading their examples."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from fgbg_tfds.contract import LABELS, PICTURES
from fgbg_tfds.errors import InputError


@dataclasses.dataclass(frozen=True)
class BuiltData:
    """A data set that is built; see `open_built_data`.

    Attributes:
      name: As it was asked for, such as 'fgbg/streets'.
      builder: Reads it.
    """

    name: str
    builder: tfds.core.DatasetBuilder

    @property
    def info(self) -> tfds.core.DatasetInfo:
        """The description of features, splits and metadata."""
        return self.builder.info

    def count(self, split: str) -> int:
        """Counts the examples of a split.

        Args:
          split: As `tfds.load` takes it, such as 'train[:10]' or 'train+test'; 'all'
            for every split.

        Raises:
          InputError: If there is no such split, or nothing is in it.
        """
        splits = self.info.splits
        try:
            total = sum(splits[part].num_examples for part in split.split("+"))
        except (KeyError, ValueError) as error:
            raise InputError(
                f"split {split!r}: {self.name} has {', '.join(splits)}; slices such as "
                "'train[:10]' and sums such as 'train+test' work too"
            ) from error
        if not total:
            raise InputError(
                f"split {split!r} of {self.name} is empty; give another --split"
            )
        return total

    def read(self, split: str, *encoded: str) -> Iterator[dict[str, Any]]:
        """Reads a split in its order; memory is that of a few examples.

        Args:
          split: See `count`.
          *encoded: Pictures that are read as the bytes of their files.

        Yields:
          Features by name: NumPy arrays and scalars; see the data contract.

        Raises:
          InputError: If a file is damaged.
        """
        import tensorflow as tf  # takes seconds, and mistakes are told before

        # One file after the other, and none of them is kept.
        config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        data = self.builder.as_dataset(
            split=split,
            decoders={name: tfds.decode.SkipDecoding() for name in encoded},
            read_config=config,
        )
        options = tf.data.Options()
        options.autotune.ram_budget = 1 << 26  # bytes; else prefetching grows
        with self.report_damage():
            yield from tfds.as_numpy(data.with_options(options))

    @contextlib.contextmanager
    def report_damage(self) -> Iterator[None]:
        """Turns TensorFlow's errors of reading into an `InputError`."""
        import tensorflow as tf

        try:
            yield
        except tf.errors.OpError as error:
            raise InputError(
                f"{self.name}: cannot be read from {self.builder.data_path} ("
                f"{str(error.message).splitlines()[0]}); build it anew with --overwrite"
            ) from error


def open_built_data(dataset: str, data_dir: str | None = None) -> BuiltData:
    """Opens a data set that `tfds build fgbg_tfds` built.

    Args:
      dataset: As `tfds.load` takes it, such as 'fgbg/streets'.
      data_dir: Folder of the data sets; None for TFDS's own.

    Raises:
      InputError: If it is not there, or lacks a feature of the data contract.
    """
    try:
        builder = tfds.builder(dataset, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        raise InputError(_describe_missing(dataset, data_dir)) from error
    if not builder.info.splits.total_num_examples:
        raise InputError(_describe_missing(dataset, data_dir))
    missing = {*PICTURES, *LABELS} - set(builder.info.features)
    if missing:
        raise InputError(
            f"{dataset}: has no {', '.join(sorted(missing))}; give a data set that "
            "`tfds build fgbg_tfds` built"
        )
    return BuiltData(dataset, builder)


def _describe_missing(dataset: str, data_dir: str | None) -> str:
    place = pathlib.Path(
        data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    )
    built = sorted(
        f"fgbg/{path.parent.parent.name}"
        for path in place.expanduser().glob("fgbg/*/*/dataset_info.json")
    )
    return (
        f"{dataset}: not built in {place} (there: {', '.join(built) or 'nothing'}); "
        "build it with `tfds build fgbg_tfds`"
    )
