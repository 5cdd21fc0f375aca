"""The same command goes on; another one does not mix its answers with the first."""

import json
import os
import shutil

import PIL.Image
import pytest

from trainer.files import lock_folder
from trainer.predict import __main__ as predict
from trainer.predict.predictor import Predictor
from trainer.predict.video import VideoReader


@pytest.fixture
def ask(shots, models):
    """A function of flags: the exit status of a command on the shots, into `out`."""
    folder, _ = shots

    def run(*flags, frames="my frames", background="empty.png"):
        given = (f"--background={folder / background}",) if background else ()
        return predict.main(
            [
                *(f"--model={models / 'any'}", f"--out={folder / 'out'}", *given),
                *(*flags, str(folder / frames)),
            ]
        )

    return run


@pytest.fixture
def calls(monkeypatch):
    """The frames that the network is asked about, and at which it meets Ctrl-C."""
    asked, stop = [], [None]
    original = Predictor.__call__

    def counted(self, background, frame, *spread):
        if frame is background:  # the empty scene's depth
            return original(self, background, frame, *spread)
        if len(asked) + 1 == stop[0]:
            raise KeyboardInterrupt
        asked.append(frame)
        return original(self, background, frame, *spread)

    monkeypatch.setattr(Predictor, "__call__", counted)
    return asked, stop


def read_all(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".png", ".jpg")
    }


def read_films(folder):
    paths = [folder / f"{kind}.mp4" for kind in ("overlay", "depth_view")]
    return [[(t, p.tobytes()) for t, p in VideoReader(path)] for path in paths]


def test_pictures_go_on_where_they_were(shots, ask, calls):
    folder, _ = shots
    asked, stop = calls
    stop[0] = 3
    assert ask() == 130
    stop[0] = None
    assert len(asked) == 2
    before = {p: p.stat().st_mtime_ns for p in (folder / "out" / "mask").iterdir()}
    assert len(before) == 2
    assert ask() == 0
    assert len(asked) == 3
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    gone_on = read_all(folder / "out")
    shutil.rmtree(folder / "out")
    assert ask() == 0
    assert read_all(folder / "out") == gone_on


def test_a_finished_command_does_nothing_again(ask, calls, capfd):
    asked, _ = calls
    assert ask() == 0 and ask() == 0
    assert len(asked) == 3
    assert "3/3" in capfd.readouterr().err


def test_a_video_goes_on_from_its_masks_and_depths(film, ask, calls):
    folder, _ = film
    asked, stop = calls
    stop[0] = 6
    assert ask(frames="film.mp4", background=None) == 130
    stop[0] = None
    assert ask(frames="film.mp4", background=None) == 0
    assert len(asked) == 12
    gone_on = read_all(folder / "out"), read_films(folder / "out")
    shutil.rmtree(folder / "out")
    assert ask(frames="film.mp4", background=None) == 0
    assert (read_all(folder / "out"), read_films(folder / "out")) == gone_on
    assert [len(film) for film in gone_on[1]] == [12, 12]
    states = [(folder / "out" / f"{k}.mp4").stat() for k in ("overlay", "depth_view")]
    assert ask(frames="film.mp4", background=None) == 0
    assert len(asked) == 24
    assert states == [
        (folder / "out" / f"{k}.mp4").stat() for k in ("overlay", "depth_view")
    ]


def test_more_frames_are_answered_in_the_same_folder(shots, ask, calls, names):
    folder, _ = shots
    asked, _ = calls
    assert ask("--write=mask", background=None) == 0
    scene = (folder / "out" / "background.png").read_bytes()
    shutil.copy(folder / "my frames" / "a.png", folder / "my frames" / "d.png")
    assert ask("--write=mask,overlay", background=None) == 0
    assert len(asked) == 3 + 4  # an overlay alone cannot be drawn from a mask alone
    assert (folder / "out" / "background.png").read_bytes() == scene
    assert [n for n in names(folder / "out") if n.startswith("mask")] == [
        *("mask/a.png", "mask/b.png", "mask/c.png", "mask/d.png")
    ]


def remove_a_frame(folder, models):
    (folder / "my frames" / "b.bmp").unlink()


def change_a_frame(folder, models):
    path = folder / "my frames" / "b.bmp"
    os.utime(path, (1, 1))


def change_the_scene(folder, models):
    PIL.Image.new("RGB", (111, 70)).save(folder / "empty.png")


def change_the_model(folder, models):
    shutil.copytree(models / "any", folder / "network")
    (folder / "network" / "variables" / "more").write_text("trained on")


def lose_the_record(folder, models):
    (folder / "out" / "predict.json").unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (remove_a_frame, "has answers for another frame file, such as b.bmp"),
        (change_a_frame, "has answers for another frame file, such as b.bmp"),
        (change_the_scene, "has answers for another background"),
        (change_the_model, "has answers of another --model"),
        (lose_the_record, "has answers of which it is not known what made them"),
    ],
)
def test_answers_of_another_command_are_not_mixed_in(
    shots, models, ask, capfd, names, change, said
):
    folder, _ = shots
    assert ask() == 0
    before = read_all(folder / "out")
    change(folder, models)
    flags = (f"--model={folder / 'network'}",) if change is change_the_model else ()
    assert ask(*flags) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith(f"error: --out={folder / 'out'}: {said}")
    assert "choose another --out, or add --overwrite to remove them" in last
    assert read_all(folder / "out") == before
    (folder / "out" / "mask" / "mine.txt").write_text("not an answer")
    assert ask("--overwrite", "--write=depth", *flags) == 0
    frames = 2 if change is remove_a_frame else 3
    depths = [f"depth/{name}.png" for name in "abc" if frames == 3 or name != "b"]
    assert names(folder / "out") == [*depths, "mask/mine.txt"]


def test_two_commands_do_not_write_to_one_folder(shots, ask, capfd):
    folder, _ = shots
    with lock_folder(folder / "out", "busy"):
        assert ask() == 1
    assert "another process writes to --out=" in capfd.readouterr().err


def test_of_a_run_the_newest_export_is_taken(shots, models, ask, capfd):
    folder, _ = shots
    for version in ("2", "10"):
        shutil.copytree(models / "any", folder / "run" / "export" / version)
    (folder / "run" / "export" / "11.part").mkdir()
    assert ask(f"--model={folder / 'run'}", "--write=mask") == 0
    assert f"taking {folder / 'run' / 'export' / '10'}" in capfd.readouterr().err
    assert ask(f"--model={folder / 'run' / 'export'}", "--write=mask") == 0
    record = json.loads((folder / "out" / "predict.json").read_text())
    assert sorted(record["frames"]) == ["a.png", "b.bmp", "c.webp"]
