import pathlib
import subprocess
import sys

import PIL.Image

ROOT = pathlib.Path(__file__).parents[3]


def draw(*arguments):
    command = [sys.executable, "-m", "trainer.augment", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_command_draws_both_pictures(data_dir, tmp_path):
    out = tmp_path / "drawn"
    places = (f"--data_dir={data_dir}", f"--out={out}")
    ended = draw("--dataset=miniset/sample", *places)
    assert ended.returncode == 0, ended.stderr
    for name in ("effects", "pairs"):
        picture = PIL.Image.open(out / f"augmentation_{name}.jpg")
        assert min(picture.size) > 400
        assert len(picture.getcolors(1 << 24)) > 500


def test_an_unknown_data_set_is_told_in_one_line(data_dir, tmp_path):
    ended = draw("--dataset=miniset/none", f"--data_dir={data_dir}", "--out", tmp_path)
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("error: data set miniset/none is not in")
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())
