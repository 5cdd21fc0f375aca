"""Dask as the engine of a build: Beam's runner by a short name, and how it ends."""

from __future__ import annotations

import contextlib
import logging as stdlib_logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from absl import logging

from fgbg_tfds.errors import InputError

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

# Beam knows it by this name only.
RUNNER = "apache_beam.runners.dask.dask_runner.DaskRunner"
CLOSING_SECONDS = 5
_NAMES = ("dask", "daskrunner", RUNNER.lower())
_INSTALL = "pip install 'fgbg[dask]', or in this repository: pip install '.[dask]'"


def is_dask(runner: object) -> bool:
    """Tells whether the name of a runner means Dask's."""
    return isinstance(runner, str) and runner.lower() in _NAMES


def complete_options(
    options: PipelineOptions, shards: int
) -> tuple[str, PipelineOptions]:
    """Completes the options of a build by Dask.

    Args:
      options: Beam's options, with the scheduler's address.
      shards: Number of shards. Each gets a partition of its own, unless the options
        say otherwise: Beam's default puts 128 into one, which is one worker's.

    Returns:
      The runner's full name, and the options.

    Raises:
      InputError: If Dask is not installed, or no scheduler is named.
    """
    from apache_beam.options.pipeline_options import StandardOptions

    try:
        import distributed  # noqa: F401
        from apache_beam.runners.dask.dask_runner import DaskOptions
    except ImportError as error:
        raise InputError(
            f"runner=dask: {error.name} is not installed; install it with: {_INSTALL}"
        ) from error
    dask = options.view_as(DaskOptions)
    if not (dask.address or dask.scheduler_file):
        raise InputError(
            "runner=dask: no scheduler is named; start one with `dask scheduler` and "
            "workers with `dask worker`, and add dask_client_address=tcp://HOST:PORT "
            "or dask_scheduler_file=FILE to --beam_pipeline_options"
        )
    if not (dask.npartitions or dask.partition_size):
        dask.npartitions = shards
    options.view_as(StandardOptions).runner = RUNNER
    return RUNNER, options


@contextlib.contextmanager
def run_by_dask(pipeline: beam.Pipeline) -> Iterator[None]:
    """Runs by Dask the pipeline that is filled within, and waits for its end.

    Beam's own waiting takes a lost scheduler for a finished pipeline.

    Raises:
      InputError: If there is no scheduler at the address, if it or a file's workers
        are lost, or if one of them cannot load the build. Errors of a worker's own
        are raised as they are.
    """
    from apache_beam.runners.dask.dask_runner import DaskOptions, DaskRunnerResult
    from distributed import CancelledError, KilledWorker

    dask = pipeline.options.view_as(DaskOptions)
    place = dask.address or dask.scheduler_file
    yield
    try:
        result = cast(DaskRunnerResult, pipeline.run())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{place}: no Dask scheduler answers there ({_first_line(error)}); start "
            "one with `dask scheduler`, or correct --beam_pipeline_options"
        ) from error
    client = result.client
    # It would say that it has waited for 30 seconds, which it does not.
    said = stdlib_logging.getLogger("distributed.client")
    level = said.level
    said.setLevel(stdlib_logging.CRITICAL)
    try:
        if not client.scheduler_info(n_workers=1)["workers"]:
            logging.warning("%s: has no workers yet; the build waits for them", place)
        client.gather(result.futures)
    except CancelledError as error:
        raise InputError(
            f"{place}: the Dask scheduler was lost, or was told to give the build up; "
            "what is finished is kept, and once a scheduler is there the same command "
            "goes on"
        ) from error
    except KilledWorker as error:
        raise InputError(
            f"{place}: {error.allowed_failures + 1} workers died one after another at "
            f"the same file, the last of them {error.last_worker.address}; most often "
            "they want memory: see their logs; what is finished is kept"
        ) from error
    except (ImportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "deserializ" not in str(error):
            raise
        raise InputError(
            f"{place}: the scheduler or a worker cannot read the build "
            f"({_first_line(error.__cause__ or error)}); install fgbg there, and what "
            "it needs, in the versions that are here"
        ) from error
    finally:
        client.close(timeout=CLOSING_SECONDS)
        said.setLevel(level)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
