"""Measures builds by Dask against the plain one, and what its scheduler takes.

    python benchmarks/dask_build.py --composites 40000
    python benchmarks/dask_build.py --tiny 10000

The first builds a data set in one process, and by one and by two workers of Dask on
this machine, and compares the bytes. The second has two workers build as many files of
one small, unlabelled composite each: as many tasks does the scheduler hand out, and
what it takes for them is what a thousand workers would wait for. Times hold the start
of all processes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

from build_process import Measured, build, examples_in, splits_of
from build_resume import digests

CUTOUTS, SCENES = 10, 10
PAIRS = 2 * CUTOUTS * SCENES  # with their mirrored twins
POLL_SECONDS = 0.02


class Cluster:
    """A scheduler and workers, each a process with one thread.

    Attributes:
      option: The option of `tfds build` that names the scheduler.
      scheduler_seconds: Its processor time, when all have ended.
      worker_seconds: The workers' processor time, when all have ended.
    """

    def __init__(self, folder: pathlib.Path, workers: int):
        note = folder / "scheduler.json"
        self._log = (folder / "cluster.log").open("w")
        scheduler = ("--port", "0", "--scheduler-file", str(note))
        self._scheduler = self._start("dask_scheduler", *scheduler)
        while not (note.exists() and note.read_text().endswith("}")):
            time.sleep(POLL_SECONDS)
        worker = ("--scheduler-file", str(note), "--nthreads", "1", "--no-nanny")
        self._workers = [self._start("dask_worker", *worker) for _ in range(workers)]
        self.option = f"--beam_pipeline_options=runner=dask,dask_scheduler_file={note}"
        self.scheduler_seconds = self.worker_seconds = 0.0

    def _start(self, module: str, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{module}"]
        command += ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
        return subprocess.Popen([*command, *words], stdout=self._log, stderr=self._log)

    def read_scheduler_seconds(self) -> float:
        """Reads the scheduler's processor time till now."""
        import psutil  # Dask needs it, too

        times = psutil.Process(self._scheduler.pid).cpu_times()
        return times.user + times.system

    def close(self) -> None:
        """Ends all processes and takes their times."""
        self.worker_seconds = sum(map(_end, self._workers))
        self.scheduler_seconds = _end(self._scheduler)
        self._log.close()


def _end(process: subprocess.Popen) -> float:
    """Ends a process and returns its processor time, seconds."""
    process.kill()  # a worker that is asked to end may wait for its scheduler
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def start_cluster(workers: int) -> Iterator[Cluster]:
    """Starts a cluster and ends it."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(pathlib.Path(folder), workers)
        try:
            yield cluster
        finally:
            cluster.close()


def compare(composites: int, teacher: str) -> bool:
    """Builds by every engine, prints a table, and tells whether bytes are the same."""
    config = make_config(composites) | {"teacher": teacher}
    rows: list[tuple[str, Measured, float, float]] = []
    made = []
    for workers in (0, 1, 2):
        with tempfile.TemporaryDirectory() as folder:
            data_dir = pathlib.Path(folder)
            if workers:
                with start_cluster(workers) as cluster:
                    taken = build(config, data_dir, options=[cluster.option])
                rest = cluster.worker_seconds, cluster.scheduler_seconds
                plural = "s" if workers > 1 else ""
                rows.append((f"Dask, {workers} worker{plural}", taken, *rest))
            else:
                rows.append(("plain", build(config, data_dir), 0.0, 0.0))
            made.append(digests(data_dir))
            count = sum(map(examples_in, splits_of(data_dir).values()))
    print(f"{count} composites, teacher {teacher}, {os.cpu_count()} cores")
    print("| engine | wall time, s | processor time, s | workers' | scheduler's |")
    print("|---|---|---|---|---|")
    for name, taken, of_workers, of_scheduler in rows:
        total = taken.processor_seconds + of_workers + of_scheduler
        print(
            f"| {name} | {taken.seconds:.1f} | {total:.1f} | {of_workers:.1f} | "
            f"{of_scheduler:.1f} |"
        )
    same = all(each == made[0] for each in made)
    print("same bytes" if same else "OTHER BYTES")
    return same


def load_scheduler(files: int) -> None:
    """Builds many tiny files by two workers, and prints what the scheduler takes."""
    config = make_config(files) | {"teacher": "none", "image_size": 32}
    with tempfile.TemporaryDirectory() as folder:
        data_dir = pathlib.Path(folder)
        with start_cluster(2) as cluster:
            start = time.perf_counter()
            first: list[float] = []  # file: the moment, the scheduler's time till then
            ended = threading.Event()

            def watch() -> None:
                while not any(data_dir.glob("fgbg/*/resume.*/*tfrecord*")):
                    if ended.wait(POLL_SECONDS):
                        return
                first.extend((time.perf_counter(), cluster.read_scheduler_seconds()))

            thread = threading.Thread(target=watch)
            thread.start()
            options = [cluster.option, "--num_shards", str(files)]
            try:
                taken = build(config, data_dir, options=options)
            finally:
                ended.set()
                thread.join()
        count = len(list(data_dir.glob("fgbg/*/*/*.tfrecord*")))
    per_file = cluster.scheduler_seconds / count
    print(f"{count} files of one composite, 2 workers, {os.cpu_count()} cores")
    print(f"wall time                    {taken.seconds:8.1f} s")
    print(f"  until the first file       {first[0] - start:8.1f} s")
    print(f"build's processor time       {taken.processor_seconds:8.1f} s")
    print(f"build's peak memory          {taken.peak_bytes / 1e9:8.2f} GB")
    print(f"workers' processor time      {cluster.worker_seconds:8.1f} s")
    print(f"scheduler's processor time   {cluster.scheduler_seconds:8.1f} s")
    print(f"  until the first file       {first[1]:8.1f} s")
    print(f"scheduler's, a file          {1e3 * per_file:8.2f} ms")
    print(f"files a second at that       {1 / per_file:8.1f}")


def make_config(composites: int) -> dict[str, object]:
    """Makes a config of about that many composites of drawn pictures."""
    return {
        "name": "dask",
        "foregrounds": f"drawn:{CUTOUTS}",
        "backgrounds": f"drawn:{SCENES}",
        "placements": max(1, round(composites / PAIRS)),
    }


def main() -> None:
    """Does what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--composites", type=int, help=f"number, rounded to a multiple of {PAIRS}"
    )
    parser.add_argument("--teacher", default="embedded", help="default: %(default)s")
    parser.add_argument("--tiny", type=int, help="number of tiny files")
    arguments = parser.parse_args()
    if not (arguments.composites or arguments.tiny):
        parser.error("give --composites or --tiny")
    same = True
    if arguments.composites:
        same = compare(arguments.composites, arguments.teacher)
    if arguments.tiny:
        load_scheduler(arguments.tiny)
    sys.exit(not same)


if __name__ == "__main__":
    main()
