"""An exported network, run by TensorFlow alone."""

from __future__ import annotations

import logging
import os
import pathlib

import numpy as np

from trainer.errors import UserError, summarise
from trainer.predict.video import format_size
from trainer.versions import list_versions

LOG = logging.getLogger("trainer")


class Predictor:
    """An exported network."""

    def __init__(self, folder: pathlib.Path):
        """Loads a network.

        Args:
          folder: A SavedModel with the signature `images`, such as export/1; see
            `find_model`.

        Raises:
          UserError: If there is no such model.
        """
        folder = find_model(folder)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow as tf

        self._tf = tf
        try:
            self._model = tf.saved_model.load(str(folder))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(
                f"--model={folder} cannot be loaded: {summarise(error)}"
            ) from error
        served = self._model.signatures.get("images")
        if served is None or not {"mask", "depth"} <= set(served.structured_outputs):
            raise UserError(
                f"--model={folder} has not the signature images(bg, fgbg) to mask and "
                "depth; give a folder that python -m trainer.main has exported"
            )
        self._served = served
        self._served_with_spread = self._model.signatures.get("images_with_spread")

    def __call__(
        self,
        background: np.ndarray,
        frame: np.ndarray,
        spread: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compares a frame with the empty scene.

        Args:
          background: uint8 [H, W, 3].
          frame: uint8 [H, W, 3].
          spread: uint8 [H, W, 1], grey levels that the empty scene varies by, 0 where
            it is calm, or None; networks that do not take it do without.

        Returns:
          float32 [H, W, 1] twice: the mask in 0 to 1 and the depth in metres. Answers
          of another size, as of networks with a fixed one, are resized bilinearly.

        Raises:
          UserError: If the network cannot take pictures of this size.
        """
        tf = self._tf
        try:
            pair = {"bg": background, "fgbg": frame}
            served = self._served
            if spread is not None and self._served_with_spread is not None:
                pair["spread"], served = spread, self._served_with_spread
            answers = served(**{n: tf.constant(p[None]) for n, p in pair.items()})
        except tf.errors.OpError as error:
            raise UserError(
                f"the model cannot take frames of {format_size(frame.shape)} pixels: "
                f"{summarise(error)}"
            ) from error
        size = frame.shape[:2]
        mask, depth = (
            answers[name]
            if tuple(answers[name].shape[1:3]) == size
            else tf.image.resize(answers[name], size)
            for name in ("mask", "depth")
        )
        return mask[0].numpy(), depth[0].numpy()


def find_model(folder: pathlib.Path) -> pathlib.Path:
    """Finds the SavedModel that a folder is or has, without loading it.

    Args:
      folder: A SavedModel, or a folder of versions 1, 2, 3, … whose newest is taken, or
        the workdir of a run, which has these in `export/`.

    Raises:
      UserError: If there is none.
    """
    if (folder / "saved_model.pb").is_file():
        return folder
    versions = list_versions(folder) or list_versions(folder / "export")
    if versions:
        LOG.info("--model=%s: taking %s", folder, versions[-1])
        return versions[-1]
    state = "is no SavedModel" if folder.exists() else "does not exist"
    raise UserError(
        f"--model={folder} {state}; give a folder that python -m trainer.main has "
        "exported, such as runs/cpu/export/1"
    )
