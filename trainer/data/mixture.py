"""One or several data sets, read as if they were one."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.contract import FEATURES, FOREGROUND
from trainer.data.datasets import (
    Builder,
    count,
    decode,
    open_dataset,
    read_encoded,
    read_picture_size,
    read_pictures,
)
from trainer.errors import UserError


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A split of one or several data sets, and the order in which it is read.

    Attributes:
      builders: The data sets, opened by TFDS.
      split: Split of each of them, as TFDS takes it.
      shares: Number of examples of each data set that come in turn; one of each if
        empty.
      seed: Seed of the training order.

    Raises:
      UserError: If the shares do not fit the data sets.
    """

    builders: tuple[Builder, ...]
    split: str = "train"
    shares: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self):
        if self.shares and len(self.shares) != len(self.builders):
            raise UserError(
                f"--dataset_shares has {len(self.shares)} numbers for "
                f"{len(self.builders)} data sets, {self.full_name}; give one for each"
            )

    @property
    def full_name(self) -> str:
        """Names with versions, separated by commas."""
        return ",".join(builder.info.full_name for builder in self.builders)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with name, version or content."""
        contents = []
        for builder in self.builders:
            splits = {
                name: [split.num_bytes, list(split.shard_lengths)]
                for name, split in sorted(builder.info.splits.items())
            }
            contents.append([builder.info.full_name, splits])
        text = json.dumps(contents if len(contents) > 1 else contents[0])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def turns(self) -> list[int]:
        """The data set of each example of one turn, as an index, evenly spread."""
        places = [
            ((number + 0.5) / share, index)
            for index, share in enumerate(self.shares or (1,) * len(self.builders))
            for number in range(share)
        ]
        return [index for _, index in sorted(places)]

    @functools.cached_property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the pictures.

        Raises:
          UserError: If the data sets have pictures of different sizes.
        """
        sizes = {b.info.full_name: read_picture_size(b, self.split) for b in self}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{n} has {h}x{w}" for n, (h, w) in sizes.items())
            raise UserError(
                f"data sets that are mixed need pictures of one size, but {listed}; "
                "build them with the same image_size"
            )
        return next(iter(sizes.values()))

    @property
    def foregrounds(self) -> int | None:
        """Number of foregrounds of all data sets; None if one does not name its own."""
        numbers = []
        for builder in self:
            features = dict(builder.info.features.items())
            numbers.append(getattr(features.get(FOREGROUND), "num_classes", None))
        return None if None in numbers else sum(numbers)

    def count(self) -> int:
        """Counts the examples of the split in all data sets.

        Raises:
          UserError: If a data set has no such split, or it is empty.
        """
        return sum(count(builder, self.split) for builder in self)

    def with_split(self, split: str) -> Mixture:
        """Returns another split of the same data sets."""
        return dataclasses.replace(self, split=split)

    def only(self, builder: Builder) -> Mixture:
        """Returns one data set alone, with the same split."""
        return dataclasses.replace(self, builders=(builder,), shares=())

    def read_pictures(
        self, features: tuple[str, ...] = FEATURES
    ) -> Iterator[dict[str, np.ndarray]]:
        """Reads and decodes one data set after the other, in the order of the files.

        Args:
          features: Features to decode.

        Yields:
          Pictures by feature, as the data contract has them.
        """
        streams = (read_pictures(builder, self.split, features) for builder in self)
        return itertools.chain.from_iterable(streams)

    def read_encoded(self) -> tf.data.Dataset:
        """Reads one data set after the other, pictures still as JPEG and PNG.

        Returns:
          Data set of bytes by feature, string [].
        """
        streams = [read_encoded(builder, self.split) for builder in self]
        return functools.reduce(tf.data.Dataset.concatenate, streams)

    def decode(self, example: dict) -> dict:
        """Decodes an encoded example; all data sets have the same features."""
        return decode(self.builders[0], example)

    def __iter__(self) -> Iterator[Builder]:
        return iter(self.builders)


def open_mixture(
    names: str,
    data_dir: str = "",
    split: str = "train",
    shares: tuple[int, ...] = (),
    seed: int = 0,
) -> Mixture:
    """Opens one data set, or several to be mixed.

    Args:
      names: One name, or several separated by commas: 'fgbg/streets,fgbg/rooms'.
      data_dir: Folder of the data sets; TFDS's own if empty.
      split: See `Mixture`.
      shares: See `Mixture`.
      seed: See `Mixture`.

    Returns:
      The data sets in the order of their names.

    Raises:
      UserError: If one cannot be opened or is named twice, or the shares do not fit.
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
    return Mixture(builders, split, shares, seed)
