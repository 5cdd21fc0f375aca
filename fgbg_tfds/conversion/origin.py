"""The mark that tells which examples of which data set a file was made from."""

from __future__ import annotations

import pathlib
import re

from fgbg_tfds.built_data import BuiltData
from fgbg_tfds.errors import InputError

MARK = "fgbg"  # its key in the files


def describe_origin(data: BuiltData, split: str, **settings: object) -> dict:
    """Describes which examples a file is made from, and by which settings.

    Args:
      data: The data set.
      split: As `tfds.load` takes it.
      **settings: Whatever else changes the file.
    """
    return {
        "dataset": data.info.full_name,
        "fingerprint": data.info.metadata["fingerprint"],
        "split": split,
        "examples": data.count(split),
        **settings,
    }


def name_split(split: str) -> str:
    """Names the files of a split: 'train' for 'train[:10%]', 'a_b' for 'a+b'."""
    return "_".join(re.sub(r"\[.*", "", part) for part in split.split("+"))


def name_splits(data: BuiltData, splits: str | None) -> dict[str, str]:
    """Finds the splits to write by the names of their files.

    Args:
      data: The data set.
      splits: Splits as `tfds.load` takes them, divided by commas; None for each one
        of the data set.

    Raises:
      InputError: If there is no such split, nothing is in it, or two would have one
        name.
    """
    if splits is None:
        asked = [name for name, split in data.info.splits.items() if split.num_examples]
    else:
        asked = splits.split(",")
    named = {}
    for split in asked:
        data.count(split)
        name = name_split(split)
        if name in named:
            raise InputError(
                f"--split={splits}: {named[name]!r} and {split!r} would both be "
                f"written as {name!r}; give them one by one, with an --out each"
            )
        named[name] = split
    return named


def refuse(path: pathlib.Path) -> InputError:
    """Makes the error for something that stands where a file would be written."""
    return InputError(
        f"{path}: is there already, and was not made from these examples by this "
        "command; give another --out, or remove it"
    )
