"""Masks on the frames of a real fixed camera whose truth was drawn by hand.

    python benchmarks/real_frames.py --sequence baseline/highway \
        --models runs/refine_cpu/export/1 runs/cpu/export/1

The sequence is a folder as of CDnet 2014, https://doi.org/10.1109/CVPRW.2014.126:
input/in000001.jpg …, groundtruth/gt000001.png … (0 is background, 50 shadow, 255 new;
other pixels are not counted) and temporalROI.txt, the first and last frame with truth.
The background is the median of the frames before these, or --background. Prints a
Markdown table; subtraction has the threshold that is best on these very frames. With
--out, frames, truth and answers are drawn beside each other.
"""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import PIL.Image
import tqdm

from trainer import baselines, figures, metrics
from trainer.errors import UserError
from trainer.frames import median_background, read_picture
from trainer.predictor import Predictor

BACKGROUND, SHADOW, NEW = 0, 50, 255
DRAWN = 6  # pictures at most


def main() -> None:
    """Compares, prints, draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequence", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument(
        "--models", type=pathlib.Path, nargs="+", required=True, metavar="DIR"
    )
    parser.add_argument("--background", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--every", type=int, default=10, metavar="N", help="nth frame")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE.png")
    arguments = parser.parse_args()
    try:
        compare(arguments)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")


def compare(arguments: argparse.Namespace) -> None:
    """Does what the command line asks for."""
    folder = arguments.sequence
    first, last = map(int, (folder / "temporalROI.txt").read_text().split())
    predictors = {str(path): Predictor(path) for path in arguments.models}
    if arguments.background:
        background = read_picture(arguments.background)
    else:
        before = np.linspace(1, first - 1, min(first - 1, 51)).astype(int)
        background = median_background([frame(folder, n) for n in before])
    numbers = range(first, last + 1, arguments.every)
    drawn = set(numbers[:: max(len(numbers) // DRAWN, 1)])
    sums, changes, rows = collections.defaultdict(list), [], []
    for number in tqdm.tqdm(numbers, unit="frame"):
        pixels, (truth, known) = frame(folder, number), labels(folder, number)
        change = np.abs(pixels.astype(np.float32) - background).max(-1, keepdims=True)
        changes.append((change, truth, known))
        answers = {name: ask(background, pixels) for name, ask in predictors.items()}
        for name, (mask, _) in answers.items():
            sums[name].append(counts(mask, truth, known))
        if number in drawn:
            rows.append(picture(pixels, truth, answers.values()))
    threshold = baselines.best_threshold(
        (change[known > 0], truth[known > 0]) for change, truth, known in changes
    )
    name = f"subtraction, ≥ {threshold}, best on these frames"
    sums[name] = [
        counts(baselines.subtraction(change, threshold), truth, known)
        for change, truth, known in changes
    ]
    table(sums)
    if arguments.out:
        PIL.Image.fromarray(np.concatenate(rows)).save(arguments.out)


def frame(folder: pathlib.Path, number: int) -> np.ndarray:
    """Frame of that number, uint8 [H, W, 3]."""
    return read_picture(folder / "input" / f"in{number:06d}.jpg")


def labels(folder: pathlib.Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    """What is new, and what counts, both float32 [H, W, 1] of 0 and 1."""
    grey = read_picture(folder / "groundtruth" / f"gt{number:06d}.png")[..., :1]
    known = np.isin(grey, (BACKGROUND, SHADOW, NEW))
    return (grey == NEW).astype(np.float32), known.astype(np.float32)


def counts(mask, truth, known) -> dict[str, np.ndarray]:
    """Sums of one frame."""
    sums = metrics.mask_sums(mask[None], truth[None], known[None])
    sums = {key: np.asarray(value) for key, value in sums.items()}
    return sums | {"known": known.sum(keepdims=True)[0, 0]}


def picture(pixels, truth, answers) -> np.ndarray:
    """Frame, truth, and each answer over the frame, uint8 [H, W * n, 3]."""
    white = np.repeat((truth * 255).astype(np.uint8), 3, -1)
    shown = [figures.overlay(pixels, mask) for mask, _ in answers]
    return np.concatenate([pixels, white, *shown], 1)


def table(sums: dict[str, list]) -> None:
    """Prints a line for each way."""
    print("| | frames | IoU | F | precision | recall | false pos. % |")
    print("|---" * 7 + "|")
    for name, each in sums.items():
        total = {key: np.concatenate([one[key] for one in each]) for key in each[0]}
        found = metrics.mask_metrics(total)
        empty = total["known"].sum() - (total["hits"] + total["misses"]).sum()
        alarms = 100 * total["false_alarms"].sum() / empty
        cells = [found[f"mask_{key}"] for key in ("iou", "f", "precision", "recall")]
        cells = " | ".join(f"{cell:.3f}" for cell in cells)
        print(f"| {name} | {len(each)} | {cells} | {alarms:.3f} |")


if __name__ == "__main__":
    main()
