"""One training to a workdir, at one time and all in all."""

import shutil
import subprocess
import sys

import pytest

from trainer import main
from trainer.errors import UserError
from trainer.settings import Settings, find_idle

HOLD = """
import pathlib, sys
from trainer.files import lock_folder
with lock_folder(pathlib.Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_trainers_do_not_write_to_one_workdir(settings, tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UserError, match="another process trains in workdir"):
        main.run(settings())
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    holder.kill()  # as a power cut would: the lock ends with its process
    holder.communicate()
    main.run(settings(train_steps=1))
    assert (tmp_path / "report.md").exists()


def test_files_of_a_run_that_is_gone_are_not_mixed_with_a_new_one(settings, tmp_path):
    main.run(settings(train_steps=1))
    (tmp_path / "run.json").rename(tmp_path / "away.json")
    with pytest.raises(
        UserError, match=r"has no run.json, but metrics.json, report.md"
    ):
        main.run(settings(train_steps=1, seed=1))
    (tmp_path / "away.json").rename(tmp_path / "run.json")
    shutil.rmtree(tmp_path / "checkpoints")
    with pytest.raises(
        UserError, match=r"has no checkpoint, but metrics.json, report.m"
    ):
        main.run(settings(train_steps=1))


def test_a_start_before_the_first_checkpoint_leaves_no_curves(settings, tmp_path):
    main.run(settings(train_steps=1))
    for name in ("metrics.json", "report.md", "predictions.png"):
        (tmp_path / name).unlink()
    for name in ("export", "checkpoints"):
        shutil.rmtree(tmp_path / name)
    main.run(settings(train_steps=1))
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"workdir": "~nobody7/runs"}, "--workdir=~nobody7/runs: ~nobody7 is no home"),
        ({"data_dir": "~nobody7"}, "--data_dir=~nobody7: ~nobody7 is no home folder"),
        ({"compare": "~nobody7"}, "--compare=~nobody7: ~nobody7 is no home folder"),
        (
            {"workdir": "FILE/runs"},
            "--workdir=.*: cannot be written to .*FILE is a file",
        ),
    ],
)
def test_places_that_cannot_be_used_are_told(
    settings, tmp_path, monkeypatch, changes, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").touch()
    with pytest.raises(UserError, match=said):
        main.run(settings(**changes))
    assert [path.name for path in tmp_path.iterdir()] == ["FILE"]


def test_settings_without_effect_are_told(settings, caplog):
    assert find_idle(Settings()) == {}
    idle = {"padding": "valid", "coarse_steps": 1, "repeats": 3}
    chosen = settings(model="dnn15", dataset="miniset/sample", train_steps=1, **idle)
    assert set(find_idle(chosen)) == {*idle, "coarse_units"}
    main.run(chosen)
    for name, need in (
        ("padding", "model=eigen"),
        ("coarse_steps", "recipe=paper"),
        ("repeats", "augment=life"),
    ):
        assert f"--{name} has no effect here: it is for --{need}" in caplog.text
