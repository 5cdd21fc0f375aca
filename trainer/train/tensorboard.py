"""Curves, pictures and texts of a training for TensorBoard."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.contract import FEATURES
from trainer.data import Mixture, make_evaluation_batches
from trainer.errors import UserError, summarise
from trainer.figures import colour_depth
from trainer.models import Network
from trainer.settings import Settings

PICTURES = 4  # examples of validation, the same all through training
TAGS = {
    "loss": "loss/all",
    "mask_iou": "training/mask_iou",
    "learning_rate": "training/learning_rate",
    "examples_per_second": "speed/examples_per_second",
    "seconds_waiting": "speed/seconds_waiting",
    "seconds_computing": "speed/seconds_computing",
    "waiting": "speed/waiting",
}


class TensorBoard:
    """Writes curves, and predictions of the same validation examples."""

    def __init__(self, settings: Settings, mixture: Mixture, averaged: Network):
        """Reads the examples, and writes the settings as text.

        Args:
          settings: Settings of the run.
          mixture: Its data sets.
          averaged: The network with the averaged weights.
        """
        self._averaged = averaged
        self._folder = settings.folder / "tensorboard"
        self._batch = _read_examples(settings, mixture)
        dataset = {"dataset": mixture.full_name, "fingerprint": mixture.fingerprint}
        with _name_failures(self._folder):
            self._writer = tf.summary.create_file_writer(str(self._folder))
        with self._write(step=0):
            tf.summary.text("dataset", _format_table(dataset))
            tf.summary.text("settings", _format_table(dataclasses.asdict(settings)))

    def write_line(self, step: int, values: dict[str, float]) -> None:
        """Writes the values of a line of history.jsonl.

        Args:
          step: Step of the line.
          values: The line. Losses come by head, as 'loss/coarse_mask'; those without a
            head are the last one's.
        """
        curves = {tag: values[name] for name, tag in TAGS.items()}
        for name, value in values.items():
            head, _, loss = name.removesuffix("_loss").rpartition("_")
            if head and name.endswith("_loss"):
                curves[f"loss/{head}_{loss}"] = value
        self.write_scalars(step, curves)

    def write_scalars(self, step: int, values: dict[str, float]) -> None:
        """Writes every value under its tag."""
        with self._write(step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def write_pictures(self, step: int) -> None:
        """Writes composites, masks and depths, the true ones left of the predicted."""
        batch, size = self._batch, self._batch["mask"].shape[1:3]
        mask, depth = self._averaged.predict(batch["bg"], batch["fgbg"], tuple(size))
        with self._write(step):
            tf.summary.image(
                "held_out/composite", batch["fgbg"] / 255, max_outputs=PICTURES
            )
            masks = tf.concat([batch["mask"], mask], 2)
            tf.summary.image("held_out/mask", masks, max_outputs=PICTURES)
            depths = np.concatenate([batch["depth"], depth], 2)
            tf.summary.image(
                "held_out/depth", colour_depth(depths), max_outputs=PICTURES
            )
            self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the file.

        Raises:
          UserError: If it cannot be written, as when the disk is full.
        """
        with _name_failures(self._folder):
            self._writer.close()

    @contextlib.contextmanager
    def _write(self, step: int) -> Iterator[None]:
        with _name_failures(self._folder), self._writer.as_default(step=step):
            yield


@contextlib.contextmanager
def _name_failures(folder: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        raise UserError(
            f"cannot write curves for TensorBoard to {folder.parent}; is there space? "
            f"({summarise(error)})"
        ) from error


def _read_examples(settings: Settings, mixture: Mixture) -> dict:
    """Reads a few examples of the validation splits of all data sets."""
    validation = mixture.with_split(settings.validation_split)
    builders = mixture.builders[:PICTURES]
    batches = [
        next(
            iter(
                make_evaluation_batches(
                    validation.only(builder),
                    size=settings.size,
                    batch_size=max(1, PICTURES // len(builders)),
                )
            )
        )
        for builder in builders
    ]
    return {name: tf.concat([b[name] for b in batches], 0) for name in FEATURES}


def _format_table(values: dict) -> str:
    """Formats names and values as a Markdown table."""
    rows = [f"| {name} | `{json.dumps(value)}` |" for name, value in values.items()]
    return "\n".join(["| | |", "|---|---|", *rows])
