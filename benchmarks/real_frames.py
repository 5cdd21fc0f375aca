"""Masks on the frames of real fixed cameras whose truth was drawn by hand.

    python benchmarks/real_frames.py --models runs/refine_cpu

A camera is a folder of --cameras (default: ../shared/cameras) with frames/NUMBER.jpg
and groundtruth/NUMBER.png for some of them:
255 is new, 0 is not, 50 is shadow, which is not new either; other values are not
counted. `python -m trainer.predict` is run three times on all frames of each camera:
without a background; with their median, as before it looked behind things; and with a
clean one, the median of what the truth calls background; with --settle, also with a
scene that keeps up, as if they were --fps frames a second. F is
2 TP / (2 TP + FP + FN) over all counted pixels of a camera; means are over cameras, as
in CDnet 2014, https://doi.org/10.1109/CVPRW.2014.126. Beside the networks stand
subtraction of the median and of the clean background, with the threshold that is best
on these very frames; and, where OpenCV is installed, its MOG2 and KNN, and where
pybgs is, its SuBSENSE, which see every frame from the first on. Prints a Markdown
table, and the seconds of each command, which its start is part of; with --out, the
worst frames are drawn: frame, background found, truth, and the answers.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import pathlib
import sys
import tempfile
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import PIL.Image
import tqdm

from trainer import figures
from trainer.errors import UserError
from trainer.evaluate import baselines
from trainer.predict import __main__ as predict
from trainer.predict import find_frames, read_picture

BACKGROUND, SHADOW, NEW = 0, 50, 255
WIDTH = 320  # of a drawn frame, pixels
SUFFIXES = (".jpg", ".jpeg", ".png")


def main() -> None:
    """Compares masks with the truth, prints and draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = {"type": pathlib.Path, "metavar": "DIR"}
    parser.add_argument("--cameras", **folder, default="../shared/cameras")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of them")
    parser.add_argument("--models", **folder, nargs="+", required=True)
    parser.add_argument("--out", type=parse_output, metavar="FILE.jpg")
    parser.add_argument("--settle", type=float, metavar="MINUTES")
    parser.add_argument("--fps", type=float, default=2.0, help="for --settle")
    parser.add_argument("--drawn", type=int, default=1, help="frames of each camera")
    arguments = parser.parse_args()
    try:
        compare(arguments)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")


def parse_output(text: str) -> pathlib.Path:
    """Parses the path of a picture."""
    path = pathlib.Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"{text}: give one of {', '.join(SUFFIXES)}")
    return path


