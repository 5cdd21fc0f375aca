"""Builds that are killed go on and end the same, wherever they were."""

import math
import random
import signal

import pytest
import tensorflow as tf
from tfds_command import PACKAGE, files_of, small, tfds_build

# Counts what is done to files in a folder, kills itself before the one asked for
# (0: before none), and notes how many pictures its teacher looked at.
OBSERVED = """
import os, signal, sys
import fgbg_tfds.depth as depth

folder, moment, notes = sys.argv[1], int(sys.argv[2]), sys.argv[3]
del sys.argv[1:4]
changes, done = ("os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir"), 0


def watch(event, arguments):
    global done
    if event in changes and os.fspath(arguments[0]).startswith(folder):
        done += 1
        if done == moment:
            os.kill(os.getpid(), signal.SIGKILL)


def note(line):
    with open(notes, "a") as file:
        print(line, file=file)


def load_observed(*arguments):
    teacher = load_teacher(*arguments)
    look = type(teacher).__call__
    def observed(self, images):
        note(f"looked {len(images)}")
        return look(self, images)
    type(teacher).__call__ = observed
    return teacher


load_teacher, depth.load_teacher = depth.load_teacher, load_observed
sys.addaudithook(watch)
from tensorflow_datasets.scripts.cli.main import launch_cli
try:
    launch_cli()
finally:
    note(f"changed {done}")
"""


def observed_build(config, data_dir, moment, notes):
    notes.touch()
    launch = (OBSERVED, str(data_dir), str(moment), str(notes))
    done = tfds_build(config, data_dir, launch=launch, cwd=PACKAGE.parent)
    lines = [line.split() for line in notes.read_text().splitlines()]
    notes.write_text("")
    sums = {
        what: sum(int(n) for kind, n in lines if kind == what)
        for what in ("looked", "changed")
    }
    return done, sums


@pytest.fixture(scope="module")
def undisturbed(drawn_folders, tmp_path_factory):
    """A build that nothing stopped: its files, and how often it changes its folder."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done, sums = observed_build(small(drawn_folders), folder, 0, folder / "notes")
    assert done.returncode == 0, done.stderr
    assert sums["looked"] == 72
    return files_of(folder), sums["changed"]


def kept_examples(folder):
    """Counts what a killed build keeps: shards of examples, batches of four records."""
    records = {
        path.name: sum(1 for _ in tf.data.TFRecordDataset(str(path)))
        for path in folder.glob("resume.*/*")
        if path.suffix not in (".partial", ".json")
    }
    shards = {name: n for name, n in records.items() if ".batch-" not in name}
    batches = {name: n // 4 for name, n in records.items() if name not in shards}
    unfinished = [n for name, n in batches.items() if name[:-12] not in shards]
    return sum(shards.values()) + sum(unfinished)


@pytest.mark.parametrize("part", [0.5, 0.8, 1, None], ids=str)
def test_killed_build_goes_on_and_ends_the_same(
    drawn_folders, undisturbed, tmp_path, part
):
    """Killed before one of the things that it does to its folder, None: any."""
    part = random.random() if part is None else part
    print(f"killed after {part} of the changes")
    files, changes = undisturbed
    config, notes = small(drawn_folders), tmp_path / "notes"
    data_dir = tmp_path / "data"
    killed, _ = observed_build(config, data_dir, math.ceil(part * changes), notes)
    assert killed.returncode == -signal.SIGKILL
    folder = data_dir / "fgbg" / "small"
    kept = 72 if (folder / "1.0.0").exists() else kept_examples(folder)
    done, sums = observed_build(config, data_dir, 0, notes)
    assert done.returncode == 0, done.stderr
    assert sums["looked"] == 72 - kept
    assert files_of(data_dir) == files
    left = sorted(path.name for path in folder.iterdir())
    assert left == [".building.lock", "1.0.0"]
