"""Depth of a trained network beside its teacher's, on photos with measured depth.

    python benchmarks/network_depth.py --measured ../shared/pictures/measured_depth

The network (the pretrained one; --model for another) sees each photo twice, as empty
scene and as frame: at its own size, and shrunk so that its shorter side has --rows
pixels. Prints a Markdown table: for each source, rank correlation with the measured
depth, and abs rel after median scaling.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import PIL.Image

from fgbg_tfds.depth import load_teacher
from fgbg_tfds.depth.measures import average_metrics, read_measured, stretch
from fgbg_tfds.errors import InputError
from trainer.errors import UserError
from trainer.predict import Predictor
from trainer.shipped import WEIGHTS_FILE


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = {"type": pathlib.Path, "metavar": "DIR"}
    parser.add_argument("--measured", **folder, required=True)
    parser.add_argument("--model", **folder, default=WEIGHTS_FILE)
    parser.add_argument("--rows", type=int, nargs="*", default=[128, 192, 256])
    arguments = parser.parse_args()
    try:
        measured = read_measured(arguments.measured)
        predictor = Predictor(arguments.model)
    except (InputError, UserError) as error:
        sys.exit(f"error: {error}")
    teacher = load_teacher("embedded")
    estimates = {"teacher": [teacher(photo.image[None])[0] for photo in measured]}
    for rows in (None, *arguments.rows):
        name = f"network, {rows} rows" if rows else "network, as they are"
        estimates[name] = [estimate(predictor, photo.image, rows) for photo in measured]
    sources = dict.fromkeys(photo.source for photo in measured)
    print("| rank / abs rel | " + " | ".join(estimates) + " |")
    print("|---" * (len(estimates) + 1) + "|")
    for source in (*sources, "all"):
        chosen = [i for i, p in enumerate(measured) if source in (p.source, "all")]
        cells = []
        for depths in estimates.values():
            truths = [measured[i].depth for i in chosen]
            found = average_metrics([depths[i] for i in chosen], truths, True)
            cells.append(f"{found['rank']:.3f} / {found['abs_rel']:.3f}")
        print(f"| {source}, {len(chosen)} | " + " | ".join(cells) + " |")


def estimate(predictor: Predictor, image: np.ndarray, rows: int | None) -> np.ndarray:
    """Estimates depth of a photo, float32 [H, W], metres."""
    height, width = image.shape[:2]
    if rows:
        scale = rows / min(height, width)
        size = round(width * scale), round(height * scale)
        picture = PIL.Image.fromarray(image).resize(size, PIL.Image.Resampling.BOX)
        image = np.asarray(picture)
    depth = predictor(image, image)[1][..., 0]
    return stretch(np.maximum(depth, 1e-3), (height, width))


if __name__ == "__main__":
    main()
