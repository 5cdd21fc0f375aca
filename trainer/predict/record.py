"""The record of a command's answers: by what they were made, and for which frames."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from trainer.errors import UserError
from trainer.files import name_failures, write_atomically
from trainer.predict.answers import FILMED, SUFFIXES
from trainer.predict.object_files import OBJECT_KINDS, name_session
from trainer.predict.scenes import BACKGROUND, BOUNDS, SURENESS
from trainer.predict.shadow_removal import SHADOWS

RECORD = "predict.json"
SESSIONS = 8 * "[0-9]" + "T" + 6 * "[0-9]"  # see `LiveFrames.begun`


@dataclasses.dataclass(frozen=True)
class Record:
    """What made the answers of a folder, kept in `predict.json`.

    Attributes:
      model: SHA-256 of the network's files.
      background: SHA-256 of each picture of the empty scene, or words for how it is
        found.
      frames: Size and time of last change of every file with frames, by its name.
      finished: Kinds of answers that need all frames, and are finished.
      whole_every: Number of frames of which the first was looked at whole.
      rows: Pixels of the shorter side that the network saw, at most; 0 is any number.
      min_area: Pixels that an object has at least; None for the usual share.
      pace: Words for which of the frames were wanted, if not all.
      metres: Words for what depth was brought to metres by, if by anything.
      keep_shadows: Whether hard shadows stayed new.
    """

    model: str
    background: str
    frames: dict[str, list[int]]
    finished: tuple[str, ...] = ()
    whole_every: int = 1
    rows: int = 0
    min_area: int | None = None
    pace: str = ""
    metres: str = ""
    keep_shadows: bool = False

    def write(self, folder: pathlib.Path) -> None:
        """Writes the record.

        Raises:
          UserError: If it cannot be written.
        """
        text = json.dumps(dataclasses.asdict(self), indent=1) + "\n"
        write_atomically(folder / RECORD, text)


def hash_model(model: pathlib.Path) -> str:
    """Computes the SHA-256 of a network's files, a folder's or a single one."""
    network = hashlib.sha256()
    for path in sorted(path for path in model.rglob("*") if path.is_file()):
        if path.name == "saved_model.pb" or path.parent.name == "variables":
            network.update(_digest(path).encode())
    if model.is_file():
        network.update(_digest(model).encode())
    return network.hexdigest()


def hash_pictures(paths: Sequence[pathlib.Path]) -> str:
    """Lists the SHA-256 of each picture."""
    return " ".join(map(_digest, paths))


def claim_folder(folder: pathlib.Path, wanted: Record, overwrite: bool) -> Record:
    """Checks that a command may begin in a folder, or go on there.

    Args:
      folder: Gets the answers.
      wanted: Describes the command.
      overwrite: Whether to remove the answers that are there.

    Returns:
      The record to be written there, with what is finished.

    Raises:
      UserError: If another command's answers are there, or cannot be removed.
    """
    if overwrite:
        _remove_answers(folder)
    if not any(path.name != RECORD for path in _list_answers(folder)):
        return wanted  # a command was stopped before its first answer
    earlier = _read_record(folder)
    reason = _find_difference(earlier, wanted)
    if reason:
        raise UserError(
            f"--out={folder}: {reason}; choose another --out, or add --overwrite to "
            "remove them"
        )
    if earlier is None or earlier.frames != wanted.frames:
        return wanted
    return dataclasses.replace(wanted, finished=earlier.finished)


def _find_difference(earlier: Record | None, wanted: Record) -> str | None:
    """Says why a folder's answers are not those of a command; None where they are."""
    if earlier is None:
        return "has answers of which it is not known what made them"
    if earlier.model != wanted.model:
        return "has answers of another --model"
    if earlier.background != wanted.background:
        return "has answers for another background"
    if earlier.whole_every != wanted.whole_every:
        return f"has answers of --whole_every={earlier.whole_every}"
    if earlier.rows != wanted.rows:
        return f"has answers of --rows={earlier.rows or 'any number'}"
    if earlier.min_area != wanted.min_area:
        return f"has answers of --min_area={earlier.min_area or 'the usual share'}"
    if earlier.pace != wanted.pace:
        return f"has answers of {earlier.pace or 'all frames'}"
    if earlier.metres != wanted.metres:
        return f"has depths of {earlier.metres or 'no --known_distance'}"
    if earlier.keep_shadows != wanted.keep_shadows:
        with_or_without = "with" if earlier.keep_shadows else "without"
        return f"has answers {with_or_without} --keep_shadows"
    changed = [
        name
        for name, state in earlier.frames.items()
        if wanted.frames.get(name) != state
    ]
    if changed:
        number = (
            f"{len(changed)} other frame files" if changed[1:] else "another frame file"
        )
        return f"has answers for {number}, such as {changed[0]}"
    return None


def _read_record(folder: pathlib.Path) -> Record | None:
    try:
        fields: dict[str, Any] = json.loads((folder / RECORD).read_text("utf-8"))
        return Record(
            fields["model"],
            fields["background"],
            fields["frames"],
            tuple(fields.get("finished", fields.get("films", ()))),
            fields.get("whole_every", 1),
            fields.get("rows", 0),
            fields.get("min_area"),
            fields.get("pace", ""),
            fields.get("metres", ""),
            fields.get("keep_shadows", False),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _list_answers(folder: pathlib.Path) -> list[pathlib.Path]:
    """Lists what this package writes."""
    names = [f"{kind}.mp4" for kind in FILMED]
    names += [name for names in OBJECT_KINDS.values() for name in names]
    files = [folder / name for name in names]
    for name in names:
        files += folder.glob(name_session(name, SESSIONS))
    files += [
        folder / name for name in (RECORD, BACKGROUND, SURENESS, SHADOWS, *BOUNDS)
    ]
    for kind in SUFFIXES:
        files += (folder / kind).glob(f"*{SUFFIXES[kind]}")
    return [path for path in files if path.is_file()]


def _remove_answers(folder: pathlib.Path) -> None:
    with name_failures(folder):
        for path in _list_answers(folder):
            path.unlink()
    for kind in SUFFIXES:
        with contextlib.suppress(OSError):  # it is missing, or holds others' files
            (folder / kind).rmdir()


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
