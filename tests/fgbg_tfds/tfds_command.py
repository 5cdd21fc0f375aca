"""`tfds build` as a user gives it, on small folders."""

import json
import pathlib
import subprocess
import sys

import tensorflow_datasets as tfds

PACKAGE = pathlib.Path(__file__).parents[2] / "fgbg_tfds"
LAUNCH = "from tensorflow_datasets.scripts.cli.main import launch_cli; launch_cli()"


def small(folders, name="small", **fields):
    return {
        "name": name,
        "foregrounds": str(folders / "foregrounds"),
        "backgrounds": str(folders / "backgrounds"),
        "placements": 3,
        "image_size": 96,
        **fields,
    }


def tfds_build(config, data_dir, *options, launch=(LAUNCH,), within=(), **run):
    text = config if isinstance(config, str) else json.dumps(config)
    command = [
        *within,
        *(sys.executable, "-c", *launch, "build", str(PACKAGE)),
        *("--data_dir", str(data_dir), "--config", text, *options),
    ]
    return subprocess.run(command, capture_output=True, text=True, **run)


def files_of(data_dir):
    return {
        path.relative_to(data_dir): path.read_bytes()
        for path in sorted((data_dir / "fgbg").rglob("*"))
        if path.is_file()
    }


def read(builder, split):
    return list(tfds.as_numpy(builder.as_dataset(split)))
