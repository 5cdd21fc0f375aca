"""The description of a data set for catalogues: Croissant 1.0, `croissant.json`."""

from __future__ import annotations

import json

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

FILE_NAME = "croissant.json"
FORMATS = {
    "tfrecord": "https://www.tensorflow.org/tutorials/load_data/tfrecord",
    "array_record": "https://github.com/google/array_record",
}
OTHER_FORMAT = "https://www.tensorflow.org/datasets/file_formats"
DRAWN_LICENSE = "https://www.apache.org/licenses/LICENSE-2.0"
FOLDERS_LICENSE = "That of the pictures that it is composed of."


def write_croissant(
    info: tfds.core.DatasetInfo, folder: epath.PathLike, drawn: bool
) -> None:
    """Writes `croissant.json` into a data set's folder.

    Args:
      info: The data set's, with its splits.
      folder: Folder of its files.
      drawn: Whether this package drew all its pictures.
    """
    described = describe(info, DRAWN_LICENSE if drawn else FOLDERS_LICENSE)
    text = json.dumps(described, indent=2, ensure_ascii=False, sort_keys=True)
    (epath.Path(folder) / FILE_NAME).write_bytes(f"{text}\n".encode())


def describe(info: tfds.core.DatasetInfo, license: str) -> dict[str, object]:
    """Describes a data set in Croissant's terms: files, splits, fields.

    The date of publication, which Croissant recommends, is left out, since the same
    recipe gives the same bytes on any day.

    Args:
      info: The data set's, with its splits.
      license: Address of its licence, or a sentence.

    Returns:
      JSON-LD, validated by mlcroissant.
    """
    import mlcroissant as mlc  # Slow to import; only the end of a build needs it.

    suffix = info.file_format.file_suffix
    files: list[mlc.FileObject | mlc.FileSet] = [
        mlc.FileSet(
            id=f"{split}-files",
            name=f"{split}-files",
            description=f"{split}: {details.num_examples} examples",
            encoding_formats=[FORMATS.get(suffix, OTHER_FORMAT)],
            includes=[f"{info.name}-{split}.{suffix}-*"],
        )
        for split, details in info.splits.items()
    ]
    labels = [
        _describe_labels(mlc, name, info.features[name].names)
        for name in ("foreground", "background")
    ]
    examples = [
        mlc.RecordSet(
            id=split,
            name=split,
            description="Feature names and encodings are those of features.json.",
            fields=[
                _describe_field(mlc, split, name, feature)
                for name, feature in info.features.items()
            ],
        )
        for split in info.splits
    ]
    described = mlc.Metadata(
        name=info.full_name.replace("/", "-"),
        description=f"{info.description}\n\n{info.config_description or ''}".strip(),
        cite_as=info.citation,
        license=[license],
        url=info.homepage,
        version=str(info.version),
        distribution=files,
        record_sets=[*labels, *examples],
    )
    return described.to_json()


def _describe_labels(mlc, name: str, labels: list[str]):
    """Describes the pictures' names as an enumeration, to which examples refer."""
    types = {"number": mlc.DataType.INTEGER, "file": mlc.DataType.TEXT}
    return mlc.RecordSet(
        id=f"{name}s",
        name=f"{name}s",
        key=f"{name}s/number",
        data=[
            {f"{name}s/number": number, f"{name}s/file": label}
            for number, label in enumerate(labels)
        ],
        fields=[
            mlc.Field(
                id=f"{name}s/{field}",
                name=field,
                description=f"The {name}'s {field}.",
                data_types=[kind],
            )
            for field, kind in types.items()
        ],
    )


def _describe_field(
    mlc, split: str, name: str, feature: tfds.features.FeatureConnector
):
    source = mlc.Source(file_set=f"{split}-files", extract=mlc.Extract(column=name))
    kinds = {
        tfds.features.Image: mlc.DataType.IMAGE_OBJECT,
        tfds.features.BBoxFeature: mlc.DataType.BOUNDING_BOX,
    }
    is_truth = np.issubdtype(feature.np_dtype, np.bool_)
    number = mlc.DataType.BOOL if is_truth else mlc.DataType.INTEGER
    references = None
    if isinstance(feature, tfds.features.ClassLabel):
        references = mlc.Source(field=f"{name}s/number")
    return mlc.Field(
        id=f"{split}/{name}",
        name=name,
        description=feature.doc.desc or f"Number of the {name} in `{name}s`.",
        data_types=[kinds.get(type(feature), number)],
        source=source,
        **({"references": references} if references else {}),
    )
