"""Checkpoints of a run: the newest ones to go on from, and the best one."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence

import tensorflow as tf

from trainer import distribution
from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.train.state import State

LOG = logging.getLogger("trainer")


class Checkpoints:
    """The newest checkpoints, in `workdir/checkpoints`, and the best, in `…/best`."""

    def __init__(self, state: State):
        """Finds what is there.

        Args:
          state: The run.
        """
        self._state = state
        self._chief = distribution.is_chief(state.strategy)
        optimizers = [g.optimizer for stage in state.stages for g in stage.groups]
        averaged = _values(state.averaged.model.weights)
        self._checkpoint = tf.train.Checkpoint(
            step=state.step,
            network=_values(state.network.model.variables),
            averaged=averaged,
            optimizers=[_values(optimizer.variables) for optimizer in optimizers],
        )
        folder = state.folder / "checkpoints"
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(folder), max_to_keep=state.settings.keep
        )
        self._best_checkpoint = tf.train.Checkpoint(averaged=averaged)
        self._best = tf.train.CheckpointManager(
            self._best_checkpoint, str(folder / "best"), max_to_keep=1
        )
        self._best_record = folder / "best" / "best.json"

    def restore(self) -> bool:
        """Takes up the newest checkpoint that can be read.

        Returns:
          False where there is none at all.

        Raises:
          UserError: If there are checkpoints and none can be read.
        """
        paths = list(reversed(self._manager.checkpoints))
        if restore_newest(
            paths, lambda path: self._checkpoint.restore(path).assert_consumed()
        ):
            return True
        if paths:
            raise UserError(
                f"no checkpoint in {self._state.folder / 'checkpoints'} can be read; "
                "delete the folder to start again"
            )
        return False

    def save(self) -> None:
        """Writes a checkpoint; only the chief does, and the others skip it.

        Raises:
          UserError: If it cannot be written, as when the disk is full.
        """
        if self._chief:
            step = int(self._state.step.numpy())
            self._write(self._manager, step)
            LOG.info("checkpoint at step %d", step)

    def offer(self, score: float) -> None:
        """Keeps the averaged weights if they are the best so far.

        Args:
          score: The higher, the better.

        Raises:
          UserError: If it cannot be written, as when the disk is full.
        """
        step = int(self._state.step.numpy())
        best = self._read_best()
        # A run that was taken up again may come by its best step once more.
        if self._chief and (
            best is None or score > best["score"] or step == best["step"]
        ):
            self._write(self._best, step)
            record = {"step": step, "score": score}
            write_atomically(self._best_record, json.dumps(record) + "\n")

    def restore_best(self) -> bool:
        """Puts the best averaged weights in place of the last; False if none is."""
        best = self._read_best()
        if best is None or not self._best.latest_checkpoint:
            return False
        self._best_checkpoint.restore(self._best.latest_checkpoint).assert_consumed()
        LOG.info("took the weights of step %d, the best on validation", best["step"])
        return True

    def _read_best(self) -> dict | None:
        if not self._best_record.exists():
            return None
        return json.loads(self._best_record.read_text())

    def _write(self, manager: tf.train.CheckpointManager, step: int) -> None:
        try:
            manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"cannot write a checkpoint to {self._state.folder}; "
                f"is there space? ({reason})"
            ) from error


def restore_newest(
    paths: Sequence[str], restore: Callable[[str], object]
) -> str | None:
    """Takes up the first checkpoint that can be read, and warns of those that cannot.

    Args:
      paths: Checkpoints, the newest first.
      restore: Takes one up, or raises.

    Returns:
      That checkpoint; None where none can be read.
    """
    for path in paths:
        try:
            restore(path)
        except (tf.errors.OpError, AssertionError, LookupError, ValueError) as error:
            reason = str(error).splitlines()[0]
            LOG.warning("checkpoint %s is damaged: %s", path, reason)
            continue
        if path != paths[0]:
            LOG.warning("went back to checkpoint %s", path)
        return path
    return None


def _values(variables) -> list:
    return [variable.value for variable in variables]
