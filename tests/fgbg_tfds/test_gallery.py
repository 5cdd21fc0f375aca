import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from fgbg_tfds import Builder, FgbgConfig, gallery
from fgbg_tfds.__main__ import main


@pytest.fixture(scope="module")
def data_dir(drawn_folders, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    config = FgbgConfig(
        "shown",
        foregrounds=str(drawn_folders / "foregrounds"),
        backgrounds=str(drawn_folders / "backgrounds"),
        teacher="none",
        placements=2,
        image_size=64,
    )
    Builder(config=config, data_dir=str(folder)).download_and_prepare()
    return str(folder)


def test_gallery_shows_each_example_in_a_row(data_dir, tmp_path, capsys):
    output = tmp_path / "gallery.png"
    arguments = ["gallery", "fgbg/shown", "--data_dir", data_dir, "--count", "3"]
    assert main([*arguments, "--out", str(output)]) == 0
    assert capsys.readouterr().out.strip() == str(output)
    examples = gallery.read_examples("fgbg/shown", "train", 3, data_dir)
    sheet = np.asarray(Image.open(output))
    step = 64 + gallery.GAP
    first_rows = np.flatnonzero((sheet[:, :, :] != 255).any(2).mean(1) > 0.5)
    top = first_rows[0]
    shown = sheet[top : top + 64, gallery.GAP : gallery.GAP + 64]
    assert (shown == examples[0]["bg"]).all()
    shown = sheet[top : top + 64, gallery.GAP + step : gallery.GAP + step + 64]
    assert (shown == examples[0]["fgbg"]).all()
    assert sheet.shape[0] >= 3 * step


def test_examples_are_spread_over_the_split(data_dir):
    examples = gallery.read_examples("fgbg/shown", "train+cross", 4, data_dir)
    assert len(examples) == 4
    assert len({(e["foreground"], e["background"]) for e in examples}) > 1
    assert all(e["background"].startswith("street_") for e in examples)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fgbg/absent"], "fgbg/absent: not built in"),
        (["fgbg/shown", "--split", "holiday"], "split 'holiday': fgbg/shown has"),
        (["fgbg/shown", "--count", "0"], "--count=0"),
        (["fgbg/shown", "--out", "/nowhere/at/all.png"], "/nowhere/at/all.png"),
        (["fgbg/shown", "--split", "train[:0]"], "split 'train[:0]'"),
        (["fgbg/shown:9.9.9"], "fgbg/shown:9.9.9: not built in"),
    ],
)
def test_mistakes_are_one_line(data_dir, capsys, arguments, said):
    assert main(["gallery", *arguments, "--data_dir", data_dir]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("error: ") and said in line


@pytest.mark.parametrize(
    ("name", "kind"),
    [("g.png", "PNG"), ("g.jpg", "JPEG"), ("g.JPEG", "JPEG"), ("g.webp", "WEBP")],
)
def test_the_format_follows_the_suffix(data_dir, tmp_path, name, kind):
    arguments = ["gallery", "fgbg/shown", "--data_dir", data_dir, "--count", "1"]
    assert main([*arguments, "--out", str(tmp_path / name)]) == 0
    with Image.open(tmp_path / name) as picture:
        assert picture.format == kind
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["g.jpg", "g.webp"])
def test_a_picture_too_high_for_its_format_is_told(
    data_dir, tmp_path, name, capsys, monkeypatch
):
    high = Image.new("RGB", (8, 70_000))
    monkeypatch.setattr(gallery, "draw_gallery", lambda *ignored: high)
    arguments = ["gallery", "fgbg/shown", "--data_dir", data_dir]
    assert main([*arguments, "--out", str(tmp_path / name)]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert "cannot hold 8x70000 pixels; give a smaller --count" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("g.tif", "g.tif: its name has to end in .png, .jpg, .jpeg, .webp"),
        ("gallery", "gallery: its name has to end in .png, .jpg, .jpeg, .webp"),
        ("folder.png", "folder.png is a folder"),
        ("missing/g.png", "missing is not there, or no folder"),
        ("file/g.png", "file is not there, or no folder"),
    ],
)
def test_a_wrong_output_is_told_before_anything_is_read(
    tmp_path, name, said, capsys, monkeypatch
):
    monkeypatch.setattr(gallery, "read_examples", pytest.fail)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"")
    assert main(["gallery", "fgbg/shown", "--out", str(tmp_path / name)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --out=") and said in line


def test_the_home_folder_is_known(data_dir, home, monkeypatch):
    (home / "data").symlink_to(data_dir)
    arguments = ["gallery", "fgbg/shown", "--data_dir", "~/data", "--count", "1"]
    assert main([*arguments, "--out", "~/g.png"]) == 0
    assert (home / "g.png").exists()


def test_names_are_such_that_windows_takes_them(data_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["fgbg/shown:*.*.*", "--data_dir", data_dir, "--count", "1"]
    assert main(["gallery", *arguments]) == 0
    (picture,) = tmp_path.iterdir()
    assert picture.name == "gallery_fgbg_shown__._._.png"


def test_the_number_of_examples_is_told_where_it_is_less(data_dir, tmp_path, capsys):
    arguments = ["fgbg/shown", "--split", "train[:2]", "--data_dir", data_dir]
    assert main(["gallery", *arguments, "--out", str(tmp_path / "g.png")]) == 0
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line == "fgbg/shown, train[:2]: has 2 examples; all are drawn"


def test_a_full_disk_leaves_nothing(data_dir, tmp_path, capsys, full_disk):
    arguments = ["gallery", "fgbg/shown", "--data_dir", data_dir, "--count", "2"]
    gallery.read_examples("fgbg/shown", "train", 1, data_dir)  # TFDS writes caches
    with full_disk():
        assert main([*arguments, "--out", str(tmp_path / "g.png")]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith(f"error: {tmp_path / 'g.png'}: cannot be written (")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_data_set_is_told(data_dir, tmp_path, capsys):
    shutil.copytree(data_dir, tmp_path / "data")
    for shard in (tmp_path / "data").rglob("*train.tfrecord*"):
        shard.write_bytes(shard.read_bytes()[:500])
    arguments = ["fgbg/shown", "--data_dir", str(tmp_path / "data")]
    assert main(["gallery", *arguments, "--out", str(tmp_path / "g.png")]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("error: fgbg/shown: cannot be read from ")


class Strange(tfds.core.GeneratorBasedBuilder):
    """A data set of numbers."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict({"number": np.int64})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": iter([(0, {"number": 1})])}

    def _generate_examples(self):
        raise NotImplementedError


def test_a_data_set_of_others_is_refused(tmp_path, capsys):
    Strange(data_dir=str(tmp_path)).download_and_prepare()
    arguments = ["strange", "--data_dir", str(tmp_path)]
    assert main(["gallery", *arguments, "--out", str(tmp_path / "g.png")]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("error: strange: has no background, bg, depth, fgbg, ")
