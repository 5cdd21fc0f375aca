import numpy as np
import pytest
from PIL import Image

from fgbg_tfds import film
from fgbg_tfds.__main__ import main


@pytest.fixture(scope="module")
def shots():
    return list(film.draw_shots(20, 96))


def test_the_command_writes_the_film(tmp_path, shots, capsys):
    arguments = ["film", f"--out={tmp_path / 'film'}", "--size=96"]
    assert main([*arguments, "--frames=22"]) == 0  # a longer one, which is replaced
    assert main([*arguments, "--frames=20"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "film")
    assert len(list((tmp_path / "film" / "truth").iterdir())) == 20
    frame = np.asarray(Image.open(tmp_path / "film" / "frames" / "007.png"))
    assert (frame == shots[7].frame).all()
    assert Image.open(tmp_path / "film" / "empty.png").size == (96, 96)


def test_vehicles_pass_and_the_street_is_empty_before(shots):
    new = [shot.mask.mean() / 255 for shot in shots]
    assert new[0] == new[-1] == 0
    assert max(new) > 0.05


def test_what_is_new_is_what_differs(shots):
    empty = film.draw_empty(96).astype(float)
    bright = [shot for number, shot in enumerate(shots) if number / 19 > film.CLOUD[1]]
    inside = [
        np.abs(shot.frame - empty).max(-1)[shot.mask[..., 0] > 250] for shot in bright
    ]
    outside = [
        np.abs(shot.frame - empty).max(-1)[shot.mask[..., 0] == 0] for shot in bright
    ]
    assert np.median(np.concatenate(inside)) > 30
    assert np.median(np.concatenate(outside)) < 10


def test_a_cloud_comes_and_goes(shots):
    sky = [shot.frame[:20].mean() for shot in shots]
    assert min(sky) < 0.75 * sky[0]
    assert sky[-1] == pytest.approx(sky[0], rel=0.01)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--frames=2"], "--frames=2: give 10 to 999"),
        (["--size=20"], "--size=20: give 96 to 2160 pixels"),
        (["--out=/proc/film"], "/proc/film: cannot be written to"),
    ],
)
def test_mistakes_end_in_one_line(flags, said, capsys):
    assert main(["film", *flags]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
