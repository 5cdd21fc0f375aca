"""A small data set after the contract, written without fgbg_tfds, and runs on it.

The data set is the second implementation of the contract: if the trainer runs on this
one and on the real one, it relies on nothing but the contract.
"""

import io
import json
import os
import pathlib
import shutil
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import filelock
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.settings import Settings

ROOT = pathlib.Path(__file__).parents[2]
SIZE = 64
COUNTS = {"train": 48, "validation": 8, "test": 12, "cross": 4}


class Miniset(tfds.core.GeneratorBasedBuilder):
    """Rectangles before slopes: the ground comes nearer from top to bottom."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name=name) for name in ("sample", "other", "small")
    ]

    @property
    def side(self):
        return 48 if self.builder_config.name == "small" else SIZE

    def _info(self):
        names = tfds.features.ClassLabel(names=["one", "two", "three"])
        shape = (self.side, self.side)
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "bg": tfds.features.Image(
                        shape=(*shape, 3), encoding_format="jpeg"
                    ),
                    "fgbg": tfds.features.Image(
                        shape=(*shape, 3), encoding_format="jpeg"
                    ),
                    "mask": tfds.features.Image(shape=(*shape, 1)),
                    "depth": tfds.features.Image(
                        shape=(*shape, 1), dtype=np.uint16, encoding_format="png"
                    ),
                    "bbox": tfds.features.BBoxFeature(),
                    "foreground": names,
                    "background": names,
                    "placement": np.int32,
                    "flipped": np.bool_,
                }
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {name: self._generate_examples(name) for name in COUNTS}

    def _generate_examples(self, split):
        for number in range(COUNTS[split]):
            seed = [len(split), number]
            if self.builder_config.name != "sample":
                seed.append(1)
            yield number, compose(np.random.default_rng(seed), self.side)


def compose(rng, side=SIZE):
    """Draws one example."""
    slope = np.linspace(20, 4, side)[:, None] * rng.uniform(0.8, 1.2)
    depth = np.broadcast_to(slope, (side, side)).copy()
    shade = (depth * 10)[..., None] * rng.uniform(0.5, 1.0, 3)
    bg = np.clip(shade + rng.normal(0, 4, (side, side, 3)), 0, 255).astype(np.uint8)
    top, left = rng.integers(4, side - 28, 2)
    height, width = rng.integers(12, 24, 2)
    mask = np.zeros((side, side, 1), np.uint8)
    mask[top : top + height, left : left + width] = 255
    there = mask[..., 0] > 0
    fgbg = bg.copy()
    fgbg[there] = 255 - rng.integers(0, 80, 3)
    depth[there] = depth[top + height - 1, 0]
    depth[:2] = 0
    return {
        "bg": _jpeg(bg),
        "fgbg": _jpeg(fgbg),
        "mask": mask,
        "depth": np.round(depth * 256).astype(np.uint16)[..., None],
        "bbox": tfds.features.BBox(
            top / side, left / side, (top + height) / side, (left + width) / side
        ),
        "foreground": "one",
        "background": "two",
        "placement": 0,
        "flipped": False,
    }


def _jpeg(picture):
    memory = io.BytesIO()
    PIL.Image.fromarray(picture).save(memory, "JPEG", quality=90)
    memory.seek(0)
    return memory


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """A folder with the data set miniset/sample."""
    folder = tmp_path_factory.mktemp("data")
    Miniset(data_dir=str(folder), config="sample").download_and_prepare()
    return str(folder)


@pytest.fixture(scope="session")
def mixed_data_dir(data_dir):
    """The same folder with miniset/other, and miniset/small of smaller pictures."""
    for config in ("other", "small"):
        Miniset(data_dir=data_dir, config=config).download_and_prepare()
    return data_dir


FLAGFILE = """
# Small and quick; --train_steps is there to be overruled.
--dataset=miniset/sample
--image_size=64
--coarse_units=16
--batch_size=8
--train_steps=999
--checkpoint_steps=2
--log_steps=1
--summary_steps=3
--report=short
--deterministic
"""


@pytest.fixture(scope="session")
def command(data_dir, tmp_path_factory):
    """A function of a workdir and flags: the command that trains a small network."""
    flagfile = tmp_path_factory.mktemp("configs") / "small.flags"
    flagfile.write_text(FLAGFILE)

    def make(workdir, *flags):
        places = (f"--data_dir={data_dir}", f"--workdir={workdir}")
        steps = () if any("--train_steps" in flag for flag in flags) else ("6",)
        return [
            *(sys.executable, "-m", "trainer.main", f"--flagfile={flagfile}"),
            *places,
            *(f"--train_steps={number}" for number in steps),
            *flags,
        ]

    return make


@pytest.fixture(scope="session")
def train_once(command, tmp_path_factory):
    """A function of a name and flags: a workdir, trained once for all workers of xdist.

    Each worker gets a copy of its own.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def train(name, *flags):
        workdir = root / f"{name}_once"
        with filelock.FileLock(f"{workdir}.lock"):
            if not workdir.exists():
                arguments = command(root / f"{name}_unfinished", *flags)
                subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
                (root / f"{name}_unfinished").rename(workdir)
        own = tmp_path_factory.mktemp("copies") / name
        shutil.copytree(workdir, own)
        return own

    return train


@pytest.fixture(scope="session")
def trained(train_once):
    """The workdir of a run that went through from train to export."""
    return train_once("trained")


@pytest.fixture(scope="session")
def refine_flags():
    """Flags of a run of the network refine, on pictures of 32, then 64 pixels."""
    return (
        *("--model=refine", "--spread", "--dice=1", "--edge_weight=3"),
        *("--depth_edges=0.1", "--small_size=32", "--small_steps=0.5"),
    )


@pytest.fixture(scope="session")
def refined(train_once, refine_flags):
    """The workdir of a run of the network refine that went through."""
    return train_once("refined", *refine_flags)


@pytest.fixture
def settings(data_dir, tmp_path):
    """A function of changes: settings of a run of two steps in `tmp_path`."""

    def make(**changes):
        fields = {
            "dataset": "miniset/sample",
            "data_dir": data_dir,
            "workdir": str(tmp_path),
            "image_size": "64",
            "coarse_units": 8,
            "train_steps": 2,
            "batch_size": 4,
            "report": "short",
        }
        return Settings(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def history():
    """A function of a workdir: the lines of its history.jsonl."""

    def read(workdir):
        return [json.loads(line) for line in (workdir / "history.jsonl").open()]

    return read


@pytest.fixture(scope="session")
def weights():
    """A function of a workdir and a step: all arrays of that checkpoint, by name."""

    def read(workdir, step=6):
        path = workdir / "checkpoints" / f"ckpt-{step}"
        reader = tf.train.load_checkpoint(str(path))
        return {
            name: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()
            if not name.startswith(("_CHECKPOINTABLE", "save_counter"))
        }

    return read
