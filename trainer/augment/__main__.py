"""Draws what augmentation does to the pairs of a data set.

python -m trainer.augment --dataset=fgbg/sample --out=docs
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

from trainer.errors import UserError


def main() -> None:
    """Reads the command line and draws."""
    parser = argparse.ArgumentParser(
        prog="python -m trainer.augment", description=__doc__
    )
    parser.add_argument(
        "--dataset", default="fgbg/sample", help="as tfds.load takes it"
    )
    parser.add_argument("--data_dir", default="", help="folder of the data sets")
    parser.add_argument("--split", default="train", help="split to take pairs from")
    parser.add_argument("--seed", type=int, default=0, help="seed of pairs and effects")
    parser.add_argument(
        "--out",
        default="docs",
        help="folder for augmentation_effects.jpg and augmentation_pairs.jpg",
    )
    arguments = parser.parse_args()
    try:
        draw(arguments)
    except UserError as error:
        sys.exit(f"error: {error}")


def draw(arguments: argparse.Namespace) -> None:
    """Writes both pictures.

    Raises:
      UserError: If the data set or the folder cannot be used.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from trainer import data
    from trainer.augment import GROUP_SIZE, Augmentation, Scene, as_tuple, gallery
    from trainer.contract import FEATURES

    mixture = data.open_mixture(
        arguments.dataset, arguments.data_dir, arguments.split, seed=arguments.seed
    )
    plain = Augmentation(zoom=1.0, colour=0.0, flip=False)
    stream = data.make_training_batches(
        mixture, size=mixture.picture_size, batch_size=16, augmentation=plain
    )
    batch = next(iter(stream))
    scene = Scene(*(batch[name] for name in FEATURES))
    folder = pathlib.Path(arguments.out).expanduser()
    pictures = {
        "augmentation_effects.jpg": gallery.draw_effects(scene),
        "augmentation_pairs.jpg": gallery.draw_pairs(
            Scene(*(value[:GROUP_SIZE] for value in as_tuple(scene))), arguments.seed
        ),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in pictures.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from error


if __name__ == "__main__":
    main()
