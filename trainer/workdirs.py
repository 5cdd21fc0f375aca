"""The workdir of a run: which run it holds, and which may be trained there.

`run.json` says which. It is written when training starts and compared whenever the
workdir is used again.
"""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib

import tensorflow as tf

from trainer.data import Mixture
from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.settings import IDENTITY, USE, Settings, names_of


def claim_workdir(settings: Settings, mixture: Mixture, chief: bool) -> None:
    """Writes `run.json` for a run that is about to be trained.

    Args:
      settings: Settings of the run.
      mixture: Its data sets.
      chief: Whether this process writes the files.

    Raises:
      UserError: If the workdir holds another run, or a finished one that was trained
        with other settings, or files of one that is gone.
    """
    record = _read_record(settings.folder)
    _refuse_leftovers(settings.folder, record)
    _refuse_other_run(settings, mixture, record)
    if record and _is_finished(record, settings.folder):
        _refuse_other_training(settings, record)
        return
    if chief:
        identity = _identify(settings, mixture)
        record = {"identity": identity, "settings": dataclasses.asdict(settings)}
        path = settings.folder / "run.json"
        write_atomically(path, json.dumps(record, indent=2) + "\n")


def refuse_other_run(settings: Settings, mixture: Mixture) -> None:
    """Refuses a workdir that holds another run.

    Args:
      settings: Settings of the run.
      mixture: Its data sets.

    Raises:
      UserError: If it does.
    """
    _refuse_other_run(settings, mixture, _read_record(settings.folder))


def read_run(
    folder: pathlib.Path, source: str, others: str = ""
) -> tuple[dict, Settings]:
    """Reads which run a workdir holds, and with what settings it is trained.

    Args:
      folder: The workdir.
      source: What messages call it, such as --compare=runs/cpu.
      others: What else may be given, for the message.

    Returns:
      Its identity, as `run.json` has it, and its settings with this workdir.

    Raises:
      UserError: If it holds none.
    """
    try:
        record = _read_record(folder)
    except UserError:
        record = None
    if record is None:
        raise UserError(
            f"{source}: no run.json of a run is there; give a workdir of "
            f"python -m trainer.main{others}"
        )
    known = {field.name for field in dataclasses.fields(Settings)}
    fields = {n: v for n, v in record["settings"].items() if n in known}
    settings = dataclasses.replace(Settings(**fields), workdir=str(folder))
    return record["identity"], settings


def _read_record(folder: pathlib.Path) -> dict | None:
    path = folder / "run.json"
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text("utf-8"))
        return {"identity": record["identity"], "settings": record["settings"]}
    except (OSError, ValueError, LookupError) as error:
        raise UserError(
            f"{path} is not what the trainer writes; choose another --workdir"
        ) from error


def _refuse_leftovers(folder: pathlib.Path, record: dict | None) -> None:
    """Refuses a workdir with files of a run whose record or checkpoints are gone."""
    results = ("metrics.json", "report.md", "predictions.png", "export")
    trained = tf.train.latest_checkpoint(str(folder / "checkpoints")) is not None
    if record and trained:
        return
    # A run that was stopped before its first checkpoint has history and curves.
    begun = () if record else ("history.jsonl", "tensorboard", "checkpoints")
    found = [name for name in (*results, *begun) if (folder / name).exists()]
    if found:
        lost = "no checkpoint" if record else "no run.json"
        raise UserError(
            f"workdir {folder} has {lost}, but {', '.join(found)} of an earlier run; "
            "choose another --workdir, or move them away"
        )


def _identify(settings: Settings, mixture: Mixture) -> dict:
    identity = {name: getattr(settings, name) for name in names_of(IDENTITY)}
    identity["dataset"] = mixture.full_name
    identity["fingerprint"] = mixture.fingerprint
    return identity


def _refuse_other_run(
    settings: Settings, mixture: Mixture, record: dict | None
) -> None:
    if record is None:
        return
    for name, value in _identify(settings, mixture).items():
        # A run that is older than a flag has the flag's default.
        recorded = record["identity"].get(name, getattr(Settings, name, None))
        if recorded != value:
            raise UserError(
                f"workdir {settings.folder} holds a run with {name} {recorded}, not "
                f"{value}; choose another --workdir"
            )


def _is_finished(record: dict, folder: pathlib.Path) -> bool:
    """Tells whether the newest checkpoint is that of the last step."""
    newest = tf.train.latest_checkpoint(str(folder / "checkpoints"))
    done = int(newest.rsplit("-", 1)[1]) if newest else 0
    return done >= record["settings"].get("train_steps", math.inf)


def _refuse_other_training(settings: Settings, record: dict) -> None:
    for field in dataclasses.fields(Settings):
        recorded = record["settings"].get(field.name, field.default)
        value = getattr(settings, field.name)
        if field.name not in names_of(USE) and recorded != value:
            raise UserError(
                f"workdir {settings.folder} holds a finished run with {field.name} "
                f"{recorded}, not {value}; choose another --workdir"
            )
