"""Runs `tfds build` in a process of its own and measures it; used by build_*.py."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import signal
import sys
import time
from collections.abc import Sequence

PACKAGE = pathlib.Path(__file__).parents[1] / "fgbg_tfds"
LAUNCH = "from tensorflow_datasets.scripts.cli.main import launch_cli; launch_cli()"
POLL_SECONDS = 0.05


@dataclasses.dataclass(frozen=True)
class Measured:
    """The time and memory of a build.

    Attributes:
      seconds: From the start of the process to its end.
      processor_seconds: Of all its threads, in user and system mode.
      peak_bytes: The kernel's figure of its resident memory.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int


def build(
    config: dict[str, object],
    data_dir: pathlib.Path,
    stop_after: int | None = None,
    options: Sequence[str] = (),
) -> Measured:
    """Builds a data set with `tfds build`.

    Args:
      config: The config's fields.
      data_dir: Folder to build in; the process's output goes to its `build.log`.
      stop_after: Kills the build when its progress bar shows that many composites.
      options: More options of `tfds build`.

    Returns:
      Its time and memory, also if it was killed.
    """
    words = [sys.executable, "-c", LAUNCH, "build", str(PACKAGE)]
    words += ["--data_dir", str(data_dir), "--config", json.dumps(config), *options]
    path = data_dir / "build.log"
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    pid = os.posix_spawn(sys.executable, words, os.environ, file_actions=actions)
    os.close(log)
    ended = status = 0
    while not ended:
        ended, status, usage = os.wait4(pid, os.WNOHANG if stop_after else 0)
        if not ended:
            if _composites_done(path) >= stop_after:
                os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
    seconds = time.perf_counter() - start
    if status and not (stop_after and os.WIFSIGNALED(status)):
        sys.exit(path.read_text()[-2000:])
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def splits_of(data_dir: pathlib.Path) -> dict[str, dict[str, object]]:
    """Returns each split's entry in the `dataset_info.json` of the one data set."""
    (path,) = data_dir.glob("fgbg/*/*/dataset_info.json")
    return {split["name"]: split for split in json.loads(path.read_text())["splits"]}


def examples_in(split: dict[str, object]) -> int:
    """Returns how many examples a split has."""
    return sum(map(int, split["shardLengths"]))


def _composites_done(log: pathlib.Path) -> int:
    shown = re.findall(r"(\d+)/\d+ \[", log.read_text(errors="replace"))
    return int(shown[-1]) if shown else 0
