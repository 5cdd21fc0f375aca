"""The data contract, on data sets that are really built by the command line."""

import importlib.metadata
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging
from PIL import Image, ImageDraw
from tfds_command import PACKAGE, files_of, read, small, tfds_build

from fgbg_tfds import Builder, FgbgConfig
from fgbg_tfds.compose import find_box
from fgbg_tfds.errors import InputError


@pytest.fixture(scope="module")
def built(drawn_folders, tmp_path_factory):
    """A small data set of drawn pictures, labelled by the embedded teacher."""
    data_dir = tmp_path_factory.mktemp("data")
    done = tfds_build(small(drawn_folders), data_dir)
    assert done.returncode == 0, done.stderr
    assert "72/72" in done.stderr  # the progress bar
    return data_dir


@pytest.fixture(scope="module")
def builder(built):
    return tfds.builder("fgbg/small", data_dir=str(built))


def test_contract_of_types_and_counts(builder):
    features = builder.info.features.items()
    types = {name: (feature.shape, feature.np_dtype) for name, feature in features}
    assert types == {
        "bg": ((96, 96, 3), np.uint8),
        "fgbg": ((96, 96, 3), np.uint8),
        "mask": ((96, 96, 1), np.uint8),
        "depth": ((96, 96, 1), np.uint16),
        "bbox": ((4,), np.float32),
        "foreground": ((), np.int64),
        "background": ((), np.int64),
        "placement": ((), np.int32),
        "flipped": ((), np.bool_),
    }
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert dict(counts) == {
        "train": 2 * 1 * 6,
        "validation": 6,
        "test": 6,
        "cross": (4 * 3 - 4) * 6,
    }


def test_contract_of_splits_by_identity(builder):
    pairs = {
        split: {(e["foreground"], e["background"]) for e in read(builder, split)}
        for split in builder.info.splits
    }
    for one, other in itertools.combinations(("train", "validation", "test"), 2):
        for side in (0, 1):
            assert not {p[side] for p in pairs[one]} & {p[side] for p in pairs[other]}
    every = read(builder, "train+validation+test+cross")
    identity = ("foreground", "background", "placement", "flipped")
    assert len({tuple(e[name] for name in identity) for e in every}) == len(every) == 72


def test_contract_of_pixels(builder):
    for example in read(builder, "train+test"):
        mask = example["mask"]
        bg, fgbg = example["bg"].astype(int), example["fgbg"].astype(int)
        # JPEG carries the paste through its 16x16 block, and colour 2 pixels on.
        reach = tf.nn.max_pool2d(mask[None] / 1, 2 * 17 + 1, 1, "SAME")[0, ..., 0]
        untouched = reach.numpy() == 0
        assert (bg == fgbg)[untouched].all()
        assert np.abs(bg - fgbg)[mask[..., 0] >= 128].mean() > 5
        assert example["bbox"] == pytest.approx(find_box(mask))
        depth = example["depth"] / 256
        assert depth.min() >= 0.5 and depth.max() <= 80


def test_contract_of_metadata(builder):
    metadata = builder.info.metadata
    assert metadata["depth"]["unit"] == "1/256 metre"
    assert metadata["teacher"]["name"] == "embedded"
    assert len(metadata["teacher"]["weights_sha256"]) == 64
    assert metadata["teacher"]["precision"] in ("float32", "bfloat16")
    assert metadata["labelling"]["mode"] == "composite"
    assert len(metadata["fingerprint"]) == 64
    assert "metres = depth / 256" in builder.info.description
    assert "cut" in builder.info.citation.lower()
    assert builder.info.features["foreground"].names[0] == "vehicle 0.png"


def test_background_is_stored_once_and_for_all_the_same(builder):
    seen = {}
    for example in read(builder, "train+cross"):
        first = seen.setdefault(example["background"], example["bg"])
        assert (first == example["bg"]).all()


