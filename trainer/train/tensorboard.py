"""What TensorBoard shows of a run."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import tensorflow as tf

from trainer import data
from trainer.figures import colours

PICTURES = 4  # held-out examples shown through training
TAGS = {
    "loss": "loss/all",
    "mask_iou": "training/mask_iou",
    "learning_rate": "training/learning_rate",
    "examples_per_second": "speed/examples_per_second",
    "seconds_waiting": "speed/seconds_waiting",
    "seconds_computing": "speed/seconds_computing",
    "waiting": "speed/waiting",
}


class Summaries:
    """Writes scalars, and pictures of the same held-out examples, to TensorBoard."""

    def __init__(self, state):
        """Reads the examples and writes the settings down as text.

        Args:
          state: The run, a `trainer.state.State`.
        """
        settings = state.settings
        self._averaged = state.averaged
        self._writer = tf.summary.create_file_writer(
            str(settings.folder / "tensorboard")
        )
        self._batch = _held_out(state)
        dataset = {
            "dataset": data.full_name(state.builders),
            "fingerprint": data.fingerprint(state.builders),
        }
        with self._writer.as_default(step=0):
            tf.summary.text("dataset", _text(dataset))
            tf.summary.text("settings", _text(dataclasses.asdict(settings)))

    def line(self, step: int, values: dict[str, float]) -> None:
        """Writes what stands in a line of history.jsonl.

        Args:
          step: Its step.
          values: The line. Losses come by head, as 'loss/coarse_mask'; those without a
            head are the last one's.
        """
        curves = {tag: values[name] for name, tag in TAGS.items()}
        for name, value in values.items():
            head, _, loss = name.removesuffix("_loss").rpartition("_")
            if head and name.endswith("_loss"):
                curves[f"loss/{head}_{loss}"] = value
        self.scalars(step, curves)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Writes every value under its tag."""
        with self._writer.as_default(step=step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def pictures(self, step: int) -> None:
        """Writes composites, masks and depths, the true ones left of the predicted."""
        batch, size = self._batch, self._batch["mask"].shape[1:3]
        mask, depth = self._averaged.predict(batch["bg"], batch["fgbg"], tuple(size))
        with self._writer.as_default(step=step):
            tf.summary.image(
                "held_out/composite", batch["fgbg"] / 255, max_outputs=PICTURES
            )
            masks = tf.concat([batch["mask"], mask], 2)
            tf.summary.image("held_out/mask", masks, max_outputs=PICTURES)
            depths = np.concatenate([batch["depth"], depth], 2)
            tf.summary.image("held_out/depth", colours(depths), max_outputs=PICTURES)
        self._writer.flush()

    def close(self) -> None:
        """Writes out what is still in memory."""
        self._writer.close()


def _held_out(state) -> dict:
    """A few examples of the validation splits of all data sets."""
    settings, number = state.settings, len(state.builders)
    batches = [
        next(
            iter(
                data.evaluation_batches(
                    builder,
                    settings.validation_split,
                    size=settings.size,
                    batch_size=max(1, PICTURES // number),
                )
            )
        )
        for builder in state.builders[:PICTURES]
    ]
    return {name: tf.concat([b[name] for b in batches], 0) for name in batches[0]}


def _text(values: dict) -> str:
    """Markdown: a table of names and values."""
    rows = [f"| {name} | `{json.dumps(value)}` |" for name, value in values.items()]
    return "\n".join(["| | |", "|---|---|", *rows])
