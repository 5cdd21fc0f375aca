"""What TensorBoard shows of a run."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import tensorflow as tf

from trainer import data
from trainer.figures import colours

PICTURES = 4  # held-out examples shown through training


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
        self._batch = next(
            iter(
                data.evaluation_batches(
                    state.builder,
                    settings.validation_split,
                    size=settings.size,
                    batch_size=PICTURES,
                )
            )
        )
        description = {
            **dataclasses.asdict(settings),
            "dataset": state.builder.info.full_name,
            "fingerprint": data.fingerprint(state.builder),
        }
        text = "".join(f"    {line}\n" for line in _lines(description))
        with self._writer.as_default(step=0):
            tf.summary.text("settings", text)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Writes every value but the step under its name."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                if name != "step":
                    tf.summary.scalar(name, value)

    def pictures(self, step: int) -> None:
        """Writes composite, mask and depth, true beside predicted."""
        batch, size = self._batch, self._batch["mask"].shape[1:3]
        mask, depth = self._averaged.predict(batch["bg"], batch["fgbg"], tuple(size))
        with self._writer.as_default(step=step):
            tf.summary.image("composite", batch["fgbg"] / 255, max_outputs=PICTURES)
            masks = tf.concat([batch["mask"], mask], 2)
            tf.summary.image("mask", masks, max_outputs=PICTURES)
            depths = np.concatenate([batch["depth"], depth], 2)
            tf.summary.image("depth", colours(depths), max_outputs=PICTURES)
        self._writer.flush()

    def close(self) -> None:
        """Writes out what is still in memory."""
        self._writer.close()


def _lines(description: dict) -> list[str]:
    return [f"{name}: {json.dumps(value)}" for name, value in description.items()]
