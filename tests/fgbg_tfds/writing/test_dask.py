"""Builds by Dask: processes that speak TCP, some of which are killed."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import distributed
import numpy as np
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from PIL import Image
from tensorflow_datasets import download

from fgbg_tfds import Builder, FgbgConfig
from fgbg_tfds.errors import InputError
from fgbg_tfds.writing import workers

PICTURES = ("foregrounds", "backgrounds")
ROOT = pathlib.Path(__file__).parents[3]
STREETS = ROOT / ".." / "shared" / "pictures" / "streets_cars"
PATIENCE = 240  # seconds, for a machine that is busy with other things


class Cluster:
    """A scheduler and workers; what was killed is started again where it is asked for.

    Attributes:
      home: The workers' home folder, where their pictures are.
      address: The scheduler's, the same for all of them.
    """

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self.home = folder / "home"
        self.address = "tcp://127.0.0.1:0"
        self.scheduler: subprocess.Popen | None = None
        self.workers: dict[str, subprocess.Popen] = {}

    def require(self, count: int) -> None:
        """Has `count` workers at work, and a scheduler."""
        if not self.scheduler or self.scheduler.poll() is not None:
            for worker in self.workers.values():
                worker.wait(PATIENCE)  # they end without a scheduler
            note = self._folder / "scheduler.json"
            note.unlink(missing_ok=True)
            self.scheduler = self._start(
                *("dask_scheduler", "--port", self.address.rpartition(":")[2]),
                *("--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(note)),
            )
            wait_until(lambda: note.exists() and note.read_text().endswith("}"))
            self.address = json.loads(note.read_text())["address"]
        for name in [k for k, each in self.workers.items() if each.poll() is not None]:
            del self.workers[name]
        while len(self.workers) < count:
            name = f"worker-{time.monotonic_ns()}"
            self.workers[name] = self._start(
                *("dask_worker", self.address, "--name", name, "--no-nanny"),
                *("--nthreads", "1", "--dashboard-address", "127.0.0.1:0"),
            )
        with distributed.Client(self.address) as client:
            client.wait_for_workers(count, timeout=PATIENCE)

    def _start(self, module: str, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{module}"]
        with (self._folder / f"{module}.log").open("a") as log:
            return subprocess.Popen(
                [*command, "--host", "127.0.0.1", *words],
                env={**os.environ, "HOME": str(self.home), "PYTHONPATH": str(ROOT)},
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        for process in filter(None, (self.scheduler, *self.workers.values())):
            process.kill()
            process.wait()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, drawn_folders):
    folder = tmp_path_factory.mktemp("cluster")
    cluster = Cluster(folder)
    cluster.home.mkdir()
    for name in PICTURES:
        source = STREETS if STREETS.exists() else drawn_folders
        (cluster.home / name).symlink_to((source / name).resolve())
    yield cluster
    cluster.stop()


@pytest.fixture(autouse=True)
def same_home(monkeypatch, cluster):
    monkeypatch.setenv("HOME", str(cluster.home))


def build(data_dir, *options, seed=0):
    config = FgbgConfig(
        "small",
        **{name: f"~/{name}" for name in PICTURES},
        **{"image_size": 64, "placements": 1, "teacher": "none", "seed": seed},
    )
    builder = Builder(config=config, data_dir=str(data_dir))
    how = download.DownloadConfig(num_shards=40)
    if options:
        how.beam_options = PipelineOptions([f"--{each}" for each in options])
    builder.download_and_prepare(download_config=how)
    return pathlib.Path(builder.data_path)


def build_by_dask(data_dir, cluster, seed=0):
    options = ("runner=dask", f"dask_client_address={cluster.address}")
    return build(data_dir, *options, seed=seed)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def local(cluster, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(cluster.home))
        return files_of(build(tmp_path_factory.mktemp("local")))


@contextlib.contextmanager
def when_a_file_is_finished(data_dir, action):
    """Does something in the middle of the build within."""

    def watch():
        wait_until(lambda: finished_in(data_dir))
        action()

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()


def finished_in(data_dir):
    paths = data_dir.glob("fgbg/small/resume.*/*-of-*")
    return [path for path in paths if path.suffix != ".partial"]


def test_dask_writes_the_same_bytes(cluster, local, tmp_path):
    cluster.require(2)
    built = build_by_dask(tmp_path, cluster)
    assert files_of(built) == local
    left = sorted(path.name for path in built.parent.iterdir())
    assert left == [".building.lock", "1.0.0"]


def test_a_worker_is_killed_in_the_middle_and_progress_is_seen(
    cluster, local, tmp_path, monkeypatch, capsys
):
    cluster.require(2)
    monkeypatch.setattr(workers, "LOOKING_SECONDS", 0.05)
    name = list(cluster.workers)[-1]
    lost = []

    def kill():
        process = cluster.workers[name]
        process.send_signal(signal.SIGSTOP)  # so that it keeps what it is to do
        with distributed.Client(cluster.address) as client:
            known = client.scheduler_info()["workers"]
            (address,) = (a for a, each in known.items() if each["name"] == name)
            held: Any = client.processing()
            lost.extend(held[address])
        process.kill()

    with when_a_file_is_finished(tmp_path, kill):
        built = build_by_dask(tmp_path, cluster)
    assert lost
    assert cluster.workers[name].wait() == -signal.SIGKILL
    assert files_of(built) == local
    total = 200 if STREETS.exists() else 24
    shown = list(map(int, re.findall(rf"(\d+)/{total}", capsys.readouterr().err)))
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, total)
    assert len(set(shown)) > 2


def test_other_pictures_than_the_workers_are_refused(cluster, tmp_path, monkeypatch):
    cluster.require(1)
    other = tmp_path / "home"
    for name in PICTURES:
        shutil.copytree(cluster.home / name, other / name)
    path = sorted((other / "foregrounds").iterdir())[0]
    pixels = np.array(Image.open(path).convert("RGBA"))
    pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] = 255
    Image.fromarray(pixels).save(path)
    monkeypatch.setenv("HOME", str(other))
    with pytest.raises(InputError, match=r"on \S+ are other pictures") as refusal:
        build_by_dask(tmp_path, cluster, seed=1)  # which nobody has opened yet
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.rglob("*.tfrecord*"))


def test_the_scheduler_is_lost_and_the_same_command_goes_on(cluster, local, tmp_path):
    cluster.require(1)
    with (
        pytest.raises(InputError, match=f"{cluster.address}: .* was lost") as end,
        when_a_file_is_finished(tmp_path, cluster.scheduler.kill),
    ):
        build_by_dask(tmp_path, cluster)
    assert "\n" not in str(end.value)
    kept = {path.name: path.stat().st_ino for path in finished_in(tmp_path)}
    assert 0 < len(kept) < len(local)
    cluster.require(1)
    built = build_by_dask(tmp_path, cluster)
    assert files_of(built) == local
    assert kept.items() <= {p.name: p.stat().st_ino for p in built.iterdir()}.items()


def test_no_scheduler_is_there(tmp_path):
    address = "dask_client_address=tcp://127.0.0.1:1"
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1: no Dask scheduler answers"):
        build(tmp_path, "runner=dask", address, "dask_connection_timeout=1")
    with pytest.raises(InputError, match=r"no scheduler is named; .*dask_client_addr"):
        build(tmp_path, "runner=Dask")


def test_without_dask_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'fgbg\[dask\]'"):
        build(tmp_path, "runner=dask", "dask_client_address=tcp://127.0.0.1:1")
