"""The card of a data set, `README.md`, in the form that hubs of data sets read.

The front matter has the fields of Hugging Face's data set cards,
https://huggingface.co/docs/hub/datasets-cards.
"""

from __future__ import annotations

import numpy as np
import tensorflow_datasets as tfds
import yaml
from etils import epath

FILE_NAME = "README.md"
SIZES = {  # hubs' names for fewer examples than these
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
    100_000_000: "10M<n<100M",
}
LARGEST = "100M<n<1B"
OPEN_LICENCE = "apache-2.0"  # of what this package draws
UNKNOWN = "unknown"  # a licence that hubs know by this name

_TEXT = """\
# {name}

{description}

{config}

Fingerprint `{fingerprint}`,
a digest of settings, pictures, weights and versions of libraries: the same fingerprint
means the same bytes.

## How to read it

```python
import tensorflow_datasets as tfds

builder = tfds.builder_from_directory("{version}")  # the folder of this file
example = next(iter(builder.as_dataset(split="train")))
metres = example["depth"] / 256  # 0 is unknown
new = example["mask"] >= 128
```

`croissant.json` describes the same files for catalogues.

## Splits

| split | examples | bytes |
|---|---|---|
{splits}

## Features

| feature | type | |
|---|---|---|
{features}

## Labels of depth

{labels}

## Licence

{licence}

## Limits

- The pictures are composites. Shadows, reflections and occlusion by the scene, as a
  real object would have them, are missing.
- {depth}

## Citation

```bibtex
{citation}
```
"""


def write_card(
    info: tfds.core.DatasetInfo, folder: epath.PathLike, drawn: bool
) -> None:
    """Writes `README.md` into a data set's folder.

    It bears no date, since the same recipe gives the same bytes on any day.

    Args:
      info: The data set's, with its splits and metadata.
      folder: Folder of its files.
      drawn: Whether this package drew all its pictures.
    """
    front = yaml.safe_dump(
        _describe(info, OPEN_LICENCE if _is_open(info, drawn) else UNKNOWN),
        sort_keys=False,
        allow_unicode=True,
    )
    text = f"---\n{front}---\n\n{_format(info, drawn)}"
    (epath.Path(folder) / FILE_NAME).write_bytes(text.encode())


def _describe(info: tfds.core.DatasetInfo, licence: str) -> dict[str, object]:
    suffix = info.file_format.file_suffix
    splits = info.splits.items()
    total = sum(split.num_examples for _, split in splits)
    return {
        "license": licence,
        "pretty_name": info.full_name,
        "task_categories": ["image-segmentation", "depth-estimation"],
        "size_categories": [
            next((name for most, name in SIZES.items() if total < most), LARGEST)
        ],
        "tags": ["fixed-camera", "background-subtraction", "composites", "tfds"],
        "configs": [
            {
                "config_name": info.config_name,
                "data_files": [
                    {"split": name, "path": f"{info.name}-{name}.{suffix}-*"}
                    for name, _ in splits
                ],
            }
        ],
        "dataset_info": {
            "config_name": info.config_name,
            "features": [
                {"name": name, **_describe_type(feature)}
                for name, feature in info.features.items()
            ],
            "splits": [
                {
                    "name": name,
                    "num_bytes": int(split.num_bytes),
                    "num_examples": int(split.num_examples),
                }
                for name, split in splits
            ],
            "dataset_size": sum(int(split.num_bytes) for _, split in splits),
        },
    }


def _describe_type(feature: tfds.features.FeatureConnector) -> dict[str, object]:
    if isinstance(feature, tfds.features.ClassLabel):
        names = {str(number): name for number, name in enumerate(feature.names)}
        return {"dtype": {"class_label": {"names": names}}}
    if isinstance(feature, tfds.features.Image):
        return {"dtype": "image"}
    if isinstance(feature, tfds.features.BBoxFeature):
        return {"sequence": "float32", "length": 4}
    return {"dtype": np.dtype(feature.np_dtype).name}


def _format(info: tfds.core.DatasetInfo, drawn: bool) -> str:
    metadata = info.metadata
    splits = [
        f"| `{name}` | {split.num_examples:,} | {int(split.num_bytes):,} |"
        for name, split in info.splits.items()
    ]
    features = [
        f"| `{name}` | {_format_type(feature)} | "
        f"{feature.doc.desc or f'Number of the {name} in its list of names.'} |"
        for name, feature in info.features.items()
    ]
    return _TEXT.format(
        name=info.full_name,
        version=info.version,
        description=info.description.strip(),
        config=info.config_description or "",
        fingerprint=metadata["fingerprint"],
        splits="\n".join(splits),
        features="\n".join(features),
        labels=_describe_labels(metadata),
        licence=_explain_licence(info, drawn),
        depth=_limit_depth(metadata),
        citation=info.citation.strip(),
    )


def _format_type(feature: tfds.features.FeatureConnector) -> str:
    if isinstance(feature, tfds.features.ClassLabel):
        return f"one of {feature.num_classes} names"
    shape = ", ".join("?" if side is None else str(side) for side in feature.shape)
    return f"{np.dtype(feature.np_dtype).name} [{shape}]"


def _describe_labels(metadata) -> str:
    teacher = metadata["teacher"]
    if "weights_sha256" not in teacher:
        return "None: depth is 0, unknown, everywhere."
    return (
        f"By the network `{teacher['name']}`, weights `{teacher['weights']}` (SHA-256 "
        f"`{teacher['weights_sha256'][:12]}…`, licence {teacher['licence']}), in "
        f"{teacher['precision']}. {metadata['labelling']['rule']} Rounded by at most "
        f"{metadata['depth']['relative_error']:.0%}."
    )


def _limit_depth(metadata) -> str:
    if "weights_sha256" not in metadata["teacher"]:
        return "It has no depth."
    scale = (
        "as the network learned them from measured depth"
        if metadata["depth"]["metric"]
        else "right up to a factor that a picture does not tell"
    )
    return (
        "Depth is what a network says, not what was measured, and carries its\n"
        f"  mistakes. Its metres are {scale}."
    )


def _is_open(info: tfds.core.DatasetInfo, drawn: bool) -> bool:
    licence = info.metadata["teacher"].get("licence", OPEN_LICENCE)
    return drawn and licence.lower() == OPEN_LICENCE


def _explain_licence(info: tfds.core.DatasetInfo, drawn: bool) -> str:
    if _is_open(info, drawn):
        return "Apache-2.0: all pictures were drawn by the package that wrote this."
    origin = "drawn by the package, Apache-2.0" if drawn else "not known to it"
    teacher = info.metadata["teacher"].get("licence", "none was used")
    return (
        "Not known to the program that wrote this. It depends on the licence of the\n"
        f"pictures that the data set was composed of ({origin}) and on\n"
        f"that of the network that labelled depth ({teacher}). Say it\n"
        "here, and in `license:` above, before you publish the data."
    )
