"""Endless batches by random access, through PyTorch and Grain where they are installed.

In a module of its own, since workers that are spawned import what they run.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import pathlib
import time
from collections.abc import Iterable, Iterator
from typing import Any

BUFFER = 2  # batches that threads read ahead
CLOCK_TICKS = 100  # in a second, of /proc on Linux


def make_loaders(source: Any, batch: int, workers: int) -> dict[str, Iterable]:
    """Makes endless batches of what is installed, by the names of rows.

    Args:
      source: A random access data source of TFDS.
      batch: Examples of a batch.
      workers: Processes.
    """
    loaders: dict[str, Iterable] = {}
    if importlib.util.find_spec("torch"):
        loaders["PyTorch"] = _read_by_torch(source, batch, 0)
        loaders[f"PyTorch, {workers} workers"] = _read_by_torch(source, batch, workers)
    if importlib.util.find_spec("grain"):
        loaders["Grain, threads"] = _read_by_grain(source, batch, 0)
        loaders[f"Grain, {workers} workers"] = _read_by_grain(source, batch, workers)
    return loaders


def measure_processor() -> float:
    """Measures the processor seconds of this process and of its living workers."""
    seconds = time.process_time()
    for worker in multiprocessing.active_children():
        status = pathlib.Path(f"/proc/{worker.pid}/stat")
        if status.exists():
            user, system = status.read_text().rsplit(")", 1)[1].split()[11:13]
            seconds += (int(user) + int(system)) / CLOCK_TICKS
    return seconds


def _read_by_torch(source: Any, batch: int, workers: int) -> Iterator:
    import torch

    loader = torch.utils.data.DataLoader(
        source,
        batch_size=batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


def _read_by_grain(source: Any, batch: int, workers: int) -> Iterator:
    import grain
    from absl import flags

    flags.FLAGS.mark_as_parsed()  # Grain's, without which it starts no workers
    data = grain.MapDataset.source(source).seed(0).shuffle().repeat().batch(batch)
    # Small buffers: by default 500 batches are read ahead, while others are measured.
    options = grain.ReadOptions(prefetch_buffer_size=BUFFER)
    batches = data.to_iter_dataset(options)
    if workers:
        batches = batches.mp_prefetch(grain.MultiprocessingOptions(workers))
    iterator = iter(batches)
    try:
        yield from iterator
    finally:
        iterator.close()  # else its workers keep this process from ending
