"""Measures the effect of each ingredient of the embedded teacher's training.

    python benchmarks/teacher_ablation.py --pictures ../shared/pictures

Trains once by the schedule and once for each ingredient with only that changed,
all for the same number of steps, and prints a Markdown table of real pictures: rank
correlation and abs rel (median-scaled) of every source of measured depth, marked pairs
right (all, and those on composites), pasted objects nearer than the ring around them,
and the median ratio of ring to object. Short runs tell what is learned first, not what
is best in the end.
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
from fgbg_tfds.depth.embedded.photos import compose_photos
from fgbg_tfds.depth.embedded.scenes import draw_scenes
from fgbg_tfds.depth.embedded.training import Schedule, train_network
from fgbg_tfds.depth.embedded.weight_file import write_weights
from fgbg_tfds.depth.evaluate import make_composites
from fgbg_tfds.depth.measures import (
    average_metrics,
    compute_object_ratio,
    judge_pairs,
    read_measured,
    read_pairs,
)
from fgbg_tfds.procedural import choose_place

# What is left out: a place that is drawn, or fields of the schedule.
PLACES = {"no open roads": "road", "no rooms": "indoor"}
CHANGES: dict[str, dict] = {
    "as the recipe": {},
    "scenes not dressed with photos": {"dressed": False},
    "composites of photos agree": {"composites": 4000},
    "their cut-outs are nearer": {
        "composites": 4000,
        "agreement_weight": 0.0,
        "order_weight": 0.3,
    },
    **{label: {} for label in PLACES},
    "no pasted cut-outs": {"pasted": 0.0, "finishing": 0.0},
    "no cut-outs pasted anew in the end": {"finishing": 0.0},
    "no gradient matching": {"edge_weight": 0.0},
    "gradient matching at 1.0": {"edge_weight": 1.0},
    "no crops, mirrors and colours": {"augmented": False},
    "fed 128 only": {"first_feeds": (128,), "feeds": (128,)},
    "last weights instead of their mean": {"average": 0.0},
    "a quarter of the scenes": {"scenes": 0.25},
}


def choose_seeds(count: int, left_out: str | None) -> tuple[int, ...]:
    """Chooses the seeds of `count` scenes, none of them of the place left out."""
    chosen: list[int] = []
    seed = 0
    while len(chosen) < count:
        if left_out is None or choose_place(seed) != left_out:
            chosen.append(seed)
        seed += 1
    return tuple(chosen)


class Selector:
    """The real pictures that teachers are compared on."""

    def __init__(self, pictures: pathlib.Path, marks: pathlib.Path):
        self._pictures = pictures
        self._pairs = read_pairs(marks)
        self._on_composites = np.array([bool(pair.cutout) for pair in self._pairs])
        self._composites = make_composites(pictures / "streets_cars")
        self._measured = read_measured(pictures / "measured_depth")
        self.sources = list(dict.fromkeys(photo.source for photo in self._measured))

    def print_heading(self) -> None:
        """Prints the head of the table."""
        names = [
            "",
            *(f"{source} rank, abs rel" for source in self.sources),
            *("pairs", "of composites", "nearer", "ring / object"),
        ]
        print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")

    def print_row(self, label: str, teacher) -> None:
        """Prints a teacher's row."""
        cells = [label]
        for source in self.sources:
            photos = [each for each in self._measured if each.source == source]
            depths = [teacher(each.image[None])[0] for each in photos]
            truths = [each.depth for each in photos]
            figures = average_metrics(depths, truths, median_scaled=True)
            cells.append(f"{figures['rank']:.3f}, {figures['abs_rel']:.3f}")
        right = judge_pairs(teacher, self._pairs, self._pictures)
        ratios = [
            compute_object_ratio(teacher(image[None])[0], alpha)
            for image, alpha in zip(*self._composites, strict=True)
        ]
        nearer = sum(ratio > 1 for ratio in ratios)
        cells += [f"{right.mean():.1%}", f"{right[self._on_composites].mean():.1%}"]
        cells += [f"{nearer} of {len(ratios)}", f"{np.median(ratios):.2f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Trains, measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=1200, help="to train on")
    parser.add_argument("--steps", type=int, default=300, help="of each training")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--pictures", type=pathlib.Path, default=pathlib.Path("../shared/pictures")
    )
    parser.add_argument(
        "--only", nargs="*", choices=CHANGES, default=list(CHANGES), help="rows"
    )
    parser.add_argument(
        "--marks",
        type=pathlib.Path,
        default=pathlib.Path("tests/fgbg_tfds/depth/marked_pairs.csv"),
    )
    arguments = parser.parse_args()
    selector = Selector(arguments.pictures, arguments.marks)
    selector.print_heading()
    drawn: dict[tuple, tuple] = {}
    for label in arguments.only:
        change = dict(CHANGES[label])
        schedule = Schedule(
            scenes=int(arguments.scenes * change.pop("scenes", 1)),
            steps=arguments.steps,
            photos=arguments.pictures / "wide",
        )
        schedule = dataclasses.replace(schedule, **change)
        photos = schedule.photos if schedule.dressed else None
        seeds = choose_seeds(schedule.scenes, PLACES.get(label))
        key = (seeds, schedule.pasted, photos)
        if key not in drawn:
            drawn[key] = draw_scenes(
                seeds,
                schedule.scene_size,
                schedule.pasted,
                arguments.workers,
                photos=photos,
            )
        composites = None
        if schedule.photos and schedule.composites:
            composites = compose_photos(
                schedule.photos, schedule.composites, schedule.scene_size
            )
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "weights.npz"
            weights, _ = train_network(schedule, *drawn[key], composites)
            write_weights(path, weights)
            selector.print_row(label, load_teacher("embedded", str(path)))


if __name__ == "__main__":
    main()
