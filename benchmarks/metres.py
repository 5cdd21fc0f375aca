"""Depth of empty scenes in metres, before and after `--known_distance` and the like.

    python benchmarks/metres.py --scenes 60

Draws scenes with exact depth (streets, and roads, open places and rooms in all
weathers), asks the network for the depth of each, and brings it to metres: by 1, 3 and
6 points at random places of the lower two thirds, taped with an error of 3 %; and, on
the streets, by the camera's height, the horizon's row and the field of view that they
were drawn with. Prints a Markdown table: the median over scenes of the median relative
error of all pixels nearer than 60 m, and how many pixels are within 25 %. Drawn scenes
are also what the network's teacher learned from; real ones are harder.
"""

from __future__ import annotations

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import tqdm

from fgbg_tfds.procedural import draw_scene, draw_street
from fgbg_tfds.procedural.camera import draw_camera
from trainer.predict import Predictor
from trainer.predict.calibration import (
    Ground,
    KnownDistance,
    calibrate_by_ground,
    calibrate_by_points,
)
from trainer.shipped import WEIGHTS_FILE

POINTS = (1, 3, 6)
TAPED = 0.03  # relative error of a taped distance
FARTHEST = 60.0  # metres: pixels that are counted
FIRST_SEED = 900_000  # far from those of trainings


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=60, help="of each kind")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--model", type=pathlib.Path, default=WEIGHTS_FILE)
    arguments = parser.parse_args()
    predictor = Predictor(arguments.model)
    for kind in ("streets", "all places"):
        errors: dict[str, list[tuple[float, float]]] = {}
        for seed in tqdm.trange(FIRST_SEED, FIRST_SEED + arguments.scenes, desc=kind):
            for name, pair in measure(predictor, kind, seed, arguments.size).items():
                errors.setdefault(name, []).append(pair)
        print(f"\n| {kind} | median error | within 25 % |\n|---|---|---|")
        for name, pairs in errors.items():
            error, within = np.median(pairs, 0)
            print(f"| {name} | {error:.1%} | {within:.0%} |")


def measure(predictor, kind: str, seed: int, size: int) -> dict:
    """Measures a scene: median relative error and share within 25 %, by the way."""
    if kind == "streets":
        scene = draw_street(seed, size)
    else:
        scene = draw_scene(seed, size, pasted=0.0)
    depth = np.maximum(predictor(scene.image, scene.image)[1][..., 0], 1e-3)
    made = {"the network's own metres": depth}
    rng = np.random.default_rng(seed)
    for number in POINTS:
        known = [tape(scene.depth, rng) for _ in range(number)]
        calibration, _ = calibrate_by_points(depth, known)
        made[f"{number} taped distance{'s' * (number > 1)}"] = calibration.apply(depth)
    if kind == "streets":
        camera = draw_camera(np.random.default_rng([seed, 0x57EE7]), size, "handsome")
        angle = 2 * np.degrees(np.arctan(size / 2 / camera.focal[0]))
        ground = Ground(camera.height, camera.horizon * size, angle)
        made["height and horizon"] = calibrate_by_ground(depth, ground).apply(depth)
    counted = scene.depth < FARTHEST
    errors = {
        name: np.abs(each / scene.depth - 1)[counted] for name, each in made.items()
    }
    return {n: (np.median(e), np.mean(e < 0.25)) for n, e in errors.items()}


def tape(depth: np.ndarray, rng: np.random.Generator) -> KnownDistance:
    """Tapes the distance of a place that a person can walk to."""
    size = len(depth)
    while True:
        x, y = rng.integers(0, size), rng.integers(size // 3, size)
        if depth[y, x] < FARTHEST:
            metres = depth[y, x] * rng.normal(1, TAPED)
            return KnownDistance(int(x), int(y), float(metres))


if __name__ == "__main__":
    main()
