"""Measures the error of the registration under the perturbations of training.

    python benchmarks/registration_error.py --dataset fgbg/streets,fgbg/rooms

Takes examples of a split, evenly spread. Of every third the background is also the
frame, so that nothing is new. The background is moved by a known shake, then both
pictures get a light, a sensor and a compression of their own, as in
`trainer.augment.life`, but no leaves sway. Prints for each data set the mean distance,
in pixels, between where a pixel is and where it was looked for, before and after, and
the processor time of a pair.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from trainer import data, registration
from trainer.augment import life, light, motion
from trainer.augment.draws import split_seed
from trainer.data.datasets import decode, read_encoded

GRID = 16  # pixels between places whose distance is measured
BATCH = 4


def main() -> None:
    """Moves, registers and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="fgbg/streets,fgbg/rooms")
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--split", default="train")
    parser.add_argument("--pairs", type=int, default=120, help="of each data set")
    arguments = parser.parse_args()
    print(
        "| | before | median | mean | 90 % | within 0.5 px | beyond 2 px | ms a pair |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for builder in data.open_mixture(arguments.dataset, arguments.data_dir):
        before, after, cost = measure(builder, arguments.split, arguments.pairs)
        print(
            f"| {builder.info.full_name} | {np.median(before):.2f} "
            f"| {np.median(after):.3f} | {after.mean():.3f} "
            f"| {np.quantile(after, 0.9):.3f} | {np.mean(after < 0.5):.3f} "
            f"| {np.mean(after > 2):.3f} | {1e3 * cost:.1f} |",
            flush=True,
        )


def measure(builder, split: str, number: int):
    """Measures distances before and after, pixels [pairs], and seconds for a pair."""
    sample = data.sample_split(builder, split, number)
    moved = []
    for index, example in enumerate(read_encoded(builder, sample).take(number)):
        example = decode(builder, example)
        seed = tf.constant([7, index])
        moved.append([value.numpy() for value in disturbed(example, index, seed)])
    bg, frame, down, right = (np.stack(values) for values in zip(*moved, strict=True))
    align = tf.function(registration.align)
    align(bg[:BATCH], frame[:BATCH])
    started, found = time.process_time(), []
    for start in range(0, len(bg), BATCH):
        found.append(align(bg[start : start + BATCH], frame[start : start + BATCH]))
    cost = (time.process_time() - started) / len(bg)
    before = np.hypot(down, right).mean((1, 2))
    return before, distances(np.concatenate(found), down, right), cost


def disturbed(example: dict, index: int, seed):
    """Perturbs a pair: background and frame, [h, w, 3] in 0 to 1, and the flow."""
    parts = split_seed(seed, 5)
    strength = tf.random.stateless_uniform([], parts[0]) ** life.STRENGTH_POWER
    bg, frame = (tf.cast(example[name][None], tf.float32) for name in ("bg", "fgbg"))
    flow = motion.draw_shake_flow(bg, parts[1], strength)
    if index % 3:
        silhouette = tf.cast(example["mask"][None], tf.float32) / 255
        frame = light.cast_shadow(frame, silhouette, parts[3], strength)
    else:
        frame = bg
    bg = life.apply_effects(motion.warp(bg, flow), parts[2], strength)
    frame = life.apply_effects(frame, parts[4], strength)
    return bg[0] / 255, frame[0] / 255, flow[0][0, ..., 0], flow[1][0, ..., 0]


def distances(motions, down, right):
    """Computes the mean distance of pixels from the places that were found.

    Args:
      motions: float32 [N, 4] of `registration.align`.
      down: float32 [N, h, w], where pixels of the moved background come from.
      right: The same.

    Returns:
      float32 [N], pixels.
    """
    height, width = down.shape[1:]
    rows = np.arange(GRID // 2, height, GRID)[:, None]
    columns = np.arange(GRID // 2, width, GRID)[None]
    unit = 2 / max(height, width)
    x = (columns + right[:, rows, columns] - (width - 1) / 2) * unit
    y = (rows + down[:, rows, columns] - (height - 1) / 2) * unit
    a, b, c, d = motions.T[:, :, None, None]
    off_x = (a * x - b * y + c) / unit + (width - 1) / 2 - columns
    off_y = (b * x + a * y + d) / unit + (height - 1) / 2 - rows
    return np.hypot(off_x, off_y).mean((1, 2))


if __name__ == "__main__":
    main()
