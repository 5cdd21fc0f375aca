"""Hard shadows on the frames of real fixed cameras: found or not, and F without them.

    python benchmarks/shadows.py

Cameras are folders as `benchmarks/real_frames.py` takes them. Of each, the empty scene
is found in 60 frames, and 40 are looked at for shadows, as `python -m trainer.predict`
does it. Prints a Markdown table: the light that shadows were found to leave of red,
green and blue; where most of what passes has such a colour, how the scene's texture
correlates there with the frames', which tells shadows from clothes; and F over
--frames frames with truth, with shadows and without them.
"""

from __future__ import annotations

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import real_frames
import tqdm
from refine_ablation import spread_evenly

from trainer.predict import Predictor, ShrinkingPredictor, find_scene
from trainer.predict.shadow_removal import SAMPLED, ShadowRemoval
from trainer.shipped import WEIGHTS_FILE


def main() -> None:
    """Measures every camera and prints a row each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = {"type": pathlib.Path, "metavar": "DIR"}
    parser.add_argument("--cameras", **folder, default="../shared/cameras")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of them")
    parser.add_argument("--frames", type=int, default=24, metavar="N")
    arguments = parser.parse_args()
    cameras = sorted(p for p in arguments.cameras.iterdir() if (p / "frames").is_dir())
    if arguments.only:
        cameras = [camera for camera in cameras if camera.name in arguments.only]
    predictor = Predictor(WEIGHTS_FILE)
    print(
        "| camera | light | texture | with shadows | without |\n|---|---|---|---|---|"
    )
    for camera in tqdm.tqdm(cameras, unit="camera"):
        row = measure(camera, predictor, arguments.frames)
        tqdm.tqdm.write(f"| {camera.name} | " + " | ".join(row) + " |")


def measure(camera: pathlib.Path, predictor: Predictor, number: int) -> list[str]:
    """Measures one camera."""
    frames, truth = real_frames.read_frames(camera), real_frames.read_truth(camera)
    scene = find_scene(
        spread_evenly(list(frames.values()), 60),
        lambda p: np.maximum(predictor(p, p)[1][..., 0], 1e-3),
    )
    look = ShrinkingPredictor(predictor, scene.background.shape[:2])

    def find_new(pixels):
        mask = look(scene.background, pixels, scene.spread.amount)[0]
        return scene.spread.calm(mask, pixels)

    removal = ShadowRemoval()
    for pixels in spread_evenly(list(frames.values()), SAMPLED):
        removal.look(find_new(pixels), pixels, scene.background)
    removal.learn()
    texture = removal.finder.texture
    names = spread_evenly([name for name in frames if name in truth], number)
    masks = [find_new(frames[name]) for name in names]
    cut = [
        removal(mask, frames[name], scene.background)
        for name, mask in zip(names, masks, strict=True)
    ]
    known = {name: truth[name] for name in names}
    scores = [
        real_frames.score(np.stack([m[..., 0] >= 0.5 for m in each]), known)
        for each in (masks, cut)
    ]
    light = (
        "none found" if removal.ratio is None else f"{np.exp(removal.ratio).round(2)}"
    )
    seen = "not asked" if texture is None else f"{texture:.2f}"
    return [light, seen, *(f"{score:.3f}" for score in scores)]


if __name__ == "__main__":
    main()
