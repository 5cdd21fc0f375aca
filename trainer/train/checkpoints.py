"""Checkpoints of a training: the newest ones to go on from, and the best weights."""

from __future__ import annotations

import json
import logging
import pathlib
import shutil

import tensorflow as tf

from trainer.errors import UserError, summarise
from trainer.files import write_atomically
from trainer.runs import read_best, restore_newest
from trainer.train.state import State

LOG = logging.getLogger("trainer")


class Checkpoints:
    """The newest checkpoints, in a folder, and the best weights, in its `best`."""

    def __init__(self, state: State, folder: pathlib.Path, keep: int, chief: bool):
        """Finds the checkpoints that are there.

        Args:
          state: The training.
          folder: Folder of the checkpoints.
          keep: Maximum number of checkpoints to keep.
          chief: Whether this process writes them.
        """
        self._state, self._folder, self._chief = state, folder, chief
        averaged = _list_values(state.averaged.model.weights)
        self._checkpoint = tf.train.Checkpoint(
            step=state.step,
            network=_list_values(state.network.model.variables),
            averaged=averaged,
            optimizers=[_list_values(each.variables) for each in state.optimizers],
        )
        self._newest = tf.train.CheckpointManager(
            self._checkpoint, str(folder), max_to_keep=keep
        )
        self._best = tf.train.CheckpointManager(
            tf.train.Checkpoint(averaged=averaged), str(folder / "best"), max_to_keep=1
        )

    def restore(self) -> bool:
        """Restores the newest checkpoint that can be read.

        Returns:
          False where there is none at all.

        Raises:
          UserError: If there are checkpoints and none can be read.
        """
        paths = list(reversed(self._newest.checkpoints))
        if restore_newest(
            paths, lambda path: self._checkpoint.restore(path).assert_consumed()
        ):
            return True
        if paths:
            raise UserError(
                f"no checkpoint in {self._folder} can be read; "
                "delete the folder to start again"
            )
        return False

    def save(self) -> None:
        """Writes a checkpoint, if this process is the chief.

        Raises:
          UserError: If it cannot be written, as when the disk is full.
        """
        if self._chief:
            step = int(self._state.step.numpy())
            self._write(self._newest, step)
            LOG.info("checkpoint at step %d", step)

    def save_if_best(self, score: float) -> None:
        """Keeps the averaged weights if they are the best so far.

        Args:
          score: The higher, the better.

        Raises:
          UserError: If they cannot be written, as when the disk is full.
        """
        if not self._chief:
            return
        step = int(self._state.step.numpy())
        best = read_best(self._folder)
        # A run that was resumed may reach its best step once more.
        if best is None or score > best["score"] or step == best["step"]:
            self._write(self._best, step)
            record = json.dumps({"step": step, "score": score}) + "\n"
            write_atomically(self._folder / "best" / "best.json", record)

    def _write(self, manager: tf.train.CheckpointManager, step: int) -> None:
        try:
            manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            for partial in pathlib.Path(manager.directory).glob("*_temp"):
                shutil.rmtree(partial, ignore_errors=True)
            raise UserError(
                f"cannot write a checkpoint to {self._folder.parent}; "
                f"is there space? ({summarise(error)})"
            ) from error


def _list_values(variables) -> list[tf.Variable]:
    return [variable.value for variable in variables]
