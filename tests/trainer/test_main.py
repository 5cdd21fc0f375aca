import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "trainer.main", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_flags_after_the_flagfile_win(trained):
    settings = json.loads((trained / "run.json").read_text())["settings"]
    assert settings["train_steps"] == 6  # the flagfile says 999
    assert settings["batch_size"] == 8
    assert settings["deterministic"] is True


def test_help_names_flags_and_what_they_take():
    done = run("--help")
    assert "--train_steps" in done.stdout
    assert "auto|one|mirrored|multi_worker|tpu|parameter_server" in done.stdout


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--batch_size=0", "--batch_size"),
        ("--model=resnet", "eigen|dnn15"),
        ("--dropout=1.5", "--dropout"),
        ("word", "error: word is no flag"),
    ],
)
def test_flags_out_of_bounds_are_refused(flag, message):
    done = run(flag)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
