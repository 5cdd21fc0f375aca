"""Measures the effect of each component of `refine` and of its augmentation.

    python benchmarks/refine_ablation.py --steps 300 --seeds 2 --results FILE.jsonl
    python benchmarks/refine_ablation.py --flagfile configs/pretrained.flags
        --cameras ../shared/cameras --examples 128 --results FILE.jsonl --rows …

Trains by a flag file, and once more for every part with only that left out, for the
same number of steps and with the same seeds. Prints a Markdown table: the figures on
--examples of each `test`, as it is, perturbed, and with nothing new, mean over the
seeds and in brackets half of how far these are apart; with --cameras, also mean F on
real cameras (see real_frames.py) before a clean scene and from the frames alone.
Finished trainings are kept in FILE.jsonl; the same command goes on. Short runs tell
what is learned first.
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
import real_frames
import tqdm
from absl import flags

from trainer import checks, distribution
from trainer import main as command
from trainer.contract import PROBABILITY_THRESHOLD
from trainer.data import PAIRS, sample_split
from trainer.evaluate import OWN_ROW, Evaluator, metrics
from trainer.predict import Predictor, find_scene
from trainer.pretrained import Weights, list_weights, write_weights
from trainer.settings import Settings
from trainer.train import train

FLAGS = pathlib.Path(__file__).parent.parent / "configs" / "refine_cpu.flags"
FRAMES = 12  # of a camera with truth that masks are measured on, at most
SCENE_FRAMES = 40  # that its empty scene is found in
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
    # What configs/refine_cpu.flags leaves out anyway.
    "life, no fog, dusk, grey, streams": {"life_without": "haze,dusk,grey,stream"},
    "life, no glare, no wet ground": {"life_without": "glare,reflect"},
    "life, nothing close, far or plain": {
        "life_without": "close_by,far_away,make_plain"
    },
    "life, no hard, long or lone shadows": {
        "life_without": "hard_shadow,long_shadow,lone_shadow"
    },
    "life, no storm": {"life_without": "toss"},
    "life, all spread is the scene's": {"life_without": "passage"},
    "no spread": {"spread": False},
}
ON_CAMERAS = ("F, clean scene", "F, frames alone")
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
    folder = {"type": pathlib.Path, "metavar": "DIR"}
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--flagfile", type=pathlib.Path, default=FLAGS)
    parser.add_argument("--cameras", **folder, help="folder of real cameras")
    parser.add_argument(
        "--examples", type=int, default=10**6, help="of each test split, at most"
    )
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    base = dataclasses.replace(
        recipe_settings(arguments.flagfile),
        data_dir=arguments.data_dir, train_steps=arguments.steps,
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
        done[row, seed] = trained(row, settings, strategy, arguments)
        line = {"row": row, "seed": seed, "figures": done[row, seed]}
        with arguments.results.open("a") as file:
            file.write(json.dumps(line) + "\n")
    table(done, arguments.rows, arguments.seeds)


def recipe_settings(path: pathlib.Path) -> Settings:
    """Reads the settings of the flag file."""
    command.define_flags()
    flags.FLAGS(["trainer.main", f"--flagfile={path}"])
    return command.read_flags()


def trained(row: str, settings: Settings, strategy, arguments) -> list[float]:
    """Trains a network and measures it; the figures of `COLUMNS`, and `ON_CAMERAS`."""
    keras.backend.clear_session()
    with tempfile.TemporaryDirectory() as folder:
        settings = dataclasses.replace(settings, workdir=folder)
        mixture = checks.open_checked(settings, strategy.num_replicas_in_sync)
        run = train(settings, mixture, strategy)
        weights = pathlib.Path(folder) / "weights.npz"
        write_weights(weights, Weights(row, settings, list_weights(run.network)))
        cameras = measure_cameras(arguments.cameras, weights)
    evaluator = Evaluator(strategy, {OWN_ROW: run})
    parts = [
        evaluator.measure(part, pairs=pairs)[OWN_ROW] | {"pairs": pairs}
        for builder in mixture
        for part in [
            mixture.only(builder).with_split(
                sample_split(builder, "test", arguments.examples)
            )
        ]
        for pairs in PAIRS
    ]
    sums = {
        pairs: {
            name: np.concatenate(
                [part[name] for part in parts if part["pairs"] == pairs]
            )
            for name in parts[0]
            if name != "pairs"
        }
        for pairs in PAIRS
    }
    return [
        metrics.compute_mask_metrics(sums["clean"])["mask_iou"],
        metrics.compute_mask_metrics(sums["perturbed"])["mask_iou"],
        100
        * metrics.compute_boundary_metrics(sums["empty"])["mask_false_positive_rate"],
        metrics.compute_depth_metrics(sums["clean"])["depth_abs_rel"],
        *cameras,
    ]


def measure_cameras(folder: pathlib.Path | None, weights: pathlib.Path) -> list[float]:
    """Measures mean F on cameras, with a clean scene and from the frames alone."""
    if folder is None:
        return []
    predictor, scores = Predictor(weights), []
    for camera in (path for path in sorted(folder.iterdir()) if path.is_dir()):
        frames, truth = real_frames.read_frames(camera), real_frames.read_truth(camera)
        numbers = spread_evenly([name for name in frames if name in truth], FRAMES)
        chosen = {number: truth[number] for number in numbers}
        scene = find_scene(
            spread_evenly(list(frames.values()), SCENE_FRAMES),
            lambda p: np.maximum(predictor(p, p)[1][..., 0], 1e-3),
        )
        looks = (
            (real_frames.find_clean(frames, truth), None),
            (scene.background, scene.spread),
        )
        for_camera = []
        for background, spread in looks:
            masks = [
                predictor(background, frames[n], spread and spread.amount)[0]
                for n in numbers
            ]
            if spread:
                masks = [
                    spread.calm(m, frames[n])
                    for m, n in zip(masks, numbers, strict=True)
                ]
            found = np.stack([mask[..., 0] >= PROBABILITY_THRESHOLD for mask in masks])
            for_camera.append(real_frames.score(found, chosen))
        scores.append(for_camera)
    return [float(mean) for mean in np.mean(scores, 0)]


def spread_evenly(values: list, number: int) -> list:
    """Takes some values, evenly spread."""
    places = np.linspace(0, len(values) - 1, min(number, len(values))).astype(int)
    return [values[place] for place in places]


def read(path: pathlib.Path) -> dict[tuple[str, int], list[float]]:
    """Reads the finished trainings."""
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text().splitlines())
    return {(line["row"], line["seed"]): line["figures"] for line in lines}


def table(done: dict, rows: list[str], seeds: int) -> None:
    """Prints means over the seeds, and half of how far they are apart."""
    columns = (*COLUMNS, *ON_CAMERAS)[: len(next(iter(done.values())))]
    print("| |", " | ".join(columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for row in rows:
        figures = np.array([done[row, seed] for seed in range(seeds)])
        means, spreads = figures.mean(0), np.ptp(figures, 0) / 2
        cells = [f"{m:.3f} ({s:.3f})" for m, s in zip(means, spreads, strict=True)]
        print(f"| {row} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
