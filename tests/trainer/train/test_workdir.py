"""One training to a workdir, at one time and all in all."""

import shutil
import subprocess
import sys

import pytest

from trainer import checks, main, workdirs
from trainer.errors import UserError
from trainer.files import lock_folder
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
    with lock_folder(tmp_path, "busy"):
        pass


def test_files_of_a_run_that_is_gone_are_not_mixed_with_a_new_one(
    settings, trained, tmp_path
):
    workdir = shutil.copytree(trained, tmp_path / "run")
    chosen = settings(workdir=str(workdir))
    (workdir / "run.json").rename(tmp_path / "away.json")
    with pytest.raises(
        UserError, match=r"has no run.json, but metrics.json, report.md"
    ):
        main.run(chosen)
    (tmp_path / "away.json").rename(workdir / "run.json")
    shutil.rmtree(workdir / "checkpoints")
    with pytest.raises(UserError, match=r"has no checkpoint, but metrics.json, report"):
        main.run(chosen)


def test_a_start_before_the_first_checkpoint_leaves_no_curves(settings, tmp_path):
    chosen = settings(train_steps=1)
    mixture = checks.open_checked(chosen, 1)
    workdirs.claim_workdir(chosen, mixture, chief=True)
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "events.out.tfevents.1.old.v2").write_bytes(b"curves")
    (tmp_path / "history.jsonl").write_text('{"step": 1, "loss": 9}\n')
    main.run(chosen)
    (curves,) = (tmp_path / "tensorboard").iterdir()
    assert "old" not in curves.name
    (line,) = (tmp_path / "history.jsonl").read_text().splitlines()
    assert '"loss": 9' not in line


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
    checks.open_checked(chosen, 1)
    for name, need in (
        ("padding", "model=eigen"),
        ("coarse_steps", "recipe=paper"),
        ("repeats", "augment=life"),
    ):
        assert f"--{name} has no effect here: it is for --{need}" in caplog.text
