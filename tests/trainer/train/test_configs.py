"""The recipes that come with the project are such that the trainer can begin them."""

import pathlib

import pytest
from absl.testing import flagsaver

from trainer import main
from trainer.models import make_network
from trainer.train import make_stages

CONFIGS = sorted((pathlib.Path(__file__).parents[3] / "configs").glob("*.flags"))


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
    assert {"cpu", "eigen_cpu", "gpu", "pretrained", "refine_cpu", "tpu"} <= {
        path.stem for path in CONFIGS
    }
