"""The drawn scenes that the embedded teacher learns from, drawn by many processes."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import multiprocessing
import pathlib
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import tqdm

from fgbg_tfds.command_line import spare_children
from fgbg_tfds.depth.embedded.photos import load_swatches
from fgbg_tfds.errors import InputError
from fgbg_tfds.procedural import draw_scene

HELD_OUT = 1 << 40  # seeds of held-out scenes begin here


def _draw(
    seed: int, size: int, pasted: float, photos: pathlib.Path | None
) -> tuple[np.ndarray, np.ndarray]:
    swatches = load_swatches(photos) if photos else None
    scene = draw_scene(seed, size, pasted, swatches)
    return scene.image, np.log(scene.depth).astype(np.float16)


def draw_scenes(
    seeds: Sequence[int],
    size: int,
    pasted: float,
    workers: int = 1,
    show: bool = True,
    photos: pathlib.Path | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws scenes, in any number of processes, which does not change them.

    Args:
      seeds: One for each scene.
      size: Pixels of their sides.
      pasted: Probability of pasted cut-outs.
      workers: Number of processes; 1 draws in this one.
      show: Whether to show a progress bar.
      photos: Folder of photos and cut-outs to dress them with.

    Returns:
      uint8 [N, size, size, 3] and log metres, float16 [N, size, size].

    Raises:
      InputError: If a process was killed, as it is where memory is short.
    """
    images = np.empty((len(seeds), size, size, 3), np.uint8)
    logs = np.empty((len(seeds), size, size), np.float16)
    draw = functools.partial(_draw, size=size, pasted=pasted, photos=photos)
    bar = tqdm.tqdm(total=len(seeds), desc="scenes", unit="scene", disable=not show)

    def collect(drawn) -> None:
        for index, (image, log) in enumerate(drawn):
            images[index], logs[index] = image, log
            bar.update()

    with bar:
        if workers <= 1:
            collect(map(draw, seeds))
        else:
            with contextlib.closing(_draw_in_processes(draw, seeds, workers)) as drawn:
                collect(drawn)
    return images, logs


def _draw_in_processes(
    draw: Callable[[int], tuple], seeds: Sequence[int], workers: int
) -> Generator[tuple, None, None]:
    """Yields what `draw` returns for each seed, in order."""
    pool = concurrent.futures.ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        signal.signal,  # Windows lets no process inherit it
        (signal.SIGINT, signal.SIG_IGN),
    )
    try:
        with spare_children():
            drawn = pool.map(draw, seeds)
        yield from drawn
    except BrokenProcessPool as error:
        raise InputError(
            "a process that drew scenes was killed, perhaps since memory is short; "
            f"give less than --workers={workers}"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
