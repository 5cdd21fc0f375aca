import importlib.util
import shutil
import sys

import PIL.Image
import pytest

from trainer.predict import __main__ as predict

videos = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="PyAV is not installed"
)


@pytest.fixture
def hostile(shots, models):
    """A folder full of mistakes."""
    folder, _ = shots
    frames = folder / "my frames"
    (folder / "broken.png").write_bytes((frames / "a.png").read_bytes()[:400])
    (folder / "words.jpg").write_text("no picture")
    (folder / "words.mp4").write_text("no video")
    PIL.Image.new("RGB", (64, 48)).save(folder / "small.png")
    PIL.Image.new("RGB", (111, 70)).save(folder / "a.png")
    (folder / "nothing").mkdir()
    (folder / "two sizes").mkdir()
    for name in ("empty.png", "small.png"):
        shutil.copy(folder / name, folder / "two sizes")
    (folder / "texts").mkdir()
    (folder / "texts" / "film.txt").write_text("a note, which FFmpeg draws\n" * 99)
    (folder / "export" / "1").mkdir(parents=True)
    (folder / "export" / "1" / "saved_model.pb").write_text("junk")
    return folder, models


@pytest.mark.parametrize(
    ("model", "background", "frames", "message"),
    [
        ("{0}/none", "empty.png", ["my frames"], "none does not exist; give a folder"),
        ("{0}/nothing", "empty.png", ["my frames"], "nothing is no network; give"),
        ("{0}/export", "empty.png", ["my frames"], "export/1 cannot be loaded"),
        ("{0}/export/1", "empty.png", ["my frames"], "export/1 cannot be loaded"),
        ("{1}/other", "empty.png", ["my frames"], "has not the signature images"),
        (
            "{1}/any",
            "none.png",
            ["my frames"],
            "there is no {0}/none.png",
        ),
        (
            "{1}/any",
            "words.jpg",
            ["my frames"],
            "words.jpg: not a picture that can be read",
        ),
        ("{1}/any", "empty.png", ["nowhere"], "there is no {0}/nowhere"),
        ("{1}/any", "empty.png", ["nothing"], "nothing has no pictures (.avif"),
        ("{1}/any", "empty.png", ["texts"], "texts has no pictures (.avif"),
        (
            "{1}/any",
            "empty.png",
            ["words.jpg"],
            "words.jpg: not a picture that can be read",
        ),
        (
            "{1}/any",
            "empty.png",
            ["broken.png"],
            "{0}/broken.png: not a picture that can be",
        ),
        ("{1}/any", "nothing", ["my frames"], "nothing has no pictures (.avif"),
        ("{1}/any", "", ["small.png", "a.png"], "a.png is 111 x 70 and {0}/small.png"),
        ("{1}/any", "two sizes", ["my frames"], "small.png is 64 x 48 and the backgro"),
        ("{1}/any", "small.png", ["my frames"], "a.png is 111 x 70 and the background"),
        ("{1}/any", "", ["small.png", "a.png"], "a.png is 111 x 70 and {0}/small.png"),
        ("{1}/any", "empty.png", ["my frames", "a.png"], "would both be called a.png"),
        pytest.param(
            *("{1}/any", "empty.png", ["words.mp4"]),
            "words.mp4 can be read neither as a picture nor as a video",
            marks=videos,
        ),
        ("{1}/any", "empty.png", ["words.mp4", "a.png"], "a video goes alone"),
        ("{1}/any", "", ["a.png"], "--background is missing: 1 frame(s) do not show"),
        pytest.param(
            *("{1}/any", "empty.png", ["texts/film.txt"]),
            "film.txt can be read neither as a picture nor as a video",
            marks=videos,
        ),
    ],
)
def test_mistakes_are_told_in_one_line(
    hostile, capfd, model, background, frames, message, names
):
    folder, models = hostile
    arguments = [f"--model={model.format(folder, models)}", f"--out={folder / 'out'}"]
    if background:
        arguments.append(f"--background={folder / background}")
    assert predict.main([*arguments, *(str(folder / name) for name in frames)]) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert message.format(folder, models) in last
    assert names(folder / "out") == []


def test_a_video_without_pyav_says_how_to_get_it(hostile, capfd, monkeypatch):
    folder, models = hostile
    monkeypatch.setitem(sys.modules, "av", None)
    arguments = [f"--model={models / 'any'}", str(folder / "words.mp4")]
    assert predict.main(arguments) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert "pip install '.[video]'" in last


@pytest.mark.parametrize(
    "frames", ["my frames", pytest.param("film.mp4", marks=videos)]
)
def test_a_target_that_cannot_be_written_is_named(hostile, film, capfd, frames):
    folder, models = hostile
    arguments = [
        *(f"--model={models / 'any'}", f"--out={folder / 'words.jpg'}"),
        *("--write=overlay", str(folder / frames)),
    ]
    assert predict.main(arguments) == 1
    assert "words.jpg: cannot be written to" in capfd.readouterr().err


def test_a_broken_picture_does_not_end_the_others(hostile, capfd, names):
    folder, models = hostile
    shutil.copy(folder / "broken.png", folder / "my frames" / "ab.png")
    shutil.copy(folder / "words.jpg", folder / "my frames" / "words.jpg")
    arguments = (f"--model={models / 'any'}", f"--out={folder / 'out'}")
    for background in ((), (f"--background={folder / 'empty.png'}",)):
        flags = (*background, "--overwrite")
        status = predict.main([*arguments, *flags, str(folder / "my frames")])
        lines = capfd.readouterr().err.splitlines()
        assert status == 1
        assert lines[-1] == "error: 2 frames could not be read, and 3 are answered"
        for name in ("ab.png", "words.jpg"):
            assert any(f"{name}: not a picture that" in line for line in lines)
        masks = [n for n in names(folder / "out") if n.startswith("mask")]
        assert masks == ["mask/a.png", "mask/b.png", "mask/c.png"]


def test_home_is_found_in_every_path(shots, models, monkeypatch, names):
    folder, _ = shots
    monkeypatch.setenv("HOME", str(folder))
    (folder / "models").symlink_to(models)
    flags = ("--model=~/models/any", "--background=~/empty.png", "--out=~/out")
    assert predict.main([*flags, "--write=mask", "~/my frames"]) == 0
    assert names(folder / "out") == ["mask/a.png", "mask/b.png", "mask/c.png"]


def test_flags_that_exclude_each_other_are_refused(shots, models, capfd):
    folder, _ = shots
    flags = (f"--model={models / 'any'}", f"--background={folder / 'empty.png'}")
    status = predict.main([*flags, "--scene_frames=5", str(folder / "my frames")])
    assert status == 1
    assert "--scene_frames=5 is for a run without" in capfd.readouterr().err


@pytest.mark.parametrize("background", ["empty.png", "my frames"])
def test_answers_do_not_go_among_the_frames(shots, models, capfd, names, background):
    folder, _ = shots
    flags = (f"--model={models / 'any'}", f"--background={folder / background}")
    before = names(folder)
    for out in {folder / "my frames", folder / background} - {folder / "empty.png"}:
        status = predict.main([*flags, f"--out={out}", str(folder / "my frames")])
        assert status == 1
        assert "answers would be taken for these" in capfd.readouterr().err
    assert names(folder) == before


@pytest.mark.parametrize("flag", ["--write=masks", "--scene_frames=0"])
def test_flags_out_of_bounds_are_refused(flag, capfd):
    with pytest.raises(SystemExit, match="2"):
        predict.main(["--model=m", flag, "frames"])
    assert flag.split("=")[0] in capfd.readouterr().err
