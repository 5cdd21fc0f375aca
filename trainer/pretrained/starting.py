"""Networks with weights: those of a run, of a file, or those of the package."""

from __future__ import annotations

import pathlib

from trainer.errors import UserError
from trainer.files import expand
from trainer.models import Network, make_network
from trainer.pretrained.weight_file import (
    Weights,
    list_weights,
    read_weights,
)
from trainer.runs import restore_weights
from trainer.settings import MANY_FOREGROUNDS, Settings
from trainer.shipped import PRETRAINED, SUFFIX, WEIGHTS_FILE
from trainer.workdirs import read_run


def check_start(settings: Settings) -> None:
    """Checks that there is what `settings.init` names, without making a network.

    Raises:
      UserError: If there is no such run, or it is of another kind of network.
    """
    if not settings.init:
        if settings.init_share:
            raise UserError(
                f"--init_share={settings.init_share:g} is a share of the weights of "
                "--init; give --init, such as --init=pretrained"
            )
        return
    start = _read_start(settings.init, "init")
    model = start.model if isinstance(start, Settings) else start.settings.model
    if model != settings.model:
        raise UserError(
            f"--init={settings.init} has weights of {model}, and --model="
            f"{settings.model} is to be trained; give --model={model}, or leave "
            "--init out"
        )
    if settings.coarse_weights:
        raise UserError(
            f"--init={settings.init} and --coarse_weights both give the first weights; "
            "leave one of them out"
        )


def start_from(settings: Settings, networks: tuple[Network, ...]) -> None:
    """Gives networks the weights that `settings.init` names.

    Args:
      settings: The settings that the networks were made with.
      networks: Networks that are not trained yet.

    Raises:
      UserError: If the weights cannot be read, or are those of another network.
    """
    start = _load_start(settings)
    for network in networks:
        start.assign_to(network, settings)


def choose_share(settings: Settings, foregrounds: int | None) -> float:
    """Chooses the share of the weights of `settings.init` that a training keeps.

    Args:
      settings: Settings of the training; `init_share` is the share that it keeps if it
        learns from many foregrounds.
      foregrounds: Number of foregrounds in its data; None if not known.

    Returns:
      That share, or more, in proportion, if there are fewer foregrounds than
      `MANY_FOREGROUNDS`: what a few look like is no rule for all. 0 stays 0.
    """
    if not settings.init_share or foregrounds is None:
        return settings.init_share
    return 1 - (1 - settings.init_share) * min(1, foregrounds / MANY_FOREGROUNDS)


def blend_with_start(settings: Settings, network: Network, share: float) -> None:
    """Blends a trained network with the weights that it started from.

    The mean of both, each with its share, keeps what the first knew and most of what
    the training taught: WiSE-FT, M. Wortsman et al. 2022, Robust fine-tuning of
    zero-shot models, https://arxiv.org/abs/2109.01903.

    Args:
      settings: Settings of the training.
      network: The trained network.
      share: Share of the start, 0 to 1; see `choose_share`.

    Raises:
      UserError: If the weights cannot be read.
    """
    start = _load_start(settings)
    for variable in network.model.weights:
        trained = variable.numpy()
        blended = (1 - share) * trained + share * start.arrays[variable.path]
        variable.assign(blended.astype(trained.dtype))


def find_network(name: str, flag: str) -> tuple[Network, tuple[int, int]]:
    """Loads the network of a run or a file of weights, or the pretrained one.

    Args:
      name: A workdir, a file *.npz, or 'pretrained'.
      flag: Name of the flag that says so, for messages.

    Returns:
      See `load_network`.

    Raises:
      UserError: If there is none, or it cannot be read.
    """
    start = _read_start(name, flag)
    if isinstance(start, Weights):
        return _fill_network(start)
    return _restore_network(start), start.size


def _load_start(settings: Settings) -> Weights:
    start = _read_start(settings.init, "init")
    if isinstance(start, Weights):
        return start
    arrays = list_weights(_restore_network(start))
    return Weights(f"--init={settings.init}", start, arrays)


def load_network(
    path: pathlib.Path = WEIGHTS_FILE, source: str = ""
) -> tuple[Network, tuple[int, int]]:
    """Loads the pretrained network, or that of another file of weights.

    Args:
      path: The file.
      source: What messages call it; its path if empty.

    Returns:
      The network, and height and width of its input if it is made for one size.

    Raises:
      UserError: If it cannot be read.
    """
    return _fill_network(read_weights(path, source or str(path)))


def _restore_network(settings: Settings) -> Network:
    """Makes the network of a run, with its weights."""
    network = make_network(settings, settings.size)
    restore_weights(network, settings)
    return network


def _fill_network(weights: Weights) -> tuple[Network, tuple[int, int]]:
    """Makes the network that weights are of; see `load_network`."""
    network = make_network(weights.settings, weights.settings.size)
    weights.assign_to(network, weights.settings)
    return network, weights.settings.size


def _read_start(name: str, flag: str) -> Settings | Weights:
    source = f"--{flag}={name}"
    if name == PRETRAINED:
        return read_weights(WEIGHTS_FILE, source)
    path = expand(name, flag)
    if path.suffix == SUFFIX:
        return read_weights(path, source)
    return read_run(
        path, source, f", a file *{SUFFIX} of its weights, or '{PRETRAINED}'"
    )[1]
