"""What an exported network says of itself to programs, in a file beside its graph."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

from trainer.files import write_atomically
from trainer.runs import Run

RECORD = "assets.extra/export.json"  # a folder that SavedModel keeps for others' files


def describe(run: Run, size: tuple[int, int]) -> dict[str, Any]:
    """Describes an exported run, so that two descriptions differ if the exports do.

    Args:
      run: The run.
      size: Height and width of the answers of a network that is made for one size.
    """
    weights = hashlib.sha256()
    for weight in run.network.model.weights:
        weights.update(weight.numpy().tobytes())
    return {
        "model": run.model,
        "step": run.step,
        "dataset": run.mixture.full_name,
        "fingerprint": run.mixture.fingerprint,
        "answer_size": None if run.network.multiple else list(size),
        "weights_sha256": weights.hexdigest(),
        # Exports without it are of before there was one, and are made anew.
        "compact": True,
        # Left out where it says nothing, so that earlier exports are known again.
        **({"spread": True} if run.network.spread else {}),
    }


def read_description(folder: pathlib.Path) -> dict[str, Any] | None:
    """Reads the description of an exported network; None where it has none."""
    try:
        return json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_description(folder: pathlib.Path, description: dict[str, Any]) -> None:
    """Writes a description for programs; `trainer/export/card.py` has that for people.

    Args:
      folder: Folder of the SavedModel.
      description: That of `describe`.

    Raises:
      UserError: If it cannot be written.
    """
    write_atomically(folder / RECORD, json.dumps(description, indent=2) + "\n")
