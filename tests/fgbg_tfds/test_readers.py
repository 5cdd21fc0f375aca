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
import yaml
from PIL import Image

from fgbg_tfds import Builder, FgbgConfig
from fgbg_tfds.writing import write_card

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


def read_card(folder):
    """Reads the front matter of a card, and its text."""
    _, front, text = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(front), text


def test_its_card_is_one_that_hubs_read(builder):
    front, text = read_card(builder.data_path)
    assert front["license"] == "unknown"
    assert front["task_categories"] == ["image-segmentation", "depth-estimation"]
    assert front["size_categories"] == ["n<1K"]
    (config,) = front["configs"]
    assert config["config_name"] == "readable"
    for each in config["data_files"]:
        (file,) = builder.data_path.glob(each["path"])
        assert f"-{each['split']}." in file.name
    described = front["dataset_info"]
    counts = {each["name"]: each["num_examples"] for each in described["splits"]}
    assert counts == {n: s.num_examples for n, s in builder.info.splits.items()}
    types = {each.pop("name"): each for each in described["features"]}
    assert list(types) == list(builder.info.features)
    assert types["depth"] == {"dtype": "image"}
    assert types["placement"] == {"dtype": "int32"}
    names = types["foreground"]["dtype"]["class_label"]["names"]
    assert list(names.values()) == builder.info.features["foreground"].names
    metadata = builder.info.metadata
    assert metadata["fingerprint"] in text
    assert metadata["teacher"]["weights_sha256"][:12] in text
    assert metadata["labelling"]["rule"] in text
    assert "Not known to the program" in text


def test_the_lines_of_its_card_read_it(builder, monkeypatch):
    monkeypatch.chdir(builder.data_path.parent)
    _, text = read_card(builder.data_path)
    found = {}
    exec(text.split("```python\n")[1].split("```")[0], found)
    assert found["metres"].shape == found["new"].shape == (64, 64, 1)
    assert 0.4 < found["metres"].numpy().max() <= 80


@pytest.mark.parametrize(
    ("teacher", "licence", "words"),
    [
        ({}, "apache-2.0", "all pictures were drawn"),
        ({"licence": "CC-BY-NC-4.0"}, "unknown", "labelled depth (CC-BY-NC-4.0)"),
        (None, "apache-2.0", "It has no depth."),
    ],
)
def test_a_card_tells_the_licence_of_what_was_drawn(
    builder, tmp_path, teacher, licence, words
):
    info = tfds.builder_from_directory(builder.data_path).info
    changed = {**info.metadata["teacher"], **teacher} if teacher is not None else {}
    info.metadata["teacher"] = changed
    write_card(info, tmp_path, drawn=True)
    front, text = read_card(tmp_path)
    assert front["license"] == licence
    assert words in text


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
    front, _ = read_card(built.data_path)
    for each in front["configs"][0]["data_files"]:
        assert len(list(built.data_path.glob(each["path"]))) == 1
