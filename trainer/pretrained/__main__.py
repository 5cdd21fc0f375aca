"""Writes the weights of a run into one small file, for --init.

python -m trainer.pretrained runs/streets --out=streets.npz
"""

from __future__ import annotations

import argparse
import os
import pathlib

from trainer.command_line import run_command, start
from trainer.errors import UserError
from trainer.files import expand, require_writable
from trainer.shipped import SUFFIX


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
      argv: The arguments; those of the process if None.

    Returns:
      The exit status; see `run_command`.
    """
    parser = argparse.ArgumentParser(
        "python -m trainer.pretrained", description=__doc__
    )
    parser.add_argument(
        "run", type=pathlib.Path, help="workdir of a trained run, such as runs/cpu"
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path("refine.npz"),
        help="file to write, *.npz (default: refine.npz)",
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: write(arguments.run, arguments.out))


def write(folder: pathlib.Path, out: pathlib.Path) -> None:
    """Writes the averaged weights of a run.

    Args:
      folder: Its workdir.
      out: The file.

    Raises:
      UserError: If there is no run, or the file cannot be written or has another
        suffix than .npz.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from trainer.models import make_network
    from trainer.pretrained import Weights, list_weights, write_weights
    from trainer.runs import restore_weights
    from trainer.workdirs import read_run

    folder, out = expand(str(folder), "run"), expand(str(out), "out")
    if out.suffix != SUFFIX:
        raise UserError(f"--out={out}: give a name that ends in {SUFFIX}")
    require_writable(out.parent, "out")
    _, settings = read_run(folder, str(folder))
    network = make_network(settings, settings.size)
    step = restore_weights(network, settings)
    write_weights(out, Weights(str(folder), settings, list_weights(network)))
    size = out.stat().st_size / 1e6
    print(f"{out}: {settings.model} of step {step}, {size:.2f} MB")


if __name__ == "__main__":
    start(main)
