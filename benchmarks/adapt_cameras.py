"""A network adapted to each camera by its own frames, without a label.

    python benchmarks/adapt_cameras.py --work adapted --only highway HighwayI

For each camera of --cameras (see real_frames.py), the commands of docs/your_camera.md
are run on the first half of its frames: trainer.harvest, tfds build, and a training by
configs/adapt.flags. Then `trainer.predict` looks at the second half, with the
pretrained network and with the adapted one, from the frames alone and before the
background.png of the harvest. Prints a Markdown table of F over the frames with truth
of the second half, and what F becomes on the other cameras, each on --frames of its
truth before the scene that the pretrained network found: the mean change and the worst.
What is finished in --work is not done again. A camera in which the harvest finds too
few cut-outs keeps the pretrained network.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import real_frames
import tqdm

from trainer.contract import PROBABILITY_THRESHOLD
from trainer.predict import (
    Predictor,
    Scene,
    ShrinkingPredictor,
    find_scene,
    read_picture,
)
from trainer.shipped import WEIGHTS_FILE

ROOT = pathlib.Path(__file__).parent.parent
SCENE_FRAMES = 40


def main() -> None:
    """Adapts, measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = {"type": pathlib.Path, "metavar": "DIR"}
    parser.add_argument(
        "--cameras", **folder, default=pathlib.Path("../shared/cameras")
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of them")
    parser.add_argument("--work", **folder, required=True, help="gets what is made")
    parser.add_argument("--frames", type=int, default=10, help="of the other cameras")
    arguments = parser.parse_args()
    cameras = [path for path in sorted(arguments.cameras.iterdir()) if path.is_dir()]
    chosen = [c for c in cameras if not arguments.only or c.name in arguments.only]
    others = Others(cameras, arguments.frames)
    columns = ("alone", "alone, adapted", "harvested scene", "both")
    print("| | " + " | ".join(columns) + " | others, mean | others, worst |")
    print("|---" * (len(columns) + 3) + "|")
    rows = []
    for camera in tqdm.tqdm(chosen, unit="camera"):
        figures = measure(camera, arguments.work / camera.name, others)
        rows.append(figures)
        print(f"| {camera.name} | " + " | ".join(figures_to_text(figures)) + " |")
    means = np.mean([row[:5] for row in rows], 0)
    print("| mean | " + " | ".join(figures_to_text([*means, np.nan])) + " |")


def figures_to_text(figures) -> list[str]:
    """Formats F, and changes of F with their sign."""
    texts = [f"{f:.3f}" for f in figures[:4]] + [f"{f:+.3f}" for f in figures[4:]]
    return [text.replace("+nan", "") for text in texts]


def measure(camera: pathlib.Path, work: pathlib.Path, others: Others) -> list[float]:
    """Measures F four ways on the second half, and the change on other cameras."""
    done = work / "figures.json"
    if done.exists():
        return json.loads(done.read_text())
    first, second = link_halves(camera, work)
    adapted = adapt(first, work)
    truth = real_frames.read_truth(camera)
    truth = {n: t for n, t in truth.items() if (second / f"{n}.jpg").exists()}
    scene = work / camera.name / "background.png"
    figures = []
    for background in (None, scene):
        for model in (WEIGHTS_FILE, adapted):
            given = background is not None and background.exists()
            figures.append(score(model, background if given else None, second, truth))
    changes = others.measure(adapted, without=camera.name)
    figures += [float(np.mean(changes)), float(np.min(changes))]
    done.write_text(json.dumps(figures))
    return figures


def link_halves(camera, work) -> list[pathlib.Path]:
    """Links the frames of both halves into two folders."""
    paths = sorted((camera / "frames").iterdir())
    halves = []
    for name, part in (
        ("first", paths[: len(paths) // 2]),
        ("second", paths[len(paths) // 2 :]),
    ):
        folder = work / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in part:
            if not (folder / path.name).exists():
                (folder / path.name).symlink_to(path.resolve())
        halves.append(folder)
    return halves


def adapt(first: pathlib.Path, work: pathlib.Path) -> pathlib.Path:
    """Runs the commands of docs/your_camera.md; returns the model."""
    name = work.name
    run_dir, data = work / "run", work / "data"
    if (run_dir / "export").exists():
        return run_dir
    harvested = run("trainer.harvest", "--overwrite", f"--out={work / name}", first)
    if harvested.returncode:
        tqdm.tqdm.write(f"{name}: {harvested.stderr.splitlines()[-1]}")
        return WEIGHTS_FILE
    config = work / name / "config.json"
    for command in (
        ["fgbg_tfds.build", "--config", config, "--data_dir", data, "--overwrite"],
        [
            *("trainer.main", f"--flagfile={ROOT / 'configs' / 'adapt.flags'}"),
            *(f"--dataset=fgbg/{name}", f"--data_dir={data}", f"--workdir={run_dir}"),
        ],
    ):
        finished = run(*command)
        if finished.returncode:
            sys.exit(finished.stderr[-2000:])
    return run_dir


def run(module: str, *flags) -> subprocess.CompletedProcess[str]:
    """Runs a command of this repository."""
    start = [sys.executable, "-m", module]
    if module == "fgbg_tfds.build":
        start = [str(pathlib.Path(sys.executable).with_name("tfds")), "build"]
        flags = ("fgbg_tfds", *flags)
    return subprocess.run(
        [*start, *map(str, flags)], cwd=ROOT, capture_output=True, text=True
    )


def score(model, background, frames, truth) -> float:
    """Computes F of `trainer.predict`."""
    given = [] if background is None else [f"--background={background.resolve()}"]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        real_frames.run_predict(model, out / "out", given, frames)
        found = np.stack(
            [read_picture(out / f"out/mask/{n}.png")[..., 0] >= 128 for n in truth]
        )
    return float(real_frames.score(found, truth))


class Others:
    """Other cameras, with the scenes that the pretrained network finds."""

    def __init__(self, cameras: list[pathlib.Path], number: int):
        """Takes the cameras, and looks at none yet."""
        self._cameras, self._number = cameras, number
        self._looks: dict[str, tuple[Scene, list[np.ndarray], dict, float]] = {}

    def measure(self, model: pathlib.Path, without: str) -> list[float]:
        """Measures the change of F on each other camera."""
        if model == WEIGHTS_FILE:
            return [0.0]
        if not self._looks:
            pretrained = Predictor(WEIGHTS_FILE)
            for camera in self._cameras:
                self._looks[camera.name] = self._find(camera, pretrained)
        adapted = Predictor(model)
        return [
            compute_f(adapted, scene, frames, truth) - before
            for name, (scene, frames, truth, before) in self._looks.items()
            if name != without
        ]

    def _find(self, camera: pathlib.Path, pretrained: Predictor):
        frames, truth = real_frames.read_frames(camera), real_frames.read_truth(camera)
        names = [name for name in frames if name in truth]
        places = np.linspace(0, len(names) - 1, min(self._number, len(names)))
        names = [names[place] for place in places.astype(int)]
        pictures = list(frames.values())
        places = np.linspace(0, len(pictures) - 1, min(SCENE_FRAMES, len(pictures)))
        scene = find_scene(
            [pictures[place] for place in places.astype(int)],
            lambda p: np.maximum(pretrained(p, p)[1][..., 0], 1e-3),
        )
        shown, labels = [frames[n] for n in names], {n: truth[n] for n in names}
        return scene, shown, labels, compute_f(pretrained, scene, shown, labels)


def compute_f(predictor: Predictor, scene: Scene, frames, truth) -> float:
    """Computes F of frames before a scene."""
    look = ShrinkingPredictor(predictor, scene.background.shape[:2])
    masks = []
    for frame in frames:
        mask, _ = look(scene.background, frame, scene.spread.amount)
        masks.append(scene.spread.calm(mask, frame)[..., 0] >= PROBABILITY_THRESHOLD)
    return float(real_frames.score(np.stack(masks), truth))


if __name__ == "__main__":
    main()
