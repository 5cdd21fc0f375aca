"""What trainer.predict sees in the drawn film of `python -m fgbg_tfds film`.

    python benchmarks/drawn_film.py --out docs/film.jpg

Draws the film, runs `python -m trainer.predict` on it with the pretrained network
(--model for another), once with the picture of the empty street and once from the
frames alone, and prints F of both over all frames. F is 2 TP / (2 TP + FP + FN) over
all pixels. The picture shows some frames, what is new in red, and depth, from the
frames alone.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import PIL.Image

from fgbg_tfds import __main__ as fgbg_tfds
from trainer.predict import __main__ as predict

SHOWN = (0.16, 0.36, 0.46, 0.62, 0.80)  # shares of the film


def main() -> None:
    """Draws, looks, prints and draws what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="pretrained", metavar="PATH")
    parser.add_argument("--out", type=pathlib.Path, default="film.jpg")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, default=320, help="of a side, pixels")
    arguments = parser.parse_args()
    if arguments.out.suffix.lower() not in (".jpg", ".png"):
        parser.error(f"--out={arguments.out}: give a .jpg or a .png")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        numbers = [f"--frames={arguments.frames}", f"--size={arguments.size}"]
        run(fgbg_tfds.main(["film", f"--out={folder}", *numbers]))
        for way, flags in (
            ("empty street given", [f"--background={folder / 'empty.png'}"]),
            ("from the frames alone", []),
        ):
            flags += [f"--model={arguments.model}", f"--out={folder / way}"]
            run(predict.main([*flags, str(folder / "frames")]))
            print(f"{way}: F {score(folder / 'truth', folder / way / 'mask'):.3f}")
        rows = [
            np.concatenate([read(path) for path in pick(folder / place)], 1)
            for place in ("frames", f"{way}/overlay", f"{way}/depth_view")
        ]
    PIL.Image.fromarray(np.concatenate(rows)).save(arguments.out, quality=88)
    print(arguments.out)


def run(status: int) -> None:
    """Ends where a command failed."""
    if status:
        sys.exit(status)


def score(truth: pathlib.Path, answers: pathlib.Path) -> float:
    """Computes F over all frames."""
    both = either = 0
    for path in sorted(truth.iterdir()):
        new, found = (read(folder / path.name) >= 128 for folder in (truth, answers))
        both += 2 * (new & found).sum()
        either += new.sum() + found.sum()
    return both / either


def pick(folder: pathlib.Path) -> list[pathlib.Path]:
    """Picks the pictures to show."""
    paths = sorted(folder.iterdir())
    return [paths[round(share * (len(paths) - 1))] for share in SHOWN]


def read(path: pathlib.Path) -> np.ndarray:
    """Reads a picture."""
    return np.asarray(PIL.Image.open(path))


if __name__ == "__main__":
    main()
