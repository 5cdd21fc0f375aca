"""Draws a busy street, and what trainer.predict finds behind its vehicles.

    python benchmarks/busy_street.py --model runs/refine_cpu --out docs/busy_street.jpg

One vehicle is parked for 60 % of the frames, another stands behind it for a third,
others pass, and the sun comes and goes. Four pictures are drawn beside each other: a
frame, the frames' median, background.png and background_sureness.png. Prints the mean
difference of median and background from the street as it was drawn, grey levels, the
seconds that the command takes, its start and the masks of 60 frames included, and the
most memory that it needs.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import resource
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import PIL.Image

from fgbg_tfds import procedural
from fgbg_tfds.compose import Placement, place_and_paste
from trainer.predict import __main__ as predict

FRAMES = 60


def main() -> None:
    """Draws the frames, runs the command and draws what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default="busy_street.jpg")
    parser.add_argument("--size", type=int, default=320, help="side of a frame, pixels")
    arguments = parser.parse_args()
    if arguments.out.suffix.lower() not in (".jpg", ".png"):
        parser.error(f"--out={arguments.out}: give a .jpg or a .png")
    street = procedural.draw_street(7, arguments.size).image
    frames = [draw_frame(street, index) for index in range(FRAMES)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "frames").mkdir()
        for index, frame in enumerate(frames):
            PIL.Image.fromarray(frame).save(folder / "frames" / f"{index:03d}.png")
        flags = [f"--model={arguments.model}", f"--out={folder / 'out'}"]
        begun = time.perf_counter()
        if predict.main([*flags, "--write=mask", str(folder / "frames")]):
            sys.exit(1)
        seconds = time.perf_counter() - begun
        found, sureness = (
            np.asarray(PIL.Image.open(folder / "out" / name).convert("RGB"))
            for name in ("background.png", "background_sureness.png")
        )
    median = np.median(frames, 0).astype(np.uint8)
    for name, picture in (("median", median), ("background", found)):
        error = np.abs(picture.astype(float) - street).mean()
        print(f"{name}: {error:.2f} grey levels from the drawn street")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.1f} s, {memory:.0f} MB at most")
    shown = np.concatenate([frames[20], median, found, sureness], 1)
    PIL.Image.fromarray(shown).save(arguments.out)


def draw_frame(street: np.ndarray, index: int) -> np.ndarray:
    """Draws one frame of the busy street."""
    frame = street
    if FRAMES * 0.2 <= index < FRAMES * 0.8:
        frame = paste(frame, 3, Placement(0.42, 0.12, 0.86))
    if index < FRAMES / 3:
        frame = paste(frame, 5, Placement(0.26, 0.95, 0.66))
    left = index * 0.11 % 1.2
    if left <= 1:
        frame = paste(frame, index % 40, Placement(0.3, left, 0.75))
    sun = 1 + 0.12 * np.sin(index / 5)
    noise = np.random.default_rng(index).normal(0, 2, frame.shape)
    return np.clip(frame * sun + noise, 0, 255).astype(np.uint8)


def paste(picture: np.ndarray, vehicle: int, placement: Placement) -> np.ndarray:
    """Pastes a drawn vehicle."""
    cutout = procedural.draw_vehicle(vehicle)
    return place_and_paste(picture, cutout, placement, flipped=False).fgbg


if __name__ == "__main__":
    main()
