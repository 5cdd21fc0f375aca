"""COCO's JSON of boxes and masks, for detectors and segmenters, and the pictures.

The format is that of https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import tqdm

from fgbg_tfds.built_data import BuiltData, open_built_data
from fgbg_tfds.contract import LABELS, MASK_THRESHOLD
from fgbg_tfds.conversion import origin
from fgbg_tfds.extras import import_extra
from fgbg_tfds.files import name_failures, require_writable

ANNOTATIONS = "annotations"  # the folder of the JSON files, as in COCO
CATEGORY = "foreground"  # the only one, or the one above all
LONGEST_MARK = 10_000  # characters
CATEGORIES = ("one", "names")


def write_coco(
    dataset: str,
    out: pathlib.Path,
    splits: str | None = None,
    data_dir: str | None = None,
    categories: str = "one",
) -> list[pathlib.Path]:
    """Writes a data set's composites as JPEGs, and their boxes and masks as COCO does.

    A split gets `out/SPLIT/*.jpg`, the bytes of the data set, and
    `out/annotations/instances_SPLIT.json`. Both appear whole. Those that an earlier
    call has finished are kept.

    Args:
      dataset: As `tfds.load` takes it, such as 'fgbg/streets'.
      out: Folder.
      splits: Splits as `tfds.load` takes them, divided by commas; None for each one.
      data_dir: Folder of the data sets; None for TFDS's own.
      categories: 'one' for a single category, 'names' for one of each foreground.
        Splits have no foreground in common, so that 'names' suits one split alone.

    Returns:
      The JSON files.

    Raises:
      InputError: If pycocotools is not installed, the data set cannot be read, other
        files stand in the place, or one cannot be written.
    """
    import_extra("pycocotools.mask", "coco", "COCO's masks")
    require_writable(out, "give another --out")
    data = open_built_data(dataset, data_dir)
    paths, waiting = [], {}
    for name, split in origin.name_splits(data, splits).items():
        mark = origin.describe_origin(data, split, categories=categories)
        path = out / ANNOTATIONS / f"instances_{name}.json"
        paths.append(path)
        pictures = out / name
        if _read_mark(path) == mark and pictures.is_dir():
            continue
        for place in (path, pictures):
            if os.path.lexists(place):
                raise origin.refuse(place)
        waiting[path] = (pictures, mark)
    total = sum(mark["examples"] for _, mark in waiting.values())
    with tqdm.tqdm(total=total, unit="example") as bar:
        for path, (pictures, mark) in waiting.items():
            _write_split(data, path, pictures, mark, bar)
    return paths


def _write_split(
    data: BuiltData,
    path: pathlib.Path,
    pictures: pathlib.Path,
    mark: dict,
    bar: tqdm.tqdm,
) -> None:
    """Writes the pictures and the JSON of a split, which appear when both are whole."""
    partial = pictures.with_name(f".fgbg-{os.getpid()}.part")
    new_pictures, new_path = partial / pictures.name, partial / path.name
    try:
        with name_failures(pictures):
            new_pictures.mkdir(parents=True)
            path.parent.mkdir(exist_ok=True)
            with _Annotations(new_path, data, mark) as annotations:
                for example in data.read(mark["split"], "fgbg"):
                    name = annotations.add(example)
                    (new_pictures / name).write_bytes(example["fgbg"])
                    bar.update()
            new_pictures.rename(pictures)
            new_path.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _Annotations:
    """COCO's JSON as it grows: annotations in the file, images beside it until the end.

    Memory is that of one example.
    """

    def __init__(self, path: pathlib.Path, data: BuiltData, mark: dict):
        self._names = {label: data.info.features[label].names for label in LABELS}
        self._by_name = mark["categories"] == "names"
        self._file = path.open("w", encoding="utf-8")
        self._images = tempfile.TemporaryFile(  # noqa: SIM115, __exit__ closes it
            "w+", encoding="utf-8", dir=path.parent
        )
        self._examples = self._boxes = 0
        info = {
            "description": data.info.full_name,
            "version": str(data.info.version),
            origin.MARK: mark,
        }
        # It is alone in the first line, where `_read_mark` finds it.
        self._file.write(json.dumps({"info": info})[:-1] + ",\n")
        names = self._names["foreground"] if self._by_name else [CATEGORY]
        categories = [
            {"id": number, "name": name, "supercategory": CATEGORY}
            for number, name in enumerate(names, 1)
        ]
        self._file.write(f'"licenses": [],\n"categories": {json.dumps(categories)},\n')
        self._file.write('"annotations": [')

    def __enter__(self):
        return self

    def __exit__(self, *details):
        with self._file, self._images:
            self._images.seek(0)
            self._file.write('\n],\n"images": [')
            shutil.copyfileobj(self._images, self._file)
            self._file.write("\n]}\n")

    def add(self, example: Mapping[str, Any]) -> str:
        """Adds an example.

        Returns:
          The name of its picture's file.
        """
        mask = example["mask"][..., 0] >= MASK_THRESHOLD
        height, width = mask.shape
        names = {label: self._names[label][example[label]] for label in LABELS}
        comma = "," if self._examples else ""
        self._examples += 1
        image = {
            "id": self._examples,
            "file_name": f"{self._examples:08d}.jpg",
            "width": width,
            "height": height,
            "background": names["background"],
        }
        self._images.write(f"{comma}\n{json.dumps(image)}")
        if mask.any():
            comma = "," if self._boxes else ""
            self._boxes += 1
            annotation = {
                "id": self._boxes,
                "image_id": self._examples,
                "category_id": int(example["foreground"]) + 1 if self._by_name else 1,
                **describe_mask(mask),
                "iscrowd": 0,
                "foreground": names["foreground"],
            }
            self._file.write(f"{comma}\n{json.dumps(annotation)}")
        return image["file_name"]


def describe_mask(mask: np.ndarray) -> dict[str, Any]:
    """Describes a mask as annotations of COCO do.

    Args:
      mask: bool [H, W], true somewhere.

    Returns:
      'bbox', left, top, width and height in pixels; 'area' in pixels; 'segmentation',
      run lengths as COCO compresses them.
    """
    from pycocotools.mask import encode

    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    runs: Any = encode(np.asfortranarray(mask, np.uint8))
    return {
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "area": int(mask.sum()),
        "segmentation": {
            "size": runs["size"],
            "counts": runs["counts"].decode("ascii"),
        },
    }


def _read_mark(path: pathlib.Path) -> dict | None:
    """Reads the mark of a file that `write_coco` wrote; None of any other."""
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(LONGEST_MARK)
        return json.loads(line.rstrip(",\n") + "}")["info"][origin.MARK]
    except (OSError, ValueError, KeyError, TypeError):
        return None
