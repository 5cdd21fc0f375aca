"""A run as a SavedModel, which needs TensorFlow and nothing else to be served."""

from __future__ import annotations

import itertools
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
from trainer.export.formats import parse_formats
from trainer.export.portable import make_portable_answer
from trainer.export.runtime_files import write_runtime_file
from trainer.export.signatures import Signatures
from trainer.files import lock_folder
from trainer.models import Network, make_network
from trainer.runs import Run
from trainer.versions import list_versions

LOG = logging.getLogger("trainer")

COMPARED = 4  # pairs of the test split by which files of other runtimes are judged


def export(run: Run, chief: bool = True) -> None:
    """Writes the next version into `export/` of the workdir, from 1 on.

    A server may be reading those that are there. The same weights are not written
    again; files for other runtimes that are wanted besides are added to their folder.

    Args:
      run: A trained run; its averaged weights are exported, in float32.
      chief: Whether this process writes the files.

    Raises:
      UserError: If it cannot be written, another process exports this run, or the file
        of another runtime does not answer as the SavedModel does.
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
            exported = versions[-1]
        else:
            exported = _write_next(run, size, description, folder, versions)
        _add_runtime_files(run, size, exported)


def _write_next(
    run: Run, size: tuple[int, int], description, folder: pathlib.Path, versions
) -> pathlib.Path:
    """Writes the version after those that are there, or nothing."""
    number = int(versions[-1].name) + 1 if versions else 1
    while (folder / str(number)).exists():  # no SavedModel, and not ours
        number += 1
    partial, exported = folder / f"{number}.part", folder / str(number)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        archive = _make_archive(_copy_network(run), run.settings.size, size)
        archive.write_out(str(partial), verbose=False)
        write_description(partial, description)
        write_card(partial, run, description)
        partial.rename(exported)
    except (OSError, tf.errors.OpError) as error:
        raise UserError(
            f"cannot write {exported}; is there space? ({summarise(error)})"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    LOG.info("exported to %s", exported)
    return exported


def _add_runtime_files(run: Run, size: tuple[int, int], exported: pathlib.Path) -> None:
    """Adds the files of other runtimes to an exported network; any server may go on."""
    sized = run.settings.converted_size or size
    wanted = {}
    for kind in parse_formats(run.settings.formats):
        path = exported / kind.name_file(sized)
        if path.exists():
            LOG.info("%s is there already", path)
        else:
            wanted[path] = kind
    if not wanted:
        return
    served = tf.saved_model.load(str(exported))  # has to live as long as its signatures
    test = run.mixture.with_split(run.settings.test_split)
    pictures = itertools.islice(test.read_pictures(("bg", "fgbg")), COMPARED)
    pairs = [(each["bg"], each["fgbg"]) for each in pictures]
    answer = make_portable_answer(_copy_network(run), run.settings.size, size)
    for path, kind in wanted.items():
        reference = served.signatures["images"]
        write_runtime_file(path, answer, kind, sized, reference, pairs)


def _copy_network(run: Run) -> Network:
    """Makes the network anew without the strategy, which binds variables to devices."""
    with tf.device("/cpu:0"):
        network = make_network(run.settings, run.settings.size)
        weights = [weight.numpy() for weight in run.network.model.weights]
        network.model.set_weights(weights)
        network.fold()
    return network


def _make_archive(network: Network, feed: tuple[int, int], size: tuple[int, int]):
    signatures = Signatures(network, feed, size)
    archive = keras.export.ExportArchive()
    archive.track(network.model)
    for name, (answer, inputs) in signatures.list_endpoints().items():
        archive.add_endpoint(name, answer, inputs)
    return archive
