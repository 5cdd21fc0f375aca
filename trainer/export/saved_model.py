"""A run as a SavedModel, which needs TensorFlow and nothing else to be served."""

from __future__ import annotations

import logging
import pathlib
import shutil

import keras
import tensorflow as tf

from trainer.errors import UserError, summarise
from trainer.export.card import write_card
from trainer.export.description import (
    describe,
    read_description,
    write_description,
)
from trainer.export.signatures import Signatures
from trainer.files import lock_folder
from trainer.models import Network, make_network
from trainer.runs import Run
from trainer.versions import list_versions

LOG = logging.getLogger("trainer")


def export(run: Run, chief: bool = True) -> None:
    """Writes the next version into `export/` of the workdir, from 1 on.

    A server may be reading those that are there. The same weights are not written
    again.

    Args:
      run: A trained run; its averaged weights are exported, in float32.
      chief: Whether this process writes the files.

    Raises:
      UserError: If it cannot be written, or another process exports this run.
    """
    if not chief:
        return
    size = run.mixture.with_split(run.settings.test_split).picture_size
    description = describe(run, size)
    folder = run.folder / "export"
    with lock_folder(folder, f"another process exports to {folder}; wait for it"):
        versions = list_versions(folder)
        if versions and read_description(versions[-1]) == description:
            LOG.info("%s has these weights already", versions[-1])
            write_card(versions[-1], run, description)  # may know new figures
            return
        number = int(versions[-1].name) + 1 if versions else 1
        while (folder / str(number)).exists():  # no SavedModel, and not ours
            number += 1
        partial = folder / f"{number}.part"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            _write(run, size, description, partial)
            partial.rename(folder / str(number))
        except (OSError, tf.errors.OpError) as error:
            raise UserError(
                f"cannot write {folder / str(number)}; is there space? "
                f"({summarise(error)})"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    LOG.info("exported to %s", folder / str(number))


def _write(run: Run, size: tuple[int, int], description, folder: pathlib.Path) -> None:
    # Made anew without the strategy, whose variables are bound to its devices.
    with tf.device("/cpu:0"):
        network = make_network(run.settings, run.settings.size)
        weights = [weight.numpy() for weight in run.network.model.weights]
        network.model.set_weights(weights)
        network.fold()
    archive = _make_archive(network, run.settings.size, size)
    archive.write_out(str(folder), verbose=False)
    write_description(folder, description)
    write_card(folder, run, description)


def _make_archive(network: Network, feed: tuple[int, int], size: tuple[int, int]):
    signatures = Signatures(network, feed, size)
    archive = keras.export.ExportArchive()
    archive.track(network.model)
    for name, (answer, inputs) in signatures.list_endpoints().items():
        archive.add_endpoint(name, answer, inputs)
    return archive
