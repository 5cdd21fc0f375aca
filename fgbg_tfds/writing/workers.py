"""The writing of shards by many workers, which an engine of Apache Beam directs."""

from __future__ import annotations

import contextlib
import os
import pathlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from tqdm import tqdm

from fgbg_tfds.writing import dask_engine
from fgbg_tfds.writing.shards import Shard, ShardWriter, write_one

LOOKING_SECONDS = 2.0  # between two looks at what is finished


def write_with_beam(
    shards: Sequence[Shard], writer: ShardWriter, runner: Any, options: Any
) -> None:
    """Writes shards by the workers of a Beam runner, with a progress bar.

    Args:
      shards: The shards; they and the writer are all that goes to the workers.
      writer: Writes them.
      runner: A Beam runner or its name; None takes that of the options. 'dask' is
        Beam's Dask runner, with a partition for each shard.
      options: Beam's PipelineOptions, or None.

    Raises:
      InputError: If a worker has other pictures, or Dask's scheduler is not there or
        is lost; what is finished stays.
    """
    # Slow to import, and most builds do without it.
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    here = str(pathlib.Path(__file__).parents[2])  # for processes of this machine
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        dict.fromkeys(filter(None, [here, *known]))
    )
    options = options or PipelineOptions()
    runner = runner or options.view_as(StandardOptions).runner
    by_dask = dask_engine.is_dask(runner)
    if by_dask:
        runner, options = dask_engine.complete_options(options, len(shards))
    pipeline = beam.Pipeline(runner=runner, options=options)
    running = dask_engine.run_by_dask(pipeline) if by_dask else pipeline
    with show_progress(shards, writer), running:
        _ = (
            pipeline
            | "Shards" >> beam.Create(shards, reshuffle=True)
            | "Write" >> beam.Map(write_one, writer)
        )


@contextlib.contextmanager
def show_progress(shards: Sequence[Shard], writer: ShardWriter) -> Iterator[None]:
    """Shows a bar of the composites in finished shards, whoever finishes them.

    It counts the files that are there, so that it is the same for every engine.
    """
    ended = threading.Event()

    def look() -> None:
        # A disk or a bucket that does not answer now may do so the next time.
        with contextlib.suppress(OSError, tf.errors.OpError):
            bar.update(writer.count_finished(shards) - bar.n)

    def watch() -> None:
        while not ended.wait(LOOKING_SECONDS):
            look()

    total = sum(map(len, shards))
    with tqdm(total=total, unit=" composites", smoothing=0.05) as bar:
        look()
        bar.initial = bar.n  # what an earlier build had finished is not of this speed
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            look()
