import numpy as np
import pytest
from PIL import Image

from fgbg_tfds.depth import evaluate
from fgbg_tfds.depth.__main__ import main
from fgbg_tfds.depth.measures import read_measured, stretch
from fgbg_tfds.procedural import draw_street


def save(folder, name, size=64, seed=0, farthest=1e9):
    street = draw_street(seed, size=size)
    Image.fromarray(street.image).save(folder / f"{name}.png")
    depth = np.where(street.depth < farthest, street.depth, 0)
    units = np.round(depth * 256).astype(np.uint16)
    Image.fromarray(units).save(folder / f"{name}_depth.png")
    return depth


def test_photos_are_read_with_their_depth(tmp_path):
    known = save(tmp_path, "car_000001", farthest=30)
    save(tmp_path, "room_a")
    (tmp_path / "ORIGIN.md").write_text("where from")
    first, second = read_measured(tmp_path)
    assert (first.source, second.source) == ("car", "room")
    assert first.image.shape == (64, 64, 3)
    np.testing.assert_allclose(first.depth, known, atol=1 / 256)


def test_what_is_beyond_the_farthest_is_not_measured(tmp_path):
    save(tmp_path, "car_1")
    units = np.full((64, 64), 81 * 256, np.uint16)
    units[5, 5] = 300
    Image.fromarray(units).save(tmp_path / "car_1_depth.png")
    (photo,) = read_measured(tmp_path)
    assert np.count_nonzero(photo.depth) == 1


@pytest.mark.slow
def test_evaluate_prints_every_source_beside_baselines(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluate, "FITTED", 4)  # scenes take a third of a second each
    save(tmp_path, "car_1")
    save(tmp_path, "car_2", seed=1)
    save(tmp_path, "room_1", seed=2)
    words = ["--measured", str(tmp_path), "--scenes", "0", "--workers", "1"]
    assert main(["evaluate", *words]) == 0
    printed = capsys.readouterr().out
    assert "held-out" not in printed
    rows = {
        (line[:12].strip(), line[12:24].strip()): line[24:].split()
        for line in printed.splitlines()
        if line.startswith(("car ", "room ", "all "))
    }
    assert len(rows) == 9
    photos, rank, abs_rel, *rest = rows["car", "teacher"]
    assert int(photos) == 2 and len(rest) == 4
    assert float(rank) > float(rows["car", "row prior"][1]) > 0
    assert float(abs_rel) < float(rows["car", "row prior"][2])


def _without_photo(folder):
    (folder / "car_1.png").unlink()


def _of_another_size(folder):
    Image.fromarray(np.ones((9, 8), np.uint16)).save(folder / "car_1_depth.png")


def _of_eight_bits(folder):
    Image.fromarray(np.ones((64, 64), np.uint8)).save(folder / "car_1_depth.png")


def _of_text(folder):
    (folder / "car_1_depth.png").write_text("no picture")


def _without_depth(folder):
    Image.fromarray(np.zeros((64, 64), np.uint16)).save(folder / "car_1_depth.png")


def _of_none(folder):
    (folder / "car_1_depth.png").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_photo, "car_1_depth.png has no photo beside it"),
        (_of_another_size, "car_1_depth.png is 8x9, its photo 64x64"),
        (_of_eight_bits, "car_1_depth.png is of mode L"),
        (_of_text, "car_1_depth.png cannot be read"),
        (_without_depth, "car_1_depth.png holds no depth"),
        (_of_none, "holds no measured depth"),
    ],
)
def test_measured_depth_is_checked_first(spoil, said, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluate, "load_teacher", pytest.fail)
    save(tmp_path, "car_1")
    spoil(tmp_path)
    assert main(["evaluate", "--measured", str(tmp_path)]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ") and said in error


def test_no_folder_of_measured_depth_is_told(tmp_path, capsys):
    assert main(["evaluate", "--measured", str(tmp_path / "none")]) == 1
    assert "none is no folder" in capsys.readouterr().err


def test_stretching_keeps_metres():
    depth = np.linspace(1, 80, 12).reshape(3, 4)
    stretched = stretch(depth, (6, 8))
    assert stretched.shape == (6, 8)
    assert depth.min() <= stretched.min() and stretched.max() <= depth.max()
