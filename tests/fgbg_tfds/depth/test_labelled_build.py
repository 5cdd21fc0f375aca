"""A data set built from real or drawn pictures with an original-format teacher."""

import json
import pathlib
import subprocess
import sys

import monodepth2_reference
import numpy as np
import pytest
import tensorflow_datasets as tfds

from fgbg_tfds.depth import load_teacher

PACKAGE = pathlib.Path(__file__).parents[3] / "fgbg_tfds"
LAUNCH = "from tensorflow_datasets.scripts.cli.main import launch_cli; launch_cli()"


@pytest.mark.parametrize("picture_folder", ["drawn", "streets_cars"], indirect=True)
def test_build_with_monodepth2(picture_folder, tmp_path):
    weights = tmp_path / "mono+stereo_96x64"
    monodepth2_reference.write_folder(weights, 64, 96)
    folders = {}
    for name in ("foregrounds", "backgrounds"):
        folders[name] = str(tmp_path / name)
        (tmp_path / name).mkdir()
        for path in sorted((picture_folder / name).iterdir())[:3]:
            (tmp_path / name / path.name).symlink_to(path.resolve())
    config = {
        "name": "labelled",
        **folders,
        "teacher": "monodepth2",
        "weights": str(weights),
        "placements": 1,
        "image_size": 64,
    }
    done = subprocess.run(
        [
            *(sys.executable, "-c", LAUNCH, "build", str(PACKAGE)),
            *("--data_dir", str(tmp_path / "data"), "--config", json.dumps(config)),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr

    builder = tfds.builder("fgbg/labelled", data_dir=str(tmp_path / "data"))
    teacher = load_teacher("monodepth2", weights)
    assert builder.info.metadata["teacher"] == teacher.card.as_metadata()
    every = "train+validation+test+cross"
    examples = list(tfds.as_numpy(builder.as_dataset(every)))
    assert len(examples) == 3 * 3 * 2
    seen = teacher(np.stack([example["fgbg"] for example in examples]))
    kept = np.stack([example["depth"][..., 0] for example in examples]) / 256
    assert (kept > 0).all() and kept.max() <= 80
    # The teacher saw the composites before JPEG, and its depth was rounded.
    logs = [np.log(np.clip(metres, 0.6, 79)).ravel() for metres in (seen, kept)]
    assert np.corrcoef(logs)[0, 1] > 0.9
