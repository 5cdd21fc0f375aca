"""Trains a network on a data set, reports on it and exports it.

python -m trainer.main --flagfile=configs/cpu.flags --workdir=runs/cpu
"""

from __future__ import annotations

import dataclasses
import logging
import os
import sys

from absl import app, flags
from absl import logging as absl_logging

from trainer.errors import UserError
from trainer.settings import Settings

FLAGS = flags.FLAGS
LOG = logging.getLogger("trainer")


def define_flags() -> None:
    """Makes a flag of every field of `Settings`."""
    for field in dataclasses.fields(Settings):
        name, rule = field.name, field.metadata
        default, text = rule["default"], rule["help"]
        bounds = {"lower_bound": rule.get("least"), "upper_bound": rule.get("most")}
        if "choices" in rule:
            flags.DEFINE_enum(name, default, rule["choices"], text)
        elif isinstance(default, bool):
            flags.DEFINE_bool(name, default, text)
        elif isinstance(default, int):
            flags.DEFINE_integer(name, default, text, **bounds)
        elif isinstance(default, float):
            flags.DEFINE_float(name, default, text, **bounds)
        else:
            flags.DEFINE_string(name, default, text)


def settings_of_flags() -> Settings:
    """Reads all flags, once and here alone."""
    return Settings(
        **{f.name: FLAGS[f.name].value for f in dataclasses.fields(Settings)}
    )


def run(settings: Settings) -> None:
    """Does what `settings.mode` says.

    Raises:
      UserError: If the data set, the workdir or a setting cannot be used.
    """
    # TensorFlow prints pages about the devices that it does not find.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # A strategy has to be made before any other call to TensorFlow.
    from trainer import distribution

    strategy = distribution.make_strategy(settings)
    for line in distribution.describe(strategy):
        LOG.info("%s", line)

    from trainer.evaluate import report as evaluation
    from trainer.export import saved_model as serving
    from trainer.train import loop as train

    with distribution.joined(strategy):
        start = train.train if settings.mode == "train" else train.restore
        state = start(settings, strategy)
        if settings.mode in ("train", "evaluate"):
            evaluation.report(state)
        if settings.mode in ("train", "export"):
            serving.export(state)


def main(argv: list[str]) -> None:
    """Entry point for absl."""
    if len(argv) > 1:
        sys.exit(f"error: {argv[1]} is no flag; flags begin with --")
    # Our own lines only: absl's logger carries pages of TFDS's and TensorFlow's.
    absl_logging.set_verbosity(absl_logging.ERROR)
    LOG.addHandler(logging.StreamHandler())
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        run(settings_of_flags())
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from the last checkpoint")


if __name__ == "__main__":
    define_flags()
    app.run(main)
