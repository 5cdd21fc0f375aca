"""Trainings that start from the weights of a run, and those weights as one file."""

import dataclasses
import pathlib
import subprocess

import numpy as np
import pytest

from trainer.errors import UserError
from trainer.models import make_network
from trainer.pretrained import __main__ as command
from trainer.pretrained import (
    blend_with_start,
    check_start,
    choose_share,
    list_weights,
    start_from,
)

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def started(settings, refined):
    """Settings of a training that starts from the run `refined`."""
    return settings(model="refine", spread=True, init=str(refined))


def test_a_network_starts_from_the_averaged_weights_of_a_run(started, refined, weights):
    network = make_network(started, started.size)
    start_from(started, (network,))
    kept = [v for n, v in weights(refined).items() if n.startswith("averaged/")]
    for values in list_weights(network).values():
        assert any(
            values.shape == other.shape and np.array_equal(values, other)
            for other in kept
        )


@pytest.mark.slow
def test_a_training_goes_on_better_from_the_pretrained_weights_than_from_nothing(
    command, refined, refine_flags, tmp_path, history
):
    """Its first step has the batch of the other's first step."""
    flags = (*refine_flags, "--init=pretrained", "--train_steps=1")
    arguments = command(tmp_path, *flags, "--small_steps=1")
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    (begun,), nothing = history(tmp_path), history(refined)[0]
    assert begun["mask_loss"] < 0.5 * nothing["mask_loss"]


def test_what_comes_out_keeps_a_share_of_the_start(started):
    network = make_network(started, started.size)
    start_from(started, (network,))
    start = list_weights(network)
    for variable in network.model.weights:
        variable.assign(variable + 1.0)
    blend_with_start(started, network, 0.75)
    for name, values in list_weights(network).items():
        np.testing.assert_allclose(values, start[name] + 0.25, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("share", "foregrounds", "kept"),
    [(0.5, 30, 0.5), (0.5, 400, 0.5), (0.5, 6, 0.9), (0.5, None, 0.5), (0.0, 6, 0.0)],
)
def test_more_of_the_start_is_kept_if_there_are_few_foregrounds(
    started, share, foregrounds, kept
):
    given = dataclasses.replace(started, init_share=share)
    assert choose_share(given, foregrounds) == pytest.approx(kept)


def test_a_share_of_no_start_is_refused(settings):
    with pytest.raises(UserError, match="give --init, such as --init=pretrained"):
        check_start(settings(model="refine", init="", init_share=0.5))


def test_the_weights_of_another_network_are_refused(settings, started, trained):
    with pytest.raises(UserError, match="has weights of refine, and --model=eigen"):
        check_start(dataclasses.replace(started, model="eigen", spread=False))
    other = dataclasses.replace(started, spread=False)
    check_start(other)
    network = make_network(other, other.size)
    with pytest.raises(UserError, match=r"another network, with --spread=True"):
        start_from(other, (network,))
    with pytest.raises(UserError, match="both give the first weights"):
        check_start(
            settings(model="eigen", init=str(trained), coarse_weights="alexnet.npz")
        )


def test_the_weights_of_a_run_fit_into_one_file(started, refined, tmp_path, capsys):
    out = tmp_path / "weights.npz"
    assert command.main([str(refined), f"--out={out}"]) == 0
    assert "refine of step 6" in capsys.readouterr().out
    assert out.stat().st_size < 6e6
    from_file = dataclasses.replace(started, init=str(out))
    check_start(from_file)
    network, again = (make_network(started, started.size) for _ in range(2))
    start_from(started, (network,))
    start_from(from_file, (again,))
    for path, values in list_weights(again).items():
        np.testing.assert_allclose(values, list_weights(network)[path], 1e-3, 1e-6)


def test_mistakes_are_told_in_one_line(started, refined, tmp_path, capsys):
    out = tmp_path / "weights.npz"
    out.write_bytes(b"PK no archive")
    with pytest.raises(UserError, match=r"^--init=.*weights\.npz cannot be read"):
        check_start(dataclasses.replace(started, init=str(out)))
    for words in (
        [str(tmp_path / "nowhere"), f"--out={out}"],
        [str(refined), "--out=a"],
    ):
        assert command.main(words) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert out.read_bytes() == b"PK no archive"
