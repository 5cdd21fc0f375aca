"""The time that the rows of a report take for a pair."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from trainer.evaluate.baselines import subtract
from trainer.evaluate.results import SUBTRACTIONS
from trainer.runs import Run


def time_call(function: Callable[[], object], seconds: float = 0.5) -> float:
    """Measures the median time of a call, after warming up.

    Args:
      function: Called three times to warm up, then at least five times.
      seconds: Minimum time to measure for.

    Returns:
      Milliseconds.
    """
    for _ in range(3):
        function()
    times = []
    while len(times) < 5 or sum(times) < seconds:
        begun = time.perf_counter()
        function()
        times.append(time.perf_counter() - begun)
    return 1000 * float(np.median(times))


def time_rows(runs: Mapping[str, Run], bg: np.ndarray, fgbg: np.ndarray) -> dict:
    """Measures the time of background subtraction and of all networks for one pair.

    Args:
      runs: The networks by name of their rows.
      bg: uint8 [H, W, 3].
      fgbg: uint8 [H, W, 3].

    Returns:
      'milliseconds' by row, from pictures in memory to answers of their size in
      memory, and the conditions: 'batch', 'device', 'picture' (H, W).
    """
    pair = tf.constant(bg[None]), tf.constant(fgbg[None])
    size = fgbg.shape[:2]

    @tf.function(autograph=False)
    def subtract_pair(bg, fgbg):
        change = tf.abs(tf.cast(fgbg, tf.float32) - tf.cast(bg, tf.float32))
        return subtract(tf.reduce_max(change, -1, True), 1)

    rows = {SUBTRACTIONS[0]: time_call(lambda: subtract_pair(*pair).numpy())}
    for name, run in runs.items():
        predict = tf.function(
            functools.partial(run.predict, size=size), autograph=False
        )
        rows[name] = time_call(lambda p=predict: [v.numpy() for v in p(*pair)])
    return {
        "batch": 1,
        "device": _name_device(),
        "picture": list(size),
        "milliseconds": rows,
    }


def _name_device() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("device_name", "GPU")
    allowed = getattr(os, "sched_getaffinity", None)
    cores = len(allowed(0)) if allowed else os.cpu_count()
    return f"{cores} CPU cores"
