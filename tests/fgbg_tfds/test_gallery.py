import numpy as np
import pytest
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
    ],
)
def test_mistakes_are_one_line(data_dir, capsys, arguments, said):
    assert main(["gallery", *arguments, "--data_dir", data_dir]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("error: ") and said in line
