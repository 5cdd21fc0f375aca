import json
import os
import pathlib
import signal
import socket
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from trainer import distribution
from trainer.errors import UserError

ROOT = pathlib.Path(__file__).parents[2]
STEPS = 50
# AdamW amplifies the rounding of sums, by 2 a step at a learning rate of 0.001, so that
# after some 25 steps two devices are as far apart as two seeds. At a tenth it does not.
PLAIN = (
    *("--precision=float32", "--dropout=0", "--nodeterministic"),
    "--learning_rate=0.0001",
    *(f"--train_steps={STEPS}", "--checkpoint_steps=25", f"--summary_steps={STEPS}"),
)
STACKS = ("--recipe=paper", "--learning_rate=0.001", f"--coarse_steps={STEPS // 2}")
MIRRORED = ("--strategy=mirrored", "--logical_devices=2")


def losses(workdir):
    lines = [json.loads(line) for line in (workdir / "history.jsonl").open()]
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    return np.array([[line["loss"], line["depth_loss"]] for line in lines])


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_workers(command, workdir):
    workers = [f"localhost:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": workers}, "task": task})
        processes.append(
            subprocess.Popen(
                command(workdir, "--strategy=multi_worker", *PLAIN),
                cwd=ROOT,
                env=os.environ | {"TF_CONFIG": config},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


@pytest.fixture(scope="module")
def alone(command, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("alone")
    arguments = command(workdir, "--strategy=one", *PLAIN)
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    assert np.ptp(losses(workdir)[:, 0]) > 0.1
    return workdir


def reports(workdir):
    report = json.loads((workdir / "metrics.json").read_text())
    return report["examples"], report["baselines"], report["network"]


def assert_same(workdir, alone):
    np.testing.assert_allclose(losses(workdir), losses(alone), rtol=1e-4)
    examples, baselines, network = reports(workdir)
    assert (examples, baselines) == reports(alone)[:2]
    assert network == pytest.approx(reports(alone)[2], rel=1e-3)


def test_two_devices_do_what_one_does(command, alone, tmp_path):
    arguments = command(tmp_path, *MIRRORED, *PLAIN)
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    assert_same(tmp_path, alone)


@pytest.mark.slow
def test_two_devices_train_the_stacks_as_one_does(command, tmp_path):
    for name, strategy in {"one": ("--strategy=one",), "two": MIRRORED}.items():
        arguments = command(tmp_path / name, *strategy, *PLAIN, *STACKS)
        subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    assert_same(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_two_processes_do_what_one_does_though_one_is_lost_on_the_way(
    command, alone, tmp_path
):
    first, second = start_workers(command, tmp_path)
    for line in first.stderr:
        if "checkpoint at step 25" in line:
            second.kill()
            break
    _, printed = first.communicate(timeout=120)
    second.communicate()
    assert second.returncode == -signal.SIGKILL
    assert first.returncode not in (0, None)
    assert "relaunch" in printed
    for process in start_workers(command, tmp_path):
        _, printed = process.communicate()
        assert process.returncode == 0, printed
    assert_same(tmp_path, alone)


@pytest.mark.parametrize(
    "kind",
    [
        tf.errors.UnavailableError,  # the other one was ended
        tf.errors.DeadlineExceededError,  # it stopped, or its machine did
    ],
)
def test_whatever_became_of_a_worker_is_told_in_one_line(kind):
    message = "Graph execution error:\n\nCollective ops is aborted by: no heartbeat\n"
    with (
        pytest.raises(UserError, match=r"relaunch .* \(Collective ops") as error,
        distribution.join_workers(tf.distribute.get_strategy()),
    ):
        raise kind(None, None, message)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("precision", "policy"),
    [("float32", "float32"), ("bfloat16", "mixed_bfloat16")],
)
def test_precisions_are_keras_policies(precision, policy):
    assert distribution.choose_policy(precision) == policy


def test_precision_auto_is_one_of_both():
    assert distribution.choose_policy("auto") in ("float32", "mixed_bfloat16")
