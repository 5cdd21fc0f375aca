"""Frames a second of the pretrained network and of classical background subtraction.

    python benchmarks/predict_speed.py --threads 2
    python benchmarks/predict_speed.py --camera ../shared/cameras/highway

Looks at the drawn film of `python -m fgbg_tfds film` before its empty street, or at a
camera's frames/ before their median, in turns: each way sees every frame once in each
round, and the best round counts. Ways: the network on frames at their own size, and
shrunk to --rows, as `python -m trainer.predict` does; the same with --whole_every;
where OpenCV is installed, its MOG2 and KNN, and where pybgs is, its SuBSENSE. Decoding
and writing are not counted. Prints a Markdown table: frames a second, milliseconds of a
frame, and F of the masks where there is a truth.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import pathlib
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import tensorflow as tf
import tqdm

from fgbg_tfds import film
from trainer.predict import Predictor, ShrinkingPredictor, Watcher, find_frames
from trainer.shipped import WEIGHTS_FILE


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", type=pathlib.Path, default=WEIGHTS_FILE)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--whole_every", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--camera", type=pathlib.Path, help="folder with frames/")
    parser.add_argument("--frames", type=int, default=100, help="at most")
    parser.add_argument(
        "--size", type=int, default=554, help="of the film; 554 x 554 is 480 x 640"
    )
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    truth = []
    if arguments.camera:
        found = find_frames([arguments.camera / "frames"]).read()
        frames = [
            frame.pixels
            for frame, _ in zip(found, range(arguments.frames), strict=False)
        ]
        background = np.median(frames, 0).astype(np.uint8)
    else:
        shots = list(film.draw_shots(arguments.frames, arguments.size))
        frames = [shot.frame for shot in shots]
        truth = [shot.mask[..., 0] >= 128 for shot in shots]
        background = film.draw_empty(arguments.size)
    ways = list_ways(arguments, background)
    seconds: dict[str, float] = {}
    masks: dict[str, list[np.ndarray]] = {}
    turns = [(r, name) for r in range(arguments.rounds) for name in ways]
    for _, name in tqdm.tqdm(turns, unit="round"):
        look = ways[name]()
        look(frames[0])  # what is traced on first use is not counted
        look = ways[name]() if name in CLASSICAL else look
        begun = time.perf_counter()
        masks[name] = [look(frame) for frame in frames]
        taken = (time.perf_counter() - begun) / len(frames)
        seconds[name] = min(taken, seconds.get(name, taken))
    height, width = background.shape[:2]
    print(f"{len(frames)} frames of {height} x {width}, {arguments.threads} threads\n")
    print("| | frames/s | ms | F |\n|---|---|---|---|")
    for name, taken in seconds.items():
        score = f"{compute_f(masks[name], truth):.3f}" if truth else ""
        print(f"| {name} | {1 / taken:.1f} | {1000 * taken:.1f} | {score} |")


def list_ways(arguments, background) -> dict[str, Callable]:
    """Lists makers of a function of a frame to a mask, bool [H, W]."""
    predictor = Predictor(arguments.model)

    def watch(rows, every):
        shrinking = ShrinkingPredictor(predictor, background.shape[:2], rows)
        watcher = Watcher(lambda w, f: shrinking(background[w], f[w]), every)
        return lambda frame: watcher(frame)[0][..., 0] >= 0.5

    rows, every = arguments.rows, arguments.whole_every
    ways = {
        "the network, frames as they are": lambda: watch(max(background.shape), 1),
        f"the network, --rows={rows}": lambda: watch(rows, 1),
        f"the network, --rows={rows} --whole_every={every}": lambda: watch(rows, every),
    }
    if importlib.util.find_spec("cv2"):
        import cv2

        cv2.setNumThreads(arguments.threads)
        for name in ("MOG2", "KNN"):
            make = getattr(cv2, f"createBackgroundSubtractor{name}")
            ways[name] = lambda make=make: see(make().apply)
    if importlib.util.find_spec("pybgs"):
        import pybgs  # pyright: ignore[reportMissingImports]

        ways["SuBSENSE"] = lambda: see(pybgs.SuBSENSE().apply)
    return ways


CLASSICAL = ("MOG2", "KNN", "SuBSENSE")  # they learn from each frame


def see(apply: Callable) -> Callable:
    """Makes a function of an RGB frame to a mask of one of BGR to grey levels."""
    return lambda frame: apply(np.ascontiguousarray(frame[..., ::-1])) == 255


def compute_f(masks, truth) -> float:
    """Computes 2 TP / (2 TP + FP + FN) over all frames."""
    both = sum(2 * (a & b).sum() for a, b in zip(masks, truth, strict=True))
    return both / sum(a.sum() + b.sum() for a, b in zip(masks, truth, strict=True))


if __name__ == "__main__":
    main()
