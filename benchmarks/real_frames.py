"""Masks on the frames of real fixed cameras whose truth was drawn by hand.

    python benchmarks/real_frames.py --sequences baseline/highway SBI/HallAndMonitor \
        --models runs/refine_cpu/export/1 runs/cpu/export/1

A sequence is a folder as of CDnet 2014, https://doi.org/10.1109/CVPRW.2014.126, and of
SBI 2015, https://doi.org/10.1007/978-3-319-23222-5_57: pictures in input/ and in
groundtruth/, matched by the numbers at the end of their names. In the truth 0 is
background, 50 shadow and 255 new; pixels of other values are not counted. The
background is --background, or else a median: of the frames before the first one of
temporalROI.txt, if these are more than ten, or of all. Subtraction has for each
sequence the threshold that is best on these very frames. Prints a Markdown table; with
--out, frame, background, truth and answers are drawn beside each other.
"""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import re
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import PIL.Image
import tqdm

from trainer import figures
from trainer.errors import UserError
from trainer.evaluate import baselines, metrics
from trainer.predict.frames import (
    check_size,
    compute_median,
    find_frames,
    read_picture,
)
from trainer.predict.predictor import Predictor

BACKGROUND, SHADOW, NEW = 0, 50, 255
ENOUGH = 10  # frames that a background needs more than
COLUMNS = ("iou", "f", "precision", "recall")
WIDTH = 320  # of a drawn frame, pixels


def main() -> None:
    """Compares masks with the truth, prints and draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folders = {"type": pathlib.Path, "nargs": "+", "metavar": "DIR", "required": True}
    parser.add_argument("--sequences", **folders)
    parser.add_argument("--models", **folders)
    parser.add_argument("--background", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--frames", type=int, default=100, help="of each, at most")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE.jpg")
    arguments = parser.parse_args()
    if arguments.frames < 1:
        parser.error(f"--frames={arguments.frames}: give 1 or more")
    try:
        compare(arguments)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")


def compare(arguments: argparse.Namespace) -> None:
    """Compares as the command line asks."""
    sequences = [frames_of(folder) for folder in arguments.sequences]
    predictors = {str(path): Predictor(path) for path in arguments.models}
    print("| sequence | | frames | IoU | F | precision | recall | false pos. % |")
    print("|---" * 8 + "|")
    drawn = []
    for folder, (before, pairs) in zip(arguments.sequences, sequences, strict=True):
        if arguments.background:
            background = read_picture(arguments.background)
        else:
            chosen = np.linspace(0, len(before) - 1, min(len(before), 51)).astype(int)
            background = compute_median([read_picture(before[i]) for i in chosen])
        number = min(len(pairs), arguments.frames)
        pairs = [pairs[i] for i in np.linspace(0, len(pairs) - 1, number).astype(int)]
        sums, rows = measure(background, pairs, predictors)
        table(folder.name, sums)
        drawn += rows
    if arguments.out:
        PIL.Image.fromarray(np.concatenate(drawn)).save(arguments.out)


def frames_of(folder: pathlib.Path) -> tuple[list, list]:
    """Frames that make the background, and pairs of frame and truth to compare."""
    inputs, truths = (
        {number_of(path): path for path in pictures.paths}
        for pictures in map(find_frames, ([folder / "input"], [folder / "groundtruth"]))
    )
    region = folder / "temporalROI.txt"
    first, last = 0, max(inputs)
    if region.exists():
        try:
            first, last = map(int, region.read_text().split())
        except ValueError as error:
            raise UserError(
                f"{region} must hold two numbers, of the first and the last frame"
            ) from error
    before = [path for number, path in inputs.items() if number < first]
    numbers = [n for n in inputs if n in truths and first <= n <= last]
    if not numbers:
        raise UserError(f"no picture of {folder / 'input'} has a truth of its number")
    if len(before) <= ENOUGH:
        before = list(inputs.values())
    return before, [(inputs[number], truths[number]) for number in numbers]


def number_of(path: pathlib.Path) -> int:
    """Finds the number at the end of a picture's name."""
    digits = re.search(r"\d+$", path.stem)
    if not digits:
        raise UserError(f"{path} has no number at the end of its name")
    return int(digits[0])


def measure(background, pairs, predictors) -> tuple[dict, list]:
    """Measures every way on every frame; gives sums and rows of pictures."""
    sums, changes, rows = collections.defaultdict(list), [], []
    shown = {len(pairs) // 3, 2 * len(pairs) // 3}
    for index, (frame_path, truth_path) in enumerate(tqdm.tqdm(pairs, unit="frame")):
        frame = read_picture(frame_path)
        check_size(frame_path, frame.shape[:2], background.shape[:2], "the background")
        grey = read_picture(truth_path)[..., :1]
        check_size(truth_path, grey.shape[:2], frame.shape[:2], str(frame_path))
        truth = (grey == NEW).astype(np.float32)
        known = np.isin(grey, (BACKGROUND, SHADOW, NEW)).astype(np.float32)
        change = np.abs(frame.astype(np.float32) - background).max(-1, keepdims=True)
        changes.append((change, truth, known))
        masks = {name: ask(background, frame)[0] for name, ask in predictors.items()}
        for name, mask in masks.items():
            sums[name].append(count_pixels(mask, truth, known))
        if index in shown:
            rows.append(draw_row(background, frame, truth, masks.values()))
    best = baselines.find_best_threshold(
        (change[known > 0], truth[known > 0]) for change, truth, known in changes
    )
    sums[f"subtraction, ≥ {best}"] = [
        count_pixels(baselines.subtract(change, best), truth, known)
        for change, truth, known in changes
    ]
    return sums, rows


def count_pixels(mask, truth, known) -> dict[str, np.ndarray]:
    """Counts the pixels of one frame, each [1]."""
    sums = metrics.sum_mask_pixels(mask[None], truth[None], known[None])
    sums["nothing"] = ((1 - truth) * known).sum().reshape(1)
    return {name: np.asarray(value) for name, value in sums.items()}


def table(sequence: str, sums: dict[str, list]) -> None:
    """Prints a line for each way."""
    for name, each in sums.items():
        total = {key: np.concatenate([one[key] for one in each]) for key in each[0]}
        found = metrics.compute_mask_metrics(total)
        cells = " | ".join(f"{found[f'mask_{column}']:.3f}" for column in COLUMNS)
        alarms = 100 * total["false_alarms"].sum() / total["nothing"].sum()
        print(f"| {sequence} | {name} | {len(each)} | {cells} | {alarms:.3f} |")
        sequence = ""


def draw_row(background, frame, truth, masks) -> np.ndarray:
    """Draws frame, background, truth, and each mask over the frame in a row."""
    white = np.repeat((truth * 255).astype(np.uint8), 3, -1)
    pictures = [
        frame,
        background,
        white,
        *(figures.draw_overlay(frame, m) for m in masks),
    ]
    size = (WIDTH, round(WIDTH * frame.shape[0] / frame.shape[1]))
    return np.concatenate(
        [np.asarray(PIL.Image.fromarray(picture).resize(size)) for picture in pictures],
        1,
    )


if __name__ == "__main__":
    main()
