"""One picture to judge a data set by: rows of bg, fgbg, mask and depth."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageDraw, ImageFont

from fgbg_tfds import colours
from fgbg_tfds.built_data import open_built_data
from fgbg_tfds.contract import DEPTH_UNITS, LABELS, PICTURES
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import require_writable, write_atomically

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY = 92  # of JPEG and WebP
GAP = 6
LINE = 18
SCALE_METRES = (1, 2, 5, 10, 20, 40, 80)


def read_examples(
    dataset: str, split: str, count: int, data_dir: str | None = None
) -> list[Mapping[str, np.ndarray]]:
    """Reads examples of a built data set, spread evenly over a split.

    Args:
      dataset: As `tfds.load` takes it, such as 'fgbg/streets'.
      split: As `tfds.load` takes it; 'all' for every split.
      count: Number of examples.
      data_dir: Folder of the data sets; None for TFDS's own.

    Returns:
      At most `count` examples: arrays as in the data contract, and strings
      under 'foreground' and 'background'.

    Raises:
      InputError: If the data set or the split is not there, or cannot be used.
    """
    data = open_built_data(dataset, data_dir)
    total = data.count(split)
    stride = max(1, total // count)
    names = {field: data.info.features[field] for field in LABELS}
    with data.report_damage():
        examples = data.builder.as_dataset(split).enumerate()
        chosen = examples.filter(lambda index, _: index % stride == 0).take(count)
        return [
            example | {field: names[field].int2str(example[field]) for field in names}
            for _, example in tfds.as_numpy(chosen)
        ]


def draw_gallery(
    examples: Iterable[Mapping[str, np.ndarray]], title: str
) -> Image.Image:
    """Draws examples as rows of bg, fgbg, mask and depth, with a scale in metres.

    Args:
      examples: As `read_examples` returns them.
      title: A line above the pictures.

    Returns:
      An RGB picture.
    """
    examples = list(examples)
    side = examples[0]["fgbg"].shape[0]
    font = ImageFont.load_default(14)
    width = len(PICTURES) * (side + GAP) + GAP + 64
    top = 2 * LINE + 2 * GAP
    sheet = Image.new(
        "RGB", (width, top + len(examples) * (side + GAP + LINE)), "white"
    )
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, GAP // 2), title, "black", font)
    for column, name in enumerate(PICTURES):
        draw.text((GAP + column * (side + GAP), LINE + GAP), name, "black", font)
    for row, example in enumerate(examples):
        y = top + row * (side + GAP + LINE)
        for column, name in enumerate(PICTURES):
            picture = Image.fromarray(_as_rgb(name, example[name]))
            sheet.paste(picture, (GAP + column * (side + GAP), y))
        caption = f"{example['foreground']} on {example['background']}"
        draw.text((GAP, y + side), caption, "dimgrey", font)
    _draw_scale(draw, GAP + len(PICTURES) * (side + GAP), top, side, font)
    return sheet


def check_output(output: pathlib.Path) -> None:
    """Checks the name and the folder of a gallery, before anything is read.

    Raises:
      InputError: If the suffix is none of `FORMATS`, or it cannot be written there.
    """
    if output.suffix.lower() not in FORMATS:
        raise InputError(
            f"--out={output}: its name has to end in {', '.join(FORMATS)}, which "
            "decides the format"
        )
    if output.is_dir() or not output.parent.is_dir():
        wrong = output if output.is_dir() else output.parent
        kind = "is a folder" if output.is_dir() else "is not there, or no folder"
        raise InputError(f"--out={output}: {wrong} {kind}; give another --out")
    require_writable(output.parent, "give another --out")


def save_gallery(
    dataset: str, output: pathlib.Path, split: str, count: int, data_dir: str | None
) -> int:
    """Writes a data set's gallery in the format of the output's suffix.

    Args:
      dataset: See `read_examples`, also for the next three.
      output: The file to write, with a suffix of `FORMATS`.
      split: Split to draw.
      count: Number of examples wanted.
      data_dir: Folder of the data sets.

    Returns:
      The number of examples drawn.

    Raises:
      InputError: If the data set cannot be used, or the file cannot be written.
    """
    check_output(output)
    examples = read_examples(dataset, split, count, data_dir)
    sheet = draw_gallery(examples, f"{dataset}, {split}")
    memory, kind = io.BytesIO(), FORMATS[output.suffix.lower()]
    try:
        sheet.save(memory, kind, quality=QUALITY)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--out={output}: {kind} cannot hold {sheet.width}x{sheet.height} pixels; "
            "give a smaller --count, or a name that ends in .png"
        ) from error
    write_atomically(output, memory.getvalue())
    return len(examples)


def _as_rgb(name: str, array: np.ndarray) -> np.ndarray:
    if name == "depth":
        return colours.colour_depth(array[..., 0] / DEPTH_UNITS)
    return np.broadcast_to(array, (*array.shape[:2], 3))


def _draw_scale(
    draw: ImageDraw.ImageDraw,
    left: int,
    top: int,
    height: int,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    """Draws the depth colours from near to far with their metres."""
    far = colours.FARTHEST / colours.NEAREST
    for y in range(height):
        metres = colours.NEAREST * far ** (y / (height - 1))
        colour = tuple(colours.colour_depth(np.full((1, 1), metres))[0, 0].tolist())
        draw.line((left, top + y, left + 14, top + y), colour)
    for metres in SCALE_METRES:
        y = top + np.log(metres / colours.NEAREST) / np.log(far) * (height - 1)
        draw.text((left + 18, y - 8), f"{metres} m", "black", font)
