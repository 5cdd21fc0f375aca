import pathlib

import PIL.Image
import pytest

from trainer import data
from trainer.augment.__main__ import main


def test_the_command_draws_both_pictures(data_dir, home, capsys):
    places = (f"--data_dir={data_dir}", "--out=~/drawn")
    assert main(["--dataset=miniset/sample", *places]) == 0
    for name in ("effects", "pairs"):
        picture = PIL.Image.open(home / "drawn" / f"augmentation_{name}.jpg")
        assert min(picture.size) > 400
        assert len(picture.getcolors(1 << 24)) > 500


def test_an_unknown_data_set_is_told_in_one_line(data_dir, tmp_path, capsys):
    words = ("--dataset=miniset/none", f"--data_dir={data_dir}", f"--out={tmp_path}")
    assert main(words) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: data set miniset/none is not in")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--out=~/file", "--out=~/file: cannot be written to ("),
        ("--out=~/file/below", "--out=~/file/below: cannot be written to ("),
        ("--out=/proc/drawn", "--out=/proc/drawn: cannot be written to ("),
        ("--out=~nobody_here/x", "--out=~nobody_here/x: cannot be written to ("),
        ("--out=~/pairs.jpg", "--out=~/pairs.jpg: give a folder"),
        ("--seed=-1", "--seed=-1: give a number from 0 to"),
        ("--seed=2147483648", "--seed=2147483648: give a number from 0 to"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(
    home, flag, said, capsys, monkeypatch
):
    monkeypatch.setattr(data, "open_mixture", pytest.fail)
    monkeypatch.chdir(home)
    pathlib.Path("file").write_bytes(b"mine")
    assert main([flag]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {said}")
    assert [path.name for path in home.iterdir()] == ["file"]


def test_ctrl_c_is_told_in_one_line(home, capsys, monkeypatch):
    def interrupt(*ignored, **also):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "open_mixture", interrupt)
    assert main([f"--out={home}"]) == 130
    assert capsys.readouterr().err == "stopped; what is written is whole\n"
