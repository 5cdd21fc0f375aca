"""The record of a training as it goes."""

from __future__ import annotations

import contextlib
import json
import logging

import numpy as np
import tqdm

from trainer.errors import UserError
from trainer.evaluate import MASK_SUMS, compute_mask_metrics
from trainer.files import name_failures, write_atomically
from trainer.settings import Settings
from trainer.train.schedule import find_learning_rate
from trainer.train.tensorboard import TensorBoard

LOG = logging.getLogger("trainer")


class History:
    """The record of a training: a live line, history.jsonl and TensorBoard."""

    def __init__(
        self, settings: Settings, first_step: int, tensorboard: TensorBoard | None
    ):
        """Opens the record.

        Args:
          settings: Settings of the run.
          first_step: Number of steps that are done already; lines of later steps, from
            before an interruption, are dropped.
          tensorboard: Gets curves and pictures; None in processes that write nothing.
        """
        self._settings = settings
        self._tensorboard = tensorboard
        self._path = settings.folder / "history.jsonl"
        self._first_step = first_step
        self._drop_later_lines()
        self._steps, self._waited, self._seconds = 0, 0.0, 0.0
        self._all_steps, self._all_waited, self._all_seconds = 0, 0.0, 0.0
        self._bar = tqdm.tqdm(
            total=settings.train_steps,
            initial=first_step,
            unit="step",
            disable=tensorboard is None,
            dynamic_ncols=True,
            mininterval=1.0,
        )

    def add(
        self, step: int, results: dict[str, float], waited: float, seconds: float
    ) -> None:
        """Records a step.

        Args:
          step: Its number, from 1.
          results: Results of the step function.
          waited: Seconds of waiting for data.
          seconds: Seconds of the whole step, waiting included.
        """
        self._bar.update()
        self._steps += 1
        self._waited += waited
        self._seconds += seconds
        if step > self._first_step + 1:  # the first one is traced and starts reading
            self._all_steps += 1
            self._all_waited += waited
            self._all_seconds += seconds
        settings = self._settings
        if step % settings.log_steps == 0 or step in (1, settings.train_steps):
            self._log(step, results)
        is_last = step == settings.train_steps
        if self._tensorboard and (step % settings.summary_steps == 0 or is_last):
            self._tensorboard.write_pictures(step)

    def add_validation(self, step: int, figures: dict[str, float]) -> None:
        """Records the figures of the validation split."""
        if self._tensorboard:
            curves = {f"validation/{name}": value for name, value in figures.items()}
            self._tensorboard.write_scalars(step, curves)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()
        if self._tensorboard:
            # What stopped the training is told, and not what follows from it.
            with (
                contextlib.suppress(UserError)
                if any(error)
                else contextlib.nullcontext()
            ):
                self._tensorboard.close()
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
        counts = {name: np.array([results[name]]) for name in MASK_SUMS}
        line = {
            "step": step,
            "loss": results["loss"],
            "mask_loss": results["mask_loss"],
            "depth_loss": results["depth_loss"],
            "mask_iou": compute_mask_metrics(counts)["mask_iou"],
            "learning_rate": find_learning_rate(self._settings, step - 1),
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
        if self._tensorboard:
            with (
                name_failures(self._path),
                self._path.open("a", encoding="utf-8") as file,
            ):
                file.write(json.dumps(line) + "\n")
            self._tensorboard.write_line(step, line)

    def _drop_later_lines(self) -> None:
        """Drops lines of steps after the checkpoint that training goes on from."""
        if not self._tensorboard or not self._path.exists():
            return
        lines = self._path.read_text("utf-8").splitlines(keepends=True)
        kept = [
            line
            for line in lines
            if line.endswith("\n") and json.loads(line)["step"] <= self._first_step
        ]
        write_atomically(self._path, "".join(kept))
