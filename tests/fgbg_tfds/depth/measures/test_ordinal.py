import pathlib

import numpy as np
import pytest
from PIL import Image

from fgbg_tfds.depth.evaluate import fit_baselines
from fgbg_tfds.depth.measures import ordinal
from fgbg_tfds.errors import InputError

MARKS = pathlib.Path(__file__).parents[1] / "marked_pairs.csv"
PICTURES = pathlib.Path(__file__).parents[5] / "shared" / "pictures"


def test_marks_are_many_and_inside():
    pairs = ordinal.read_pairs(MARKS)
    assert len(pairs) >= 200
    assert len(
        {(pair.picture, pair.cutout, pair.near, pair.far) for pair in pairs}
    ) == (len(pairs))
    for pair in pairs:
        assert all(0 <= place < 224 for place in (*pair.near, *pair.far))


def test_pairs_are_judged_on_the_picture(tmp_path):
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, 16:] = 200
    Image.fromarray(picture).save(tmp_path / "a.png")
    cutout = np.zeros((20, 20, 4), np.uint8)
    cutout[5:15, 5:15] = (10, 10, 10, 255)
    Image.fromarray(cutout).save(tmp_path / "c.png")

    def dark_is_near(images):
        return images.mean(-1).astype(np.float32) + 1

    pairs = [
        ordinal.MarkedPair("a.png", "", (0, 0, 0), (2, 3), (20, 3)),
        ordinal.MarkedPair("a.png", "", (0, 0, 0), (20, 3), (2, 3)),
        ordinal.MarkedPair("a.png", "c.png", (20, 4, 8), (24, 8), (18, 8)),
    ]
    judged = ordinal.judge_pairs(dark_is_near, pairs, tmp_path)
    assert judged.tolist() == [True, False, True]
    assert ordinal.judge_by_row(pairs).tolist() == [False, False, False]


def test_object_ratio():
    alpha = np.zeros((60, 60), np.uint8)
    alpha[20:40, 20:40] = 255
    depth = np.where(alpha > 0, 5.0, 8.0)
    assert ordinal.compute_object_ratio(depth, alpha) == pytest.approx(1.6)


def test_baselines_are_means_of_logs():
    logs = np.log(np.array([[[1.0, 4.0]], [[4.0, 16.0]]]))
    found = fit_baselines(logs)
    np.testing.assert_allclose(found["mean map"], [[2.0, 8.0]], rtol=1e-6)
    np.testing.assert_allclose(found["row prior"], [[4.0, 4.0]], rtol=1e-6)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig"])
def test_marks_of_notepad_are_read(tmp_path, coding):
    path = tmp_path / "marks.csv"
    rows = f"{','.join(ordinal.COLUMNS)}\r\nstraße.png,,0,0,0,1,2,3,4\r\n"
    path.write_bytes(rows.encode(coding))
    (pair,) = ordinal.read_pairs(path)
    assert pair == ordinal.MarkedPair("straße.png", "", (0, 0, 0), (1, 2), (3, 4))


def test_damaged_marks_are_refused(tmp_path):
    path = tmp_path / "marks.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"marks\.csv"):
        ordinal.read_pairs(path)
    with pytest.raises(InputError, match=r"none\.csv"):
        ordinal.read_pairs(tmp_path / "none.csv")


@pytest.mark.skipif(not PICTURES.is_dir(), reason="../shared/pictures is not here")
def test_embedded_teacher_beats_the_row_prior_on_real_pictures():
    from fgbg_tfds.depth import load_teacher

    pairs = ordinal.read_pairs(MARKS)
    right = ordinal.judge_pairs(load_teacher("embedded"), pairs, PICTURES)
    assert right.mean() > max(0.75, ordinal.judge_by_row(pairs).mean() + 0.1)
