"""Other trained runs, opened beside the one at hand to be compared with it."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib

import tensorflow as tf

from trainer import data
from trainer.augment import fit
from trainer.errors import UserError
from trainer.models import make_network
from trainer.models.network import Network
from trainer.settings import Settings
from trainer.train.checkpoints import restore_newest
from trainer.train.state import State


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained network.

    Attributes:
      folder: Its workdir.
      model: Name of the network.
      network: With the averaged weights of the run, in float32.
      size: Height and width of the pictures that it is fed, if it is made for one.
      step: Step that the weights are of.
    """

    folder: pathlib.Path
    model: str
    network: Network
    size: tuple[int, int]
    step: int

    def predict(self, bg, fgbg, size: tuple[int, int]):
        """Mask and depth of a batch of pairs of any size.

        Args:
          bg: Any number type [N, H, W, 3], 0 to 255.
          fgbg: The same for the composite.
          size: Height and width of the result.

        Returns:
          Two float32 [N, *size, 1]: the mask in 0 to 1, the depth in metres.
        """
        feed, step = self.size, self.network.multiple
        if step:  # as it is served: at the pictures' own size
            feed = tuple(max(1, (side + step // 2) // step) * step for side in size)
        pair = (fit(picture, feed) for picture in (bg, fgbg))
        return self.network.predict(*pair, size)

    @property
    def parameters(self) -> int:
        """Number of trainable weights."""
        weights = self.network.model.trainable_weights
        return sum(math.prod(weight.shape) for weight in weights)


def run_at_hand(state: State) -> Run:
    """The averaged weights of a state."""
    settings = state.settings
    return Run(
        settings.folder, settings.model, state.averaged, settings.size,
        int(state.step.numpy()),
    )  # fmt: skip


def runs_of(state: State) -> dict[str, Run]:
    """The run at hand and those of `--compare`, by the names of their rows.

    Args:
      state: The run at hand.

    Returns:
      The run at hand comes first. A row is called by its network, and by its workdir
      too where two have the same network.

    Raises:
      UserError: If one is no run, or of another data set.
    """
    settings = state.settings
    runs = [run_at_hand(state)]
    for name in filter(None, settings.compare.split(",")):
        runs.append(open_run(pathlib.Path(name.strip()).expanduser(), state))
    models = [run.model for run in runs]
    names = [
        run.model if models.count(run.model) == 1 else f"{run.model}, {run.folder}"
        for run in runs
    ]
    if len(set(names)) < len(names):
        raise UserError(f"--compare={settings.compare} names a run twice")
    return dict(zip(names, runs, strict=True))


def open_run(folder: pathlib.Path, state: State) -> Run:
    """Opens a run of another workdir, with the settings it was trained with.

    Args:
      folder: The workdir.
      state: The run at hand, of the same data set.

    Returns:
      The run.

    Raises:
      UserError: If it is no run, of another data set, or has no checkpoint.
    """
    try:
        record = json.loads((folder / "run.json").read_text())
        identity, fields = record["identity"], record["settings"]
    except (OSError, ValueError, LookupError) as error:
        raise UserError(
            f"--compare={folder}: no run.json of a run is there; give workdirs of "
            "python -m trainer.main, with commas in between"
        ) from error
    ours = data.fingerprint(state.builders)
    if identity.get("fingerprint") != ours:
        raise UserError(
            f"--compare={folder}: it was trained on {identity.get('dataset')} "
            f"({identity.get('fingerprint')}), this run on "
            f"{data.full_name(state.builders)} ({ours}); only runs of the same data "
            "are compared"
        )
    known = {field.name for field in dataclasses.fields(Settings)}
    settings = Settings(**{n: v for n, v in fields.items() if n in known})
    with state.strategy.scope():
        network = make_network(settings, settings.size)
        step = tf.Variable(0, dtype=tf.int64)
    return Run(
        folder, settings.model, network, settings.size,
        _restore(folder, settings.weights == "best", network, step),
    )  # fmt: skip


def _restore(folder: pathlib.Path, best: bool, network: Network, step) -> int:
    """Takes up averaged weights; the step that they are of."""
    weights = [weight.value for weight in network.model.weights]
    place = folder / "checkpoints"
    checkpoint = tf.train.Checkpoint(averaged=weights, step=step)
    record = place / "best" / "best.json"
    if best and record.exists():
        place = record.parent
        checkpoint = tf.train.Checkpoint(averaged=weights)
        step.assign(json.loads(record.read_text())["step"])
    found = tf.train.get_checkpoint_state(str(place))
    paths = list(reversed(found.all_model_checkpoint_paths)) if found else []
    if restore_newest(
        paths, lambda path: checkpoint.restore(path).assert_existing_objects_matched()
    ):
        return int(step.numpy())
    raise UserError(
        f"--compare={folder}: no checkpoint in {place} can be read; train it first"
    )
