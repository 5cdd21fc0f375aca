"""Inference of depth networks, at full speed on all cores.

One picture is one task: it is resized with Pillow, runs through the frozen graph alone
and is converted to metres. As many tasks run at once as there are cores, so that
resizing overlaps with computing, no core waits for another at the end of a layer, and
the output of a layer is still in the cache when the next one reads it. Since pictures
do not share batches, labels do not depend on neighbours.

On a GPU, which one picture would not fill, eight pictures are a task.
"""

from __future__ import annotations

import concurrent.futures
import functools
import os
import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.python.framework import convert_to_constants

from fgbg_tfds.depth.teacher import Teacher, TeacherCard

_MOST_STREAMS = 16
_GPU_STREAMS, _GPU_CHUNK = 2, 8
_AMPERE = (8, 0)  # The first NVIDIA generation that computes in bfloat16.


def _computes_in_bfloat16() -> bool:
    """Tells whether the GPU, or without one the CPU, has bfloat16 natively."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= _AMPERE
    flags = pathlib.Path("/proc/cpuinfo")
    words = set(flags.read_text("utf-8").split()) if flags.exists() else set()
    return bool(words & {"avx512_bf16", "amx_bf16"})


def resolve_precision(precision: str) -> str:
    """Returns 'float32' or 'bfloat16'; 'auto' is the latter where it is native."""
    if precision == "auto":
        return "bfloat16" if _computes_in_bfloat16() else "float32"
    return precision


def resize(image: np.ndarray, size: tuple[int, int], resample: int) -> np.ndarray:
    """Resizes uint8 [H, W, 3] to `size` = (height, width) as Pillow does."""
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), resample))


def enlarge(maps: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Resizes float32 [N, h, w] to `size`, bilinearly with half-pixel centres."""
    return tf.image.resize(maps[..., None], size, "bilinear")[..., 0]


class NetworkTeacher(Teacher):
    """A teacher made of a network that takes pictures of one size.

    Attributes:
      card: The teacher's `TeacherCard`.
      batch_size: The number of pictures in a call with which it is fastest; the same on
        all machines, so that a build can go on on another one.
    """

    batch_size = 2 * _MOST_STREAMS

    def __init__(
        self,
        card: TeacherCard,
        network: Callable[[tf.Tensor], tf.Tensor],
        metres: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        resample: int = Image.Resampling.LANCZOS,
    ):
        """Wraps a network, which is frozen at its first use.

        Args:
          card: Description of the teacher; its feed size is used.
          network: uint8 [N, h, w, 3] -> float32 [N, h', w'], the network's own
            output.
          metres: That output and int32 [2] (H, W) -> float32 [N, H, W].
          resample: Pillow's filter that brings pictures to the feed size.
        """
        self.card = card
        self._resample = resample
        gpu = bool(tf.config.list_physical_devices("GPU"))
        self._chunk = _GPU_CHUNK if gpu else 1
        self._streams = _GPU_STREAMS if gpu else min(_count_cores(), _MOST_STREAMS)
        feed = tf.TensorSpec([self._chunk, *card.feed_size, 3], tf.uint8)
        size = tf.TensorSpec([2], tf.int32)

        def label(images: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
            return metres(network(images), size)

        self._frozen_label = functools.cache(lambda: _freeze(label, feed, size))
        self._frozen_network = functools.cache(lambda: _freeze(network, feed))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Estimates depth.

        Args:
          images: uint8 [N, H, W, 3], RGB, any H and W.

        Returns:
          float32 [N, H, W], metres, growing with distance, finite and above 0.

        Raises:
          ValueError: If that is not what `images` are.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise ValueError(
                f"images are {images.dtype} {images.shape}; expected uint8 [N, H, W, 3]"
            )
        label, size = self._frozen_label(), tf.constant(images.shape[1:3], tf.int32)
        return self._run(images, lambda feed: label(feed, size))

    def compute_output(self, images: np.ndarray) -> np.ndarray:
        """Computes the network's own output, float32 [N, h', w'], at its own size."""
        return self._run(images, self._frozen_network())

    def _run(self, images: np.ndarray, function: Callable) -> np.ndarray:
        def label_chunk(start: int) -> np.ndarray:
            chunk = images[start : start + self._chunk]
            feed = np.stack(
                [resize(image, self.card.feed_size, self._resample) for image in chunk]
            )
            missing = self._chunk - len(chunk)
            feed = np.pad(feed, [(0, missing), (0, 0), (0, 0), (0, 0)], "edge")
            return function(tf.constant(feed)).numpy()[: len(chunk)]

        starts = range(0, len(images), self._chunk)
        with concurrent.futures.ThreadPoolExecutor(self._streams) as pool:
            maps = list(pool.map(label_chunk, starts))
        if not maps:
            return np.zeros((0, *images.shape[1:3]), np.float32)
        return np.concatenate(maps)


def _count_cores() -> int:
    """Counts the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _freeze(function: Callable, *signature: tf.TensorSpec) -> Callable:
    """Freezes a function: one graph, with its weights as constants.

    oneDNN converts constant weights to its own layout once, others at every call.
    """
    graph = tf.function(function, input_signature=signature, autograph=False)
    concrete = graph.get_concrete_function()
    if not concrete.variables:
        return concrete
    frozen = convert_to_constants.convert_variables_to_constants_v2(concrete)
    return lambda *inputs: frozen(*inputs)[0]
