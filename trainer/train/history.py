"""The record of a run as it goes."""

from __future__ import annotations

import json
import logging

import tqdm

from trainer import distribution
from trainer.evaluate import metrics
from trainer.files import write_atomically
from trainer.train.schedule import learning_rate
from trainer.train.state import State
from trainer.train.tensorboard import Summaries

LOG = logging.getLogger("trainer")


class History:
    """The record of a run: a live line, history.jsonl and TensorBoard."""

    def __init__(self, state: State, first_step: int):
        self._state = state
        self._settings = state.settings
        self._chief = distribution.is_chief(state.strategy)
        self._path = state.folder / "history.jsonl"
        self._first_step = first_step
        self._cut(first_step)
        self._summaries = Summaries(state) if self._chief else None
        self._steps, self._waited, self._seconds = 0, 0.0, 0.0
        self._all_steps, self._all_waited, self._all_seconds = 0, 0.0, 0.0
        self._bar = tqdm.tqdm(
            total=self._settings.train_steps,
            initial=first_step,
            unit="step",
            disable=not self._chief,
            dynamic_ncols=True,
            mininterval=1.0,
        )

    def add(
        self, step: int, results: dict[str, float], waited: float, seconds: float
    ) -> None:
        """Takes note of a step.

        Args:
          step: Its number, from 1.
          results: What the step function gave.
          waited: Seconds it waited for data.
          seconds: Seconds it took, waiting included.
        """
        self._bar.update()
        self._steps += 1
        self._waited += waited
        self._seconds += seconds
        if step > self._first_step + 1:  # which starts the reading, and is traced
            self._all_steps += 1
            self._all_waited += waited
            self._all_seconds += seconds
        settings = self._settings
        if step % settings.log_steps == 0 or step in (1, settings.train_steps):
            self._log(step, results)
        if self._summaries and (
            step % settings.summary_steps == 0 or step == settings.train_steps
        ):
            self._summaries.pictures(step)

    def validated(self, step: int, figures: dict[str, float]) -> None:
        """Takes note of the figures on the validation split."""
        if self._summaries:
            self._summaries.scalars(
                step, {f"validation/{name}": value for name, value in figures.items()}
            )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()
        if self._summaries:
            self._summaries.close()
        if self._all_steps:
            waited, seconds = self._all_waited, self._all_seconds
            LOG.info(
                "a step took %.3f s, of it %.3f s (%.1f %%) waiting for data",
                seconds / self._all_steps,
                waited / self._all_steps,
                100 * waited / seconds,
            )

    def _log(self, step: int, results: dict[str, float]) -> None:
        examples = self._steps * self._settings.batch_size
        counts = {name: [results[name]] for name in ("hits", "false_alarms", "misses")}
        line = {
            "step": step,
            "loss": results["loss"],
            "mask_loss": results["mask_loss"],
            "depth_loss": results["depth_loss"],
            "mask_iou": metrics.mask_metrics(counts)["mask_iou"],
            "learning_rate": learning_rate(self._settings, step - 1),
            "examples_per_second": examples / self._seconds,
            "waiting": self._waited / self._seconds,
            "seconds_waiting": self._waited / self._steps,
            "seconds_computing": (self._seconds - self._waited) / self._steps,
        }
        line |= {n: v for n, v in results.items() if n not in line and n not in counts}
        self._steps, self._waited, self._seconds = 0, 0.0, 0.0
        self._bar.set_postfix_str(
            f"loss {line['loss']:.3f}, IoU {line['mask_iou']:.3f}, "
            f"{line['examples_per_second']:.0f} examples/s, "
            f"waiting {line['waiting']:.1%}"
        )
        if self._chief:
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")
            self._summaries.line(step, line)

    def _cut(self, first_step: int) -> None:
        """Drops lines of steps that came after the checkpoint we go on from."""
        if not self._chief or not self._path.exists():
            return
        lines = self._path.read_text().splitlines(keepends=True)
        kept = [
            line
            for line in lines
            if line.endswith("\n") and json.loads(line)["step"] <= first_step
        ]
        write_atomically(self._path, "".join(kept))
