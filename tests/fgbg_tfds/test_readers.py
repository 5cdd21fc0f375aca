"""Whatever reads TFDS's files reads these: array_record, PyTorch, Croissant."""

import fnmatch
import io
import json
import shutil
import subprocess
import sys

import matplotlib as mpl
import mlcroissant
import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from fgbg_tfds import Builder, FgbgConfig

FEATURES = (
    *("bg", "fgbg", "mask", "depth", "bbox"),
    *("foreground", "background", "placement", "flipped"),
)


@pytest.fixture(scope="module")
def builder(drawn_folders, tmp_path_factory):
    config = FgbgConfig(
        "readable",
        foregrounds=str(drawn_folders / "foregrounds"),
        backgrounds=str(drawn_folders / "backgrounds"),
        image_size=64,
        placements=2,
        labelling="geometric",
    )
    data_dir = tmp_path_factory.mktemp("data")
    builder = Builder(config=config, data_dir=str(data_dir))
    builder.download_and_prepare()
    return builder


@pytest.fixture(scope="module")
def converted(builder, tmp_path_factory):
    """A copy that holds array_record files beside the TFRecords."""
    folder = tmp_path_factory.mktemp("converted") / "fgbg" / "readable" / "1.0.0"
    shutil.copytree(builder.data_path, folder)
    launch = "from tensorflow_datasets.scripts.cli.main import launch_cli; launch_cli()"
    words = [sys.executable, "-c", launch, "convert_format"]
    words += [f"--dataset_version_dir={folder}", "--out_file_format=array_record"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_converted_data_set_has_both_formats(builder, converted):
    # Once asked for a data source, a builder reads array_records only.
    records, randomly = (tfds.builder_from_directory(converted) for _ in range(2))
    for split, details in builder.info.splits.items():
        assert len(randomly.as_data_source(split)) == details.num_examples
        assert len(list(records.as_dataset(split))) == details.num_examples


def test_data_source_reads_all_features(builder, converted):
    pytest.importorskip("cv2", reason="TFDS reads 16-bit pictures with OpenCV")
    records = tfds.builder_from_directory(converted)
    source = records.as_data_source("train")
    expected = list(tfds.as_numpy(builder.as_dataset("train")))
    assert len(source) == len(expected)
    for one, other in zip(source, expected, strict=True):
        assert set(one) == set(FEATURES)
        for name in FEATURES:
            difference = np.abs(np.float64(one[name]) - np.float64(other[name]))
            # JPEG's decoders differ by a little; all else is exact.
            assert difference.max() <= (8 if name in ("bg", "fgbg") else 0), name
            if difference.ndim:
                assert one[name].dtype == other[name].dtype


def test_data_source_reads_depth_without_opencv(builder, converted):
    records = tfds.builder_from_directory(converted)
    undecoded = {"depth": tfds.decode.SkipDecoding()}
    source = records.as_data_source("train", decoders=undecoded)
    expected = next(iter(tfds.as_numpy(builder.as_dataset("train"))))
    depth = np.asarray(Image.open(io.BytesIO(source[0]["depth"])))
    assert (depth == expected["depth"][..., 0]).all()


def test_frames_and_figures_show_what_they_should(builder):
    mpl.use("Agg")
    data = builder.as_dataset("train")
    frame = tfds.as_dataframe(data.take(3), builder.info)
    assert set(frame.columns) == set(FEATURES) and len(frame) == 3
    assert frame["depth"][0].dtype == np.uint16
    for name in ("fgbg", "depth"):
        figure = tfds.show_examples(data, builder.info, image_key=name)
        figure.canvas.draw()
        shown = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        assert len(np.unique(shown)) > 50


def test_croissant_describes_the_files_that_are_there(builder):
    path = builder.data_path / "croissant.json"
    described = mlcroissant.Dataset(jsonld=str(path))  # raises where it is invalid
    metadata = described.metadata
    assert metadata.version == "1.0.0"
    assert "pictures that it is composed of" in metadata.license[0]
    names = [file.name for file in builder.data_path.glob("*.tfrecord*")]
    matched = []
    for files in metadata.distribution:
        (pattern,) = files.includes
        matched += fnmatch.filter(names, pattern)
    assert sorted(matched) == sorted(names)
    fields = {
        record_set.name: {field.name for field in record_set.fields}
        for record_set in metadata.record_sets
    }
    for split in builder.info.splits:
        assert fields[split] == set(FEATURES)
    labels = [row["foregrounds/file"] for row in described.records("foregrounds")]
    assert labels == builder.info.features["foreground"].names


def test_croissant_is_of_the_version_that_the_docs_say(builder):
    described = json.loads((builder.data_path / "croissant.json").read_text())
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.0"


def test_data_set_can_be_built_as_array_records(builder, tmp_path):
    built = Builder(
        config=builder.builder_config,
        data_dir=str(tmp_path),
        file_format="array_record",
    )
    built.download_and_prepare()
    assert len(built.as_data_source("test")) == builder.info.splits["test"].num_examples
    (files,) = (path.name for path in built.data_path.glob("fgbg-test*"))
    described = json.loads((built.data_path / "croissant.json").read_text())
    patterns = [files["includes"] for files in described["distribution"]]
    assert len(fnmatch.filter(patterns, "*.array_record-*")) == 4
    assert any(fnmatch.fnmatch(files, pattern) for pattern in patterns)