@pytest.mark.parametrize("with_package", [False, True])
def test_loading_from_another_folder(built, tmp_path, with_package):
    program = f"""
import sys
if {with_package}:
    import fgbg_tfds
else:
    sys.modules["fgbg_tfds"] = None
import tensorflow_datasets as tfds
data, info = tfds.load(
    "fgbg/small", split="train[:5]", data_dir={str(built)!r}, with_info=True
)
print(len(list(data)), info.metadata["teacher"]["name"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["5", "embedded"], done.stderr


def test_building_again_changes_nothing(built, drawn_folders):
    before = files_of(built)
    assert tfds_build(small(drawn_folders), built).returncode == 0
    assert files_of(built) == before


def test_two_builds_are_byte_identical_wherever_the_pictures_lie(
    built, drawn_folders, tmp_path
):
    elsewhere = shutil.copytree(drawn_folders, tmp_path / "copied")
    done = tfds_build(small(elsewhere), tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "data") == files_of(built)


def test_other_pictures_under_the_same_name_are_refused(built, drawn_folders, tmp_path):
    changed = shutil.copytree(drawn_folders, tmp_path / "changed")
    victim = changed / "backgrounds" / "street_0.jpg"
    shutil.copy(changed / "backgrounds" / "street_1.jpg", victim)
    before = files_of(built)
    done = tfds_build(small(changed), built)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: fgbg/small/1.0.0: what is built at")
    assert last.count("fingerprint") == 1 and "--overwrite" in last
    assert files_of(built) == before


def test_a_build_that_was_limited_is_told_of(drawn_folders, tmp_path, caplog):
    fields = small(drawn_folders, teacher="none")
    limited = ("--max_examples_per_split", "4", "--num_shards", "2")
    done = tfds_build(fields, tmp_path, *limited)
    assert done.returncode == 0, done.stderr
    info = tfds.builder("fgbg/small", data_dir=str(tmp_path)).info
    assert {s.num_examples for s in info.splits.values()} == {4}
    assert {s.num_shards for s in info.splits.values()} == {2}
    assert info.metadata["teacher"] == {"name": "none"}
    (example,) = read(tfds.builder("fgbg/small", data_dir=str(tmp_path)), "test[:1]")
    assert not example["depth"].any()

    before = files_of(tmp_path)
    done = tfds_build(fields, tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "with 16 examples, not 72; build with --overwrite" in last
    assert files_of(tmp_path) == before
    builder = Builder(config=FgbgConfig(**fields), data_dir=str(tmp_path))
    logging.use_absl_handler()
    builder.download_and_prepare()  # as loading does
    assert "with 16 examples, not 72; build with --overwrite" in caplog.text
    other = tfds.download.DownloadConfig(max_examples_per_split=4, num_shards=3)
    builder.download_and_prepare(download_config=other)
    assert "with 8 files, not the 12 that are asked for" in caplog.text


def test_data_of_other_versions_is_loaded_with_a_warning(
    built, drawn_folders, tmp_path, caplog, monkeypatch
):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    (path,) = tmp_path.glob("fgbg/small/*/metadata.json")
    metadata = json.loads(path.read_text())
    assert metadata["versions"]["pillow"] == importlib.metadata.version("pillow")
    path.write_text(json.dumps(metadata | {"versions": {"pillow": "1.0"}}))
    logging.use_absl_handler()
    config = FgbgConfig(**small(drawn_folders))
    Builder(config=config, data_dir=str(tmp_path)).download_and_prepare()
    assert "built with pillow 1.0; pictures may be read to other bits" in caplog.text


def test_copies_of_a_picture_get_into_one_split(drawn_folders, tmp_path):
    folders = shutil.copytree(drawn_folders, tmp_path / "pictures")
    for number in range(6):
        copy = folders / "foregrounds" / f"copy {number}.png"
        shutil.copy(folders / "foregrounds" / "vehicle 0.png", copy)
    config = FgbgConfig(**small(folders, teacher="none", placements=1))
    builder = Builder(config=config, data_dir=str(tmp_path / "data"))
    builder.download_and_prepare()
    splits = builder.info.metadata["recipe"]["splits"]["foregrounds"]
    copies = {splits[name] for name in splits if "copy" in name or "0" in name}
    assert len(copies) == 1
    labels = {
        split: {example["foreground"] for example in read(builder, split)}
        for split in set(splits.values())
    }
    names = builder.info.features["foreground"].names
    for split, seen in labels.items():
        assert {splits[names[label]] for label in seen} == {split}


def test_a_small_cutout_is_warned_of(drawn_folders, tmp_path, caplog):
    folders = shutil.copytree(drawn_folders, tmp_path / "pictures")
    Image.new("RGBA", (8, 6), (200, 10, 10, 255)).save(tmp_path / "dot.png")
    dot = Image.new("RGBA", (12, 12))
    dot.paste(Image.open(tmp_path / "dot.png"), (2, 2))
    dot.save(folders / "foregrounds" / "dot.png")
    logging.use_absl_handler()
    config = FgbgConfig(**small(folders, teacher="none", placements=1))
    limit = tfds.download.DownloadConfig(max_examples_per_split=1)
    Builder(config=config, data_dir=str(tmp_path / "data")).download_and_prepare(
        download_config=limit
    )
    assert "1 of 5 are enlarged more than 2 times" in caplog.text
    assert "dot.png up to 6.0 times" in caplog.text


def test_a_cutout_whose_mask_vanishes_when_it_is_small_is_refused(
    drawn_folders, tmp_path
):
    folders = shutil.copytree(drawn_folders, tmp_path / "pictures")
    rod = Image.new("RGBA", (900, 900))
    ImageDraw.Draw(rod).line((0, 0, 900, 900), (200, 10, 10, 255), width=22)
    rod.save(folders / "foregrounds" / "rod.png")
    config = FgbgConfig(
        **small(folders, teacher="none", placements=1, scale=[0.1, 0.9])
    )
    with pytest.raises(
        InputError, match=r"rod\.png: so thin that at the smallest scale"
    ):
        Builder(config=config, data_dir=str(tmp_path / "data")).download_and_prepare()
    assert not files_of(tmp_path / "data")


def test_bad_picture_ends_the_build_with_nothing_left(drawn_folders, tmp_path):
    folders = shutil.copytree(drawn_folders, tmp_path / "pictures")
    (folders / "foregrounds" / "zero.png").write_bytes(b"")
    done = tfds_build(small(folders), tmp_path / "data")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "zero.png: not a picture" in done.stderr.strip().splitlines()[-1]
    assert not files_of(tmp_path / "data")


def mounted(folder, *options):
    """Words that run a command where `folder` is a mount of its own, or a skip."""
    mount = shlex.join(["mount", *options, str(folder)])
    words = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c"]
    if subprocess.run([*words, mount], capture_output=True).returncode:
        pytest.skip("this machine lets no one mount anything")
    return [*words, f'{mount} && "$@"; e=$?; ls -A {folder}/fgbg/*; exit $e', "bash"]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("1100k", "cannot be written: No space left on device; make room"),
        ("600k", "needs about 0.9 MB, but only 0.6 MB are free; make room"),
    ],
)
def test_full_disk_ends_the_build_in_one_line(drawn_folders, tmp_path, size, said):
    mount = mounted(tmp_path, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    done = tfds_build(small(drawn_folders), tmp_path, within=mount)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (last,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert f"error: {tmp_path}/fgbg/small: " in last and said in last
    assert "incomplete" not in done.stdout and "1.0.0\n" not in done.stdout


def test_read_only_target_ends_the_build_in_one_line(drawn_folders, tmp_path):
    mount = mounted(tmp_path, "-t", "tmpfs", "-o", "ro,size=9m", "tmpfs")
    done = tfds_build(small(drawn_folders), tmp_path, within=mount)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (last,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert f"error: {tmp_path}/fgbg/small: cannot be written" in last


def test_build_of_a_folder_full_of_oddities(drawn_folders, tmp_path):
    folders = shutil.copytree(drawn_folders, tmp_path / "pictures")
    good = folders / "backgrounds" / "street_0.jpg"
    names = ["sp ace.jpg", "line\nbreak.jpg", "\u00fcn\u00ef.jpg", "STREET_0.jpg"]
    for name in [*names, ".hidden.jpg"]:
        shutil.copy(good, folders / "backgrounds" / name)
    photo = Image.open(good)
    photo.convert("CMYK").save(folders / "backgrounds" / "print.jpg")
    photo.quantize(64).save(folders / "backgrounds" / "palette.png")
    photo.save(folders / "backgrounds" / "really_a_jpeg.png", "JPEG")
    photo.save(folders / "backgrounds" / "moving.gif", save_all=True)
    (folders / "backgrounds" / "more" / "deeper").mkdir(parents=True)
    (folders / "backgrounds" / "notes.txt").write_text("text")
    config = FgbgConfig(**small(folders, teacher="none", image_size=32))
    builder = Builder(config=config, data_dir=str(tmp_path / "data"))
    builder.download_and_prepare()
    labels = tfds.builder("fgbg/small", data_dir=tmp_path / "data").info.features
    assert sorted(labels["background"].names) == sorted(
        [
            *(name.replace("\n", "%0A") for name in names),
            *(f"street_{number}.jpg" for number in range(3)),
            *("print.jpg", "palette.png", "really_a_jpeg.png", "moving.gif"),
        ]
    )
    assert sum(s.num_examples for s in builder.info.splits.values()) == 4 * 11 * 6
