"""Measures the effect of each ingredient of the embedded teacher's training.

    python benchmarks/teacher_ablation.py --pictures ../shared/pictures

Trains once by the schedule and once for each ingredient with only that changed,
all for the same number of steps, and prints a Markdown table: marked pairs right
(all, and those on composites), pasted objects nearer than the ring around them,
median ratio of ring to object, and abs rel (median-scaled) and rank correlation on
held-out scenes. Short runs tell what is learned first, not what is best in the end.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from fgbg_tfds.depth import load_teacher
from fgbg_tfds.depth.embedded.training import (
    HELD_OUT,
    Schedule,
    draw_scenes,
    train_network,
)
from fgbg_tfds.depth.embedded.weight_file import write_weights
from fgbg_tfds.depth.evaluate import make_composites
from fgbg_tfds.depth.measures import (
    average_metrics,
    compute_object_ratio,
    judge_pairs,
    read_pairs,
)

CHANGES = {
    "as the recipe": {},
    "no pasted cut-outs": {"pasted": 0.0},
    "no gradient matching": {"edge_weight": 0.0},
    "gradient matching at 1.0": {"edge_weight": 1.0},
    "no crops, mirrors and colours": {"augmented": False},
    "last weights instead of their mean": {"average": 0.0},
    "fed 128 only": {"feeds": (128,)},
    "a quarter of the scenes": {"scenes": 0.25},
}
SCENE = 160  # pixels of a held-out scene's side


def main() -> None:
    """Trains, measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=1200, help="to train on")
    parser.add_argument("--steps", type=int, default=300, help="of each training")
    parser.add_argument("--held_out", type=int, default=100, help="scenes to measure")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--pictures", type=pathlib.Path, default=pathlib.Path("../shared/pictures")
    )
    parser.add_argument(
        "--marks",
        type=pathlib.Path,
        default=pathlib.Path("tests/fgbg_tfds/depth/marked_pairs.csv"),
    )
    arguments = parser.parse_args()
    pairs = read_pairs(arguments.marks)
    on_composites = np.array([bool(pair.cutout) for pair in pairs])
    images, alphas = make_composites(arguments.pictures / "streets_cars")
    seeds = range(HELD_OUT, HELD_OUT + arguments.held_out)
    held_out, logs = draw_scenes(seeds, SCENE, Schedule().pasted, arguments.workers)
    truth = np.exp(np.float32(logs))
    print("| | pairs | of composites | nearer | ring / object | abs rel | rank |")
    print("|---|---|---|---|---|---|---|")
    drawn: dict[tuple, tuple] = {}
    for label, change in CHANGES.items():
        change = dict(change)
        scenes = int(arguments.scenes * change.pop("scenes", 1))
        schedule = dataclasses.replace(
            Schedule(scenes=scenes, steps=arguments.steps), **change
        )
        key = (scenes, schedule.pasted)
        if key not in drawn:
            drawn[key] = draw_scenes(
                range(scenes), schedule.scene_size, schedule.pasted, arguments.workers
            )
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "weights.npz"
            write_weights(path, train_network(schedule, *drawn[key])[0])
            teacher = load_teacher("embedded", str(path))
        right = judge_pairs(teacher, pairs, arguments.pictures)
        ratios = [
            compute_object_ratio(teacher(image[None])[0], alpha)
            for image, alpha in zip(images, alphas, strict=True)
        ]
        figures = average_metrics(teacher(held_out), truth, median_scaled=True)
        print(
            f"| {label} | {right.mean():.1%} | {right[on_composites].mean():.1%} "
            f"| {sum(ratio > 1 for ratio in ratios)} of {len(ratios)} "
            f"| {np.median(ratios):.2f} | {figures['abs_rel']:.3f} "
            f"| {figures['rank']:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
