import numpy as np
import pytest
from PIL import Image

from fgbg_tfds.depth import evaluate
from fgbg_tfds.depth.__main__ import main
from fgbg_tfds.depth.measures.metrics import NAMES

HEADER = "picture,cutout,left,top,side,near_x,near_y,far_x,far_y\n"


def test_evaluate_prints_the_teacher_beside_baselines(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no real pictures beside it
    words = ["--scenes", "3", "--workers", "1"]
    assert main(["evaluate", *words]) == 0
    printed = capsys.readouterr().out
    assert "nothing measured on real pictures" in printed
    for title in ("3 held-out scenes as in training", "1 held-out streets"):
        assert printed.count(title) == 2  # as they are, after median scaling
    for label in ("teacher", "mean map", "row prior"):
        rows = [line for line in printed.splitlines() if line.startswith(label)]
        assert len(rows) == 4
        assert all(len(row[12:].split()) == len(NAMES) for row in rows)


def test_wrong_weights_are_told_in_one_line(tmp_path, capsys):
    path = tmp_path / "weights.npz"
    assert main(["evaluate", "--weights", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "weights.npz does not exist" in error


@pytest.fixture
def pictures(tmp_path):
    """A folder with one picture and one cut-out."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    grey = np.arange(32 * 40, dtype=np.uint16).reshape(32, 40) // 8
    Image.fromarray(grey.astype(np.uint8)).save(folder / "a.png")
    cutout = np.zeros((20, 20, 4), np.uint8)
    cutout[5:15, 5:15] = (10, 10, 10, 255)
    Image.fromarray(cutout).save(folder / "c.png")
    return folder


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (None, "marks.csv cannot be read"),
        ("", "no column picture, cutout"),
        ("picture;cutout;left\na.png;;0\n", "no column picture, cutout"),
        (HEADER, "no pairs"),
        (HEADER + "a.png,,0,0,0,1,1,2\n", "line 2: invalid literal"),
        (HEADER + "gone.png,,0,0,0,1,1,2,2\n", "gone.png"),
        (HEADER + "a.png,,0,0,0,1,1,2,32\n", "the pixel 2,32 is not in a.png"),
        (HEADER + "a.png,,0,0,0,-1,1,2,2\n", "the pixel -1,1 is not in a.png"),
        (HEADER + "a.png,gone.png,0,0,8,1,1,2,2\n", "gone.png"),
        (HEADER + "a.png,c.png,36,0,8,1,1,2,2\n", "c.png with a side of 8 at 36,0"),
        (HEADER + "a.png,c.png,0,0,0,1,1,2,2\n", "c.png with a side of 0 at 0,0"),
    ],
)  # fmt: skip
def test_marks_are_checked_before_anything_is_measured(
    rows, said, pictures, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(evaluate, "load_teacher", pytest.fail)
    marks = tmp_path / "marks.csv"
    if rows is not None:
        marks.write_text(rows)
    words = ["--marks", str(marks), "--pictures", str(pictures)]
    assert main(["evaluate", *words]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ") and said in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pictures", "~/none"], "none is no folder"),
        (["--pictures", "~/bare"], "bare holds no folder streets_cars"),
        (["--pictures", "~/half"], "backgrounds: not a folder that can be read"),
        (["--marks", "~/marks.csv"], "marks.csv needs the pictures"),
    ],
)
def test_pictures_are_looked_for_before_anything_is_measured(
    words, said, home, capsys, monkeypatch
):
    monkeypatch.setattr(evaluate, "load_teacher", pytest.fail)
    monkeypatch.chdir(home)
    (home / "bare").mkdir()
    (home / "half" / "streets_cars").mkdir(parents=True)
    assert main(["evaluate", *words]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ") and said in error


def test_composites_are_made_of_pictures_alone(drawn_folders, tmp_path):
    for name in ("backgrounds", "foregrounds"):
        (tmp_path / name).symlink_to(drawn_folders / name)
    images, alphas = evaluate.make_composites(tmp_path, count=3)
    (tmp_path / "backgrounds" / ".DS_Store").write_bytes(b"no picture")
    (tmp_path / "foregrounds" / "Thumbs.db").write_bytes(b"no picture")
    try:
        again, _ = evaluate.make_composites(tmp_path, count=3)
    finally:
        (tmp_path / "backgrounds" / ".DS_Store").unlink()
        (tmp_path / "foregrounds" / "Thumbs.db").unlink()
    np.testing.assert_array_equal(images, again)
    assert all(alpha.max() == 255 for alpha in alphas)
