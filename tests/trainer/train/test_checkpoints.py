import json
import pathlib
import re
import resource
import shutil
import signal
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from trainer import main
from trainer.errors import UserError

ROOT = pathlib.Path(__file__).parents[3]


def same_bits(one, other):
    return one.keys() == other.keys() and all(
        np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes()
        for name in one
    )


def kill_after_line(command, line):
    """Runs a command and kills it, like a power cut, once it has printed a line.

    Returns all that it printed until then.
    """
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    printed = []
    for printed_line in process.stderr:
        printed.append(printed_line)
        if line in printed_line:
            process.kill()
            break
    process.stderr.close()
    assert process.wait() == -signal.SIGKILL, "".join(printed)
    return "".join(printed)


def test_a_killed_run_goes_on_and_ends_with_the_same_bits(
    command, trained, tmp_path, history, weights
):
    kill_after_line(command(tmp_path), "checkpoint at step 4")
    assert not (tmp_path / "metrics.json").exists()
    # A line of a step after the checkpoint, cut in two by the power cut.
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')
    again = subprocess.run(
        command(tmp_path), cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert "going on from step 4" in again.stderr
    assert re.search(r"a step took \d+\.\d+ s, of it .* waiting for data", again.stderr)
    assert same_bits(weights(tmp_path), weights(trained))
    losses = [[line["loss"] for line in history(w)] for w in (tmp_path, trained)]
    assert losses[0] == losses[1]
    reports = [
        json.loads((w / "metrics.json").read_text()) for w in (tmp_path, trained)
    ]
    for report in reports:
        assert report.pop("timing")["milliseconds"]["eigen"] > 0
        del report["networks"]["eigen"]["workdir"]
    assert reports[0] == reports[1]


def cut_back(workdir, step):
    """Leaves of a run that went through what it had written up to a checkpoint."""
    folder = workdir / "checkpoints"
    for path in folder.glob("ckpt-*"):
        if not path.name.startswith(f"ckpt-{step}."):
            path.unlink()
    newest = str(folder / f"ckpt-{step}")
    tf.compat.v1.train.update_checkpoint_state(
        str(folder),
        newest,
        all_model_checkpoint_timestamps=[1.0],
        last_preserved_timestamp=0.0,
    )
    for name in ("metrics.json", "report.md", "predictions.png"):
        (workdir / name).unlink()


@pytest.mark.slow
def test_refine_stopped_before_its_pictures_grow_ends_with_the_same_bits(
    command, refined, refine_flags, tmp_path, weights
):
    workdir = tmp_path / "stopped"
    shutil.copytree(refined, workdir)
    cut_back(workdir, 2)
    # Report and export are those of any run.
    printed = kill_after_line(command(workdir, *refine_flags), "checkpoint at step 6")
    assert "going on from step 2" in printed
    assert same_bits(weights(workdir), weights(refined))


def test_damaged_checkpoints_fall_back_to_the_one_before(
    settings, tmp_path, caplog, history
):
    main.run(settings(checkpoint_steps=1))
    newest = tmp_path / "checkpoints" / "ckpt-2.data-00000-of-00001"
    newest.write_bytes(newest.read_bytes()[:1000])
    main.run(settings(checkpoint_steps=1))
    assert "ckpt-2 is damaged" in caplog.text
    assert "went back to checkpoint" in caplog.text
    assert [line["step"] for line in history(tmp_path)] == [1, 2]
    for path in tmp_path.glob("checkpoints/*.data*"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"no checkpoint in .* can be read"):
        main.run(settings(mode="evaluate", checkpoint_steps=1))


@pytest.mark.slow
def test_the_best_weights_are_kept_and_reported(settings, tmp_path, caplog):
    caplog.set_level("INFO", logger="trainer")
    rate = {"learning_rate": 0.01, "warmup_steps": 0, "ema": 0.0, "train_steps": 4}
    main.run(settings(checkpoint_steps=1, weights="best", **rate))
    best = json.loads((tmp_path / "checkpoints" / "best" / "best.json").read_text())
    report = json.loads((tmp_path / "metrics.json").read_text())
    assert f"took the weights of step {best['step']}" in caplog.text
    main.run(settings(mode="evaluate", **rate))
    last = json.loads((tmp_path / "metrics.json").read_text())
    assert (last["network"] == report["network"]) == (best["step"] == 4)


@pytest.mark.parametrize(
    ("most", "what"), [(3_000, "curves for TensorBoard"), (100_000, "a checkpoint")]
)
def test_a_full_disk_is_told_in_one_line(command, tmp_path, most, what):
    """Files may grow to a few bytes only, which these do not fit into."""
    limit = (most, most)
    done = subprocess.run(
        command(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: cannot write {what} to {tmp_path}; is there space")
    assert not list(tmp_path.rglob("*_temp"))
