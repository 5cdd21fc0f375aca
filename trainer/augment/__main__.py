"""Draws what augmentation does to the pairs of a data set.

python -m trainer.augment --dataset=fgbg/sample --out=docs
"""

from __future__ import annotations

import argparse
import os
import pathlib
import tempfile

from trainer.command_line import run_command, start
from trainer.errors import UserError
from trainer.files import write_atomically

NAMES = ("augmentation_effects.jpg", "augmentation_pairs.jpg")
MAX_SEED = 2**31 - 1  # TensorFlow takes the seed as an int32


def main(argv: list[str] | None = None) -> int:
    """Reads the command line and draws.

    Args:
      argv: The arguments; those of the process if None.

    Returns:
      The exit status; see `run_command`.
    """
    arguments = _make_parser().parse_args(argv)
    return run_command(lambda: draw(arguments))


def draw(arguments: argparse.Namespace) -> None:
    """Writes both pictures.

    Raises:
      UserError: If the data set or the folder cannot be used.
    """
    folder = _find_folder(arguments.out)
    if not 0 <= arguments.seed <= MAX_SEED:
        raise UserError(f"--seed={arguments.seed}: give a number from 0 to {MAX_SEED}")
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
    effects = gallery.draw_effects(scene)
    group = Scene(*(value[:GROUP_SIZE] for value in as_tuple(scene)))
    pairs = gallery.draw_pairs(group, arguments.seed)
    for name, content in zip(NAMES, (effects, pairs), strict=True):
        write_atomically(folder / name, content)


def _find_folder(out: str) -> pathlib.Path:
    """Expands `--out` and checks that it can be written to, before anything is drawn.

    Raises:
      UserError: If it cannot, or is called as a picture is.
    """
    if pathlib.Path(out).suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
        raise UserError(
            f"--out={out}: give a folder; {' and '.join(NAMES)} are written into it"
        )
    try:
        folder = pathlib.Path(out).expanduser().absolute()
        there = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"--out={out}: cannot be written to ({reason}); give another folder"
        ) from error
    return folder


def _make_parser() -> argparse.ArgumentParser:
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
        "--out", default="docs", help=f"folder for {' and '.join(NAMES)}"
    )
    return parser


if __name__ == "__main__":
    start(main)
