"""Parquet files, as pandas, Arrow and Hugging Face's `datasets` read them.

Pictures are the bytes of their JPEGs and PNGs, in the struct of bytes and path by which
`datasets` holds pictures. The types of `datasets` are in the schema's metadata, so that
it reads the files with pictures and names of labels:
https://huggingface.co/docs/hub/datasets-image#parquet-format.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
import tqdm

from fgbg_tfds.built_data import BuiltData, open_built_data
from fgbg_tfds.contract import PICTURES
from fgbg_tfds.conversion import origin
from fgbg_tfds.errors import InputError
from fgbg_tfds.extras import import_extra
from fgbg_tfds.files import name_failures, require_writable

FOLDER = "data"  # of `out`, where `datasets` looks for files named by splits
ROWS = 100  # of a row group: what a reader holds in memory at least
MAX_FILE_MB = 500
MEGABYTE = 1_000_000


def write_parquet(
    dataset: str,
    out: pathlib.Path,
    splits: str | None = None,
    data_dir: str | None = None,
    max_file_mb: int = MAX_FILE_MB,
) -> list[pathlib.Path]:
    """Writes a data set as Parquet files, `out/data/SPLIT-00000-of-00001.parquet`.

    Files appear whole. Those that an earlier call has finished are kept.

    Args:
      dataset: As `tfds.load` takes it, such as 'fgbg/streets'.
      out: Folder.
      splits: Splits as `tfds.load` takes them, divided by commas; None for each one.
      data_dir: Folder of the data sets; None for TFDS's own.
      max_file_mb: Size of a file in 1e6 bytes, about; at least 1.

    Returns:
      The files.

    Raises:
      InputError: If pyarrow is not installed, the data set cannot be read, other files
        stand in the place, or one cannot be written.
    """
    if max_file_mb < 1:
        raise InputError(f"--max_file_mb={max_file_mb}: give at least 1")
    for module in ("pyarrow", "pyarrow.parquet"):
        import_extra(module, "parquet", "Parquet files")
    require_writable(out, "give another --out")
    data = open_built_data(dataset, data_dir)
    named = origin.name_splits(data, splits)
    plans = {
        split: _plan_files(data, split, name, out / FOLDER, max_file_mb)
        for name, split in named.items()
    }
    marks = {path: mark for plan in plans.values() for path, mark in plan.items()}
    waiting = {path for path in marks if not path.exists()}
    with name_failures(out):
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
    total = sum(marks[path]["rows"] for path in waiting)
    with tqdm.tqdm(total=total, unit="example") as bar:
        for split, plan in plans.items():
            _write_files(data, split, plan, waiting, bar)
    return list(marks)


def _plan_files(
    data: BuiltData, split: str, name: str, folder: pathlib.Path, max_file_mb: int
) -> dict[pathlib.Path, dict]:
    """Cuts a split into files of about equal numbers of examples.

    Returns:
      The mark of each file by its path; 'rows' is the number of its examples.

    Raises:
      InputError: If files of this split that are not of this cut are there.
    """
    examples = data.count(split)
    every = data.info.splits.values()
    mean = sum(s.num_bytes for s in every) / sum(s.num_examples for s in every)
    files = min(examples, math.ceil(examples * mean / (max_file_mb * MEGABYTE)) or 1)
    bounds = [index * examples // files for index in range(files + 1)]
    plan = {
        folder / f"{name}-{index:05d}-of-{files:05d}.parquet": origin.describe_origin(
            data, split, first=first, rows=end - first
        )
        for index, (first, end) in enumerate(itertools.pairwise(bounds))
    }
    for path in sorted(folder.glob(f"{name}-*.parquet")):
        if path not in plan or _read_mark(path) != plan[path]:
            raise origin.refuse(path)
    return plan


def make_schema(features: tfds.features.FeaturesDict) -> Any:
    """Makes the Arrow schema of a data set, with the types of `datasets` beside it."""
    import pyarrow as pa

    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields, types = [], {}
    for name in (*PICTURES, *sorted(set(features) - set(PICTURES))):
        feature = features[name]
        if isinstance(feature, tfds.features.Image):
            arrow, types[name] = picture, {"_type": "Image"}
        elif isinstance(feature, tfds.features.ClassLabel):
            arrow = pa.int64()
            types[name] = {"names": feature.names, "_type": "ClassLabel"}
        else:
            kind = np.dtype(feature.np_dtype).name
            arrow = pa.from_numpy_dtype(kind)
            types[name] = {"dtype": kind, "_type": "Value"}
            if feature.shape:
                (length,) = feature.shape
                arrow = pa.list_(arrow, length)
                # Named List since 4.0, which reads the older name too.
                types[name] = {
                    "feature": types[name],
                    "length": length,
                    "_type": "Sequence",
                }
        fields.append(pa.field(name, arrow))
    described = json.dumps({"info": {"features": types}})
    return pa.schema(fields, metadata={"huggingface": described})


def _write_files(
    data: BuiltData,
    split: str,
    plan: dict[pathlib.Path, dict],
    waiting: set[pathlib.Path],
    bar: tqdm.tqdm,
) -> None:
    """Writes the files of a split that wait."""
    schema = make_schema(data.info.features)
    examples = data.read(split, *PICTURES)
    for path, mark in plan.items():
        if not waiting & set(plan):
            return
        part = itertools.islice(examples, mark["rows"])
        if path in waiting:
            _write_file(path, schema, mark, part, bar)
            waiting = waiting - {path}
        else:
            for _ in part:  # TFDS's files are read from their beginning
                pass


def _write_file(
    path: pathlib.Path,
    schema: Any,
    mark: dict,
    examples: Iterator[dict[str, Any]],
    bar: tqdm.tqdm,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema.with_metadata(schema.metadata | {origin.MARK: json.dumps(mark)})
    partial = path.with_name(f".fgbg-{os.getpid()}.part")
    # Pictures are too large for a dictionary.
    small: Any = [name for name in schema.names if name not in PICTURES]
    try:
        with name_failures(path):
            with pq.ParquetWriter(partial, schema, use_dictionary=small) as writer:
                while rows := list(itertools.islice(examples, ROWS)):
                    rows = [_convert(row) for row in rows]
                    writer.write_table(pa.Table.from_pylist(rows, schema))
                    bar.update(len(rows))
            partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _convert(example: dict[str, Any]) -> dict[str, Any]:
    """Converts an example to what Arrow takes."""
    return {
        name: {"bytes": value} if name in PICTURES else value
        for name, value in example.items()
    }


def _read_mark(path: pathlib.Path) -> dict | None:
    """Reads the mark of a file that `write_parquet` wrote; None of any other."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
        return json.loads(metadata.get(origin.MARK.encode(), b"null"))
    except (OSError, ValueError, pa.ArrowException):
        return None
