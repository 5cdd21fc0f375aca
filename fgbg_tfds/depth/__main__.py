"""Depth networks on the command line: `python -m fgbg_tfds.depth COMMAND`."""

from __future__ import annotations

import argparse
import importlib
import sys

from fgbg_tfds.command_line import run_command

# Each is a module of this package with `add_arguments(parser)` and `run(arguments)`.
# Only the one in use is imported, since some need TensorFlow.
COMMANDS = {
    "train": "train the embedded teacher on drawn scenes",
    "evaluate": "measure a teacher on photos with measured depth and drawn scenes",
    "predict": "write the depth of photos",
    "download": "fetch original weights, verified",
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
      argv: The arguments; those of the process if None.

    Returns:
      The exit status; see `run_command`.
    """
    return run_command(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser("python -m fgbg_tfds.depth", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name in argv[:1]:
            module = importlib.import_module(f"fgbg_tfds.depth.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