def compare(arguments: argparse.Namespace) -> None:
    """Compares as the command line asks."""
    cameras = [path for path in sorted(arguments.cameras.iterdir()) if path.is_dir()]
    if arguments.only:
        cameras = [path for path in cameras if path.name in arguments.only]
    if not cameras:
        raise UserError(f"no camera in {arguments.cameras}")
    table, drawn = {}, []
    for camera in tqdm.tqdm(cameras, unit="camera"):
        masks, backgrounds = answer(camera, arguments)
        truth = read_truth(camera)
        table[camera.name] = {
            name: score(found, truth) for name, found in masks.items()
        }
        drawn += draw_worst(camera, masks, backgrounds, truth, arguments.drawn)
    names = list(next(iter(table.values())))
    print("| | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for camera, figures_ in table.items():
        print(f"| {camera} | " + " | ".join(f"{figures_[n]:.3f}" for n in names) + " |")
    means = [np.mean([row[name] for row in table.values()]) for name in names]
    print("| mean | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    if arguments.out:
        PIL.Image.fromarray(np.concatenate(drawn)).save(arguments.out)


def answer(camera: pathlib.Path, arguments: argparse.Namespace) -> tuple[dict, dict]:
    """Masks of all ways, bool [N, H, W], and backgrounds, by name."""
    frames = read_frames(camera)
    truth = read_truth(camera)
    numbers = [name for name in frames if name in truth]
    clean = find_clean(frames, truth)
    median = np.median(list(frames.values()), 0).astype(np.uint8)
    chosen = {name: frames[name] for name in numbers}
    masks = {
        "subtraction, median": subtract(chosen, median, truth),
        "subtraction, clean": subtract(chosen, clean, truth),
    }
    for name, make in find_peers().items():
        peer = make()
        found = {number: peer.apply(frame) == NEW for number, frame in frames.items()}
        masks[name] = np.stack([found[number] for number in numbers])
    backgrounds = {}
    ways = [("alone", None), ("median", median), ("clean", clean)]
    if arguments.settle:
        ways.append(("running", None))
    for model in arguments.models:
        for way, given in ways:
            name = f"{model}, {way}"
            with tempfile.TemporaryDirectory() as folder:
                out = pathlib.Path(folder)
                flags = []
                if given is not None:
                    PIL.Image.fromarray(given).save(out / "given.png")
                    flags = [f"--background={out / 'given.png'}"]
                if way == "running":
                    flags = ["--background=running", f"--fps={arguments.fps:g}"]
                    flags.append(f"--settle={arguments.settle:g}")
                begun = time.perf_counter()
                run_predict(model, out / "out", flags, camera / "frames")
                seconds = time.perf_counter() - begun
                masks[name] = np.stack(
                    [
                        read_picture(out / f"out/mask/{number}.png")[..., 0] >= 128
                        for number in numbers
                    ]
                )
                path = out / "out" / "background.png"
                if path.exists():
                    backgrounds[name] = read_picture(path)
            tqdm.tqdm.write(
                f"{camera.name}, {name}: {seconds:.1f} s for {len(frames)} frames"
            )
    return masks, backgrounds | {"clean": clean}


def run_predict(model, out, given, frames) -> None:
    """Runs the command, and keeps quiet what it prints."""
    flags = [f"--model={model}", f"--out={out}", "--write=mask", *given]
    with (
        pathlib.Path(os.devnull).open("w") as nothing,
        contextlib.redirect_stderr(nothing),
    ):
        status = predict.main([*flags, str(frames)])
    if status:
        raise UserError(f"trainer.predict failed on {frames}")


def find_peers() -> dict:
    """Subtractors of OpenCV and pybgs, by name; of those that are installed."""
    peers = {}
    if importlib.util.find_spec("cv2"):
        import cv2

        peers["MOG2"] = cv2.createBackgroundSubtractorMOG2
        peers["KNN"] = cv2.createBackgroundSubtractorKNN
    else:
        tqdm.tqdm.write("OpenCV is not installed: no MOG2, no KNN")
    if importlib.util.find_spec("pybgs"):
        import pybgs

        peers["SuBSENSE"] = pybgs.SuBSENSE
    else:
        tqdm.tqdm.write("pybgs is not installed: no SuBSENSE")
    return peers


def read_frames(camera: pathlib.Path) -> dict[str, np.ndarray]:
    """All frames by number, in order."""
    return {
        path.stem: read_picture(path) for path in find_frames([camera / "frames"]).paths
    }


def read_truth(camera: pathlib.Path) -> dict[str, np.ndarray]:
    """Truth by number, uint8 [H, W]."""
    paths = find_frames([camera / "groundtruth"]).paths
    return {path.stem: read_picture(path)[..., 0] for path in paths}


def find_clean(frames, truth) -> np.ndarray:
    """The median of what the truth calls background; of all where it never does."""
    seen = np.stack([frames[n] for n in truth]).astype(np.float32)
    seen[np.stack(list(truth.values())) != BACKGROUND] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of places without any
        clean = np.nanmedian(seen, 0)
    median = np.median(list(frames.values()), 0)
    return np.where(np.isnan(clean), median, clean).round().astype(np.uint8)


def subtract(frames, background, truth) -> np.ndarray:
    """Masks of subtraction with the best threshold, bool [N, H, W]."""
    changes = {
        number: np.abs(frame.astype(np.float32) - background).max(-1)
        for number, frame in frames.items()
    }
    known = {n: np.isin(truth[n], (BACKGROUND, SHADOW, NEW)) for n in frames}
    best = baselines.find_best_threshold(
        (changes[n][known[n]], (truth[n] == NEW)[known[n]].astype(np.float32))
        for n in frames
    )
    return np.stack([change >= best for change in changes.values()])


def score(found: np.ndarray, truth: dict) -> float:
    """F over all counted pixels."""
    labels = np.stack(list(truth.values()))
    known, new = np.isin(labels, (BACKGROUND, SHADOW, NEW)), labels == NEW
    hits = (found & new & known).sum()
    return 2 * hits / ((found & known).sum() + (new & known).sum())


def draw_worst(camera, masks, backgrounds, truth, number) -> list[np.ndarray]:
    """Draws the frames on which the first network alone is worst."""
    frames = read_frames(camera)
    first = next(name for name in masks if name.endswith(", alone"))
    numbers = list(truth)
    each = [
        score(masks[first][i : i + 1], {n: truth[n]})
        if (truth[n] == NEW).any()
        else 1.0
        for i, n in enumerate(numbers)
    ]
    rows = []
    for index in np.argsort(each)[:number]:
        frame, labels = frames[numbers[index]], truth[numbers[index]]
        white = np.repeat(labels[..., None], 3, -1)
        shown = [frame, backgrounds[first], white]
        shown += [
            figures.draw_overlay(frame, found[index][..., None].astype(np.float32))
            for name, found in masks.items()
            if "," in name and "subtraction" not in name
        ]
        size = (WIDTH, round(WIDTH * frame.shape[0] / frame.shape[1]))
        rows.append(
            np.concatenate([PIL.Image.fromarray(p).resize(size) for p in shown], 1)
        )
    return rows


if __name__ == "__main__":
    main()
