"""A trained network: an exported one, or that of a file."""

from __future__ import annotations

import logging
import os
import pathlib

import numpy as np

from trainer.errors import UserError, summarise
from trainer.predict.video import format_size
from trainer.resizing import resize
from trainer.runtimes import SUFFIXES as RUNTIME_SUFFIXES
from trainer.runtimes import open_network
from trainer.shipped import SUFFIX
from trainer.versions import list_versions

LOG = logging.getLogger("trainer")


class Predictor:
    """A trained network."""

    def __init__(self, model: pathlib.Path):
        """Loads a network.

        Args:
          model: A SavedModel with the signature `images`, such as export/1, or a file
            of weights or for another runtime; see `find_model`.

        Raises:
          UserError: If there is no such model.
        """
        model = find_model(model)
        if model.suffix in RUNTIME_SUFFIXES:
            self._runtime = open_network(model)
            return
        self._runtime = None
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import tensorflow as tf

        self._tf = tf
        if model.suffix == SUFFIX:
            self._load_weights(model)
        else:
            self._load_export(model)

    def _load_export(self, folder: pathlib.Path) -> None:
        tf = self._tf
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

    def _load_weights(self, path: pathlib.Path) -> None:
        from trainer.export import Signatures
        from trainer.pretrained import load_network

        network, size = load_network(path, f"--model={path}")
        network.fold()
        self._model = Signatures(network, size, size)
        pictures = [self._specify(name) for name in ("bg", "fgbg")]
        self._served = self._trace(self._model.answer, pictures)
        self._served_with_spread = None
        if network.spread:
            spread = self._specify("spread", 1)
            self._served_with_spread = self._trace(
                self._model.answer_with_spread, [*pictures, spread]
            )

    def _specify(self, name: str, channels: int = 3):
        return self._tf.TensorSpec(
            [None, None, None, channels], self._tf.uint8, name=name
        )

    def _trace(self, answer, signature: list):
        return self._tf.function(answer, signature, autograph=False)

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
        if self._runtime:
            mask, depth = self._runtime(background, frame)
            return resize(mask, frame.shape[:2]), resize(depth, frame.shape[:2])
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


def find_model(path: pathlib.Path) -> pathlib.Path:
    """Finds the network that a path is or has, without loading it.

    Args:
      path: A file of weights, *.npz, or for another runtime, *.onnx or *.tflite; or a
        SavedModel, or a folder of versions 1, 2, 3, … whose newest is taken, or the
        workdir of a run, which has these in `export/`.

    Raises:
      UserError: If there is none.
    """
    if (path / "saved_model.pb").is_file() or (
        path.suffix in (SUFFIX, *RUNTIME_SUFFIXES) and path.is_file()
    ):
        return path
    versions = list_versions(path) or list_versions(path / "export")
    if versions:
        LOG.info("--model=%s: taking %s", path, versions[-1])
        return versions[-1]
    state = "is no network" if path.exists() else "does not exist"
    raise UserError(
        f"--model={path} {state}; give a folder that python -m trainer.main has "
        f"exported, such as runs/cpu/export/1, a file *{SUFFIX} that python -m "
        f"trainer.pretrained wrote, or one of {' and '.join(RUNTIME_SUFFIXES)} that "
        "python -m trainer.export wrote, or leave it out for the pretrained network"
    )
