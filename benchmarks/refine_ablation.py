"""Measures the effect of each component of `refine` and of its augmentation.

    python benchmarks/refine_ablation.py --steps 300 --seeds 2 --results FILE.jsonl

Trains by configs/refine_cpu.flags, and once more for every part with only that left
out, for the same number of steps and with the same seeds. Prints a Markdown table: the
figures on the whole of `test`, as it is, perturbed, and with nothing new, mean over
the seeds and in brackets half of how far these are apart. Finished trainings are
kept in FILE.jsonl; the same command goes on. Short runs tell what is learned first.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tqdm
from absl import flags

from trainer import checks, distribution
from trainer import main as command
from trainer.data import PAIRS
from trainer.evaluate import OWN_ROW, Evaluator, metrics
from trainer.settings import Settings
from trainer.train import train

FLAGS = pathlib.Path(__file__).parent.parent / "configs" / "refine_cpu.flags"
TONES = "exposure,gamma,white_balance,vignette"
ROWS = {
    "as the recipe": {},
    "no registration": {"refine_without": "registration"},
    "place registered, not colours": {"refine_without": "colours"},
    "no distance to what is within a pixel": {"refine_without": "outside"},
    "no change of local contrast": {"refine_without": "contrast"},
    "no change beside the rest's": {"refine_without": "relative"},
    "no scale seen from the whole": {"refine_without": "scale"},
    "no Dice loss": {"dice": 0.0},
    "edges count as the rest": {"edge_weight": 1.0},
    "no depth loss": {"depth_weight": 0.0},
    "no averaged weights": {"ema": 0.0},
    "composites as they are (simple)": {"augment": "simple", "life_without": ""},
    "life, no other objects": {"life_without": "objects"},
    "life, always something new": {"life_without": "empty"},
    "life, no shadows, no patches": {"life_without": "cast_shadow,light_patches"},
    "life, no other light": {"life_without": TONES},
    "life, camera and leaves still": {"life_without": "shake,sway"},
    "life, no noise, blur, JPEG": {"life_without": "noise,blur,jpeg"},
    "life, no rain, no specks": {"life_without": "rain,specks"},
}
COLUMNS = ("IoU", "IoU perturbed", "false pos. %, nothing new", "abs rel")


def main() -> None:
    """Trains, measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--steps", type=int, default=300, help="of each training")
    parser.add_argument("--image_size", default="160")
    parser.add_argument("--small_size", default="", help="size to begin with")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=ROWS)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    base = dataclasses.replace(
        recipe_settings(), data_dir=arguments.data_dir, train_steps=arguments.steps,
        image_size=arguments.image_size, small_size=arguments.small_size,
        checkpoint_steps=arguments.steps, summary_steps=10 * arguments.steps,
        warmup_steps=arguments.steps // 10,
    )  # fmt: skip
    done = read(arguments.results)
    strategy = distribution.make_strategy(base)
    todo = [
        (row, seed) for seed in range(arguments.seeds) for row in arguments.rows
        if (row, seed) not in done
    ]  # fmt: skip
    for row, seed in tqdm.tqdm(todo, unit="training"):
        changes = dict(ROWS[row])
        if changes.get("life_without") and base.life_without:
            changes["life_without"] = f"{base.life_without},{changes['life_without']}"
        settings = dataclasses.replace(base, seed=seed, **changes)
        done[row, seed] = trained(settings, strategy)
        line = {"row": row, "seed": seed, "figures": done[row, seed]}
        with arguments.results.open("a") as file:
            file.write(json.dumps(line) + "\n")
    table(done, arguments.rows, arguments.seeds)


def recipe_settings() -> Settings:
    """Reads the settings of the flag file."""
    command.define_flags()
    flags.FLAGS(["trainer.main", f"--flagfile={FLAGS}"])
    return command.read_flags()


def trained(settings: Settings, strategy) -> list[float]:
    """Trains a network and measures it; the figures of `COLUMNS`."""
    keras.backend.clear_session()
    with tempfile.TemporaryDirectory() as folder:
        settings = dataclasses.replace(settings, workdir=folder)
        mixture = checks.open_checked(settings, strategy.num_replicas_in_sync)
        run = train(settings, mixture, strategy)
        evaluator, test = (
            Evaluator(strategy, {OWN_ROW: run}),
            mixture.with_split("test"),
        )
        sums = {pairs: evaluator.measure(test, pairs=pairs)[OWN_ROW] for pairs in PAIRS}
    return [
        metrics.compute_mask_metrics(sums["clean"])["mask_iou"],
        metrics.compute_mask_metrics(sums["perturbed"])["mask_iou"],
        100
        * metrics.compute_boundary_metrics(sums["empty"])["mask_false_positive_rate"],
        metrics.compute_depth_metrics(sums["clean"])["depth_abs_rel"],
    ]


def read(path: pathlib.Path) -> dict[tuple[str, int], list[float]]:
    """Reads the finished trainings."""
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text().splitlines())
    return {(line["row"], line["seed"]): line["figures"] for line in lines}


def table(done: dict, rows: list[str], seeds: int) -> None:
    """Prints means over the seeds, and half of how far they are apart."""
    print("| |", " | ".join(COLUMNS), "|")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for row in rows:
        figures = np.array([done[row, seed] for seed in range(seeds)])
        means, spreads = figures.mean(0), np.ptp(figures, 0) / 2
        cells = [f"{m:.3f} ({s:.3f})" for m, s in zip(means, spreads, strict=True)]
        print(f"| {row} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
