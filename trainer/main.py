"""Trains a network on a data set, reports on it and exports it.

python -m trainer.main --flagfile=configs/cpu.flags --workdir=runs/cpu
"""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
from collections.abc import Sequence

from absl import app, flags
from absl import logging as absl_logging

from trainer.errors import UserError
from trainer.flag_files import expand_flag_files
from trainer.settings import Settings

FLAGS = flags.FLAGS
LOG = logging.getLogger("trainer")


def define_flags() -> None:
    """Defines a flag for every field of `Settings`."""
    for field in dataclasses.fields(Settings):
        name, rule = field.name, field.metadata
        default, text = rule["default"], rule["help"]
        low, high = rule.get("minimum"), rule.get("maximum")
        if "choices" in rule:
            flags.DEFINE_enum(name, default, rule["choices"], text)
        elif isinstance(default, bool):
            flags.DEFINE_bool(name, default, text)
        elif isinstance(default, int):
            flags.DEFINE_integer(name, default, text, low, high)
        elif isinstance(default, float):
            flags.DEFINE_float(name, default, text, low, high)
        else:
            flags.DEFINE_string(name, default, text)


def read_flags() -> Settings:
    """Reads all flags; nothing else in the trainer does."""
    values = {f.name: FLAGS[f.name].value for f in dataclasses.fields(Settings)}
    return Settings(**values)  # pyright: ignore[reportArgumentType]


def parse_command_line(argv: Sequence[str]) -> list[str]:
    """Parses the flags, those of flag files included, for absl.

    Args:
      argv: The command's name and its arguments.

    Returns:
      The name, and the arguments that are no flags.
    """
    try:
        return FLAGS([argv[0], *expand_flag_files(argv[1:])])
    except UserError as error:
        sys.exit(f"error: {error}")
    except flags.Error as error:
        message = " ".join(str(error).split())
        sys.exit(f"error: {message}; --help lists the flags")


def run(settings: Settings) -> None:
    """Trains, evaluates and exports, as `settings.mode` says.

    Raises:
      UserError: If the data set, the workdir or a setting cannot be used. All
        settings are checked before anything is written.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # A strategy has to be made before any other call to TensorFlow.
    from trainer import distribution

    strategy = distribution.make_strategy(settings)
    for line in distribution.describe(strategy):
        LOG.info("%s", line)

    from trainer import checks, evaluate, export, runs, train

    with distribution.join_workers(strategy):
        mixture = checks.open_checked(settings, strategy.num_replicas_in_sync)
        compared = runs.find_compared(settings, mixture)
        if settings.mode == "train":
            run = train.train(settings, mixture, strategy)
        else:
            run = runs.open_run(settings, mixture, strategy)
        if settings.mode in ("train", "evaluate"):
            rows = runs.open_compared(compared, run, strategy)
            evaluate.write_report(rows, strategy)
        if settings.mode in ("train", "export"):
            export.export(run, distribution.is_chief(strategy))


def main(argv: list[str]) -> None:
    """Runs the command, for absl."""
    if len(argv) > 1:
        sys.exit(f"error: {argv[1]} is no flag; flags begin with --")
    # Only our own lines: absl's logger carries pages of TFDS's and TensorFlow's.
    absl_logging.set_verbosity(absl_logging.ERROR)
    LOG.addHandler(logging.StreamHandler())
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        run(read_flags())
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from the last checkpoint")


if __name__ == "__main__":
    define_flags()
    app.run(main, flags_parser=parse_command_line)
