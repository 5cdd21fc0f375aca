"""The recipes that come with the project are such that the trainer can begin them."""

import json
import pathlib

import numpy as np
import pytest
from absl.testing import flagsaver

from trainer import main
from trainer.models import dnn15, make_network
from trainer.settings import find_idle
from trainer.train import make_stages
from trainer.train.schedule import find_learning_rate

ROOT = pathlib.Path(__file__).parents[3]
CONFIGS = sorted((ROOT / "configs").glob("*.flags"))


@pytest.fixture(scope="module")
def defined():
    """The flags of the command, defined once."""
    main.define_flags()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_recipe_fits_its_network(defined, path):
    with flagsaver.flagsaver():
        main.FLAGS(["trainer.main", f"--flagfile={path}"])
        settings = main.read_flags()
    assert settings.workdir == f"runs/{path.stem}"
    network = make_network(settings, settings.size)
    groups = [g for stage in make_stages(network, settings) for g in stage.groups]
    trained = {id(v) for group in groups for v in group.variables}
    assert trained == {id(v) for v in network.model.trainable_variables}


def test_there_are_recipes():
    assert {
        *("cpu", "eigen_cpu", "gpu", "original", "pretrained", "refine_cpu", "tpu")
    } <= {path.stem for path in CONFIGS}


def test_the_original_s_recipe_trains(defined, settings, tmp_path, history, weights):
    """SGD at one rate, on a slice, with both losses of depth."""
    flags = (
        f"--flagfile={ROOT / 'configs' / 'original.flags'}",
        *("--dataset=miniset/sample", f"--data_dir={settings().data_dir}"),
        *("--train_split=train[:40]", f"--workdir={tmp_path}", "--image_size=32"),
        *("--batch_size=4", "--train_steps=2", "--report=short"),
        *("--log_steps=1", "--checkpoint_steps=1"),
    )
    with flagsaver.flagsaver():
        main.FLAGS(["trainer.main", *flags])
        chosen = main.read_flags()
    assert find_idle(chosen) == {}
    main.run(chosen)
    lines = history(tmp_path)
    assert [line["learning_rate"] for line in lines] == [0.01, 0.01]
    report = json.loads((tmp_path / "metrics.json").read_text())
    assert report["model"] == "dnn15"
    before, after = weights(tmp_path, 1), weights(tmp_path, 2)
    names = [name for name in before if name.startswith("network/")]
    assert len(names) == 5 + 3 * 4  # kernels, and four of each normalisation
    assert not any(np.array_equal(before[name], after[name]) for name in names)


def test_sgd_moves_all_weights_at_one_rate_with_momentum(settings):
    chosen = settings(model="dnn15", recipe="sgd", learning_rate=0.01)
    network = dnn15((8, 8))
    ((group,),) = (stage.groups for stage in make_stages(network, chosen))
    before = [np.array(variable) for variable in group.variables]
    for moved in (0.01, 0.01 + 0.019):  # the second step is 0.9 of the first longer
        gradients = [np.ones_like(array) for array in before]
        group.optimizer.apply(gradients, group.variables)
        for old, variable in zip(before, group.variables, strict=True):
            np.testing.assert_allclose(old - np.array(variable), moved, atol=1e-6)
    assert [find_learning_rate(chosen, step) for step in (0, 1)] == [0.01, 0.01]
