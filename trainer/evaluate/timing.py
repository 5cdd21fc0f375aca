"""How long the rows of a report take for a pair."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from trainer.evaluate import baselines
from trainer.evaluate import results as reporting
from trainer.runs import Run


def milliseconds(function: Callable[[], object], seconds: float = 0.5) -> float:
    """Median time of a call, warm.

    Args:
      function: Called three times, then at least five, and until the time is over.
      seconds: That time.

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
    """Times background subtraction and all networks, one pair at a time.

    Args:
      runs: The networks by name of their rows.
      bg: uint8 [H, W, 3].
      fgbg: uint8 [H, W, 3].

    Returns:
      'milliseconds' by row, from pictures in memory to answers of their size in
      memory, and under what conditions: 'batch', 'device', 'picture' (H, W).
    """
    pair = tf.constant(bg[None]), tf.constant(fgbg[None])
    size = fgbg.shape[:2]

    @tf.function
    def subtract(bg, fgbg):
        change = tf.abs(tf.cast(fgbg, tf.float32) - tf.cast(bg, tf.float32))
        return baselines.subtraction(tf.reduce_max(change, -1, True), 1)

    rows = {reporting.SUBTRACTIONS[0]: milliseconds(lambda: subtract(*pair).numpy())}
    for name, run in runs.items():
        predict = tf.function(lambda bg, fgbg, run=run: run.predict(bg, fgbg, size))
        rows[name] = milliseconds(lambda p=predict: [v.numpy() for v in p(*pair)])
    return {
        "batch": 1,
        "device": _device(),
        "picture": list(size),
        "milliseconds": rows,
    }


def _device() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("device_name", "GPU")
    allowed = getattr(os, "sched_getaffinity", None)
    cores = len(allowed(0)) if allowed else os.cpu_count()
    return f"{cores} CPU cores"
