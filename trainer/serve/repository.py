"""The versions of a network that a server has, and those that come while it runs."""

from __future__ import annotations

import gc
import logging
import pathlib

from trainer.errors import UserError
from trainer.serve.limits import Refusal
from trainer.serve.servable import Servable, load_servable
from trainer.versions import list_versions

LOG = logging.getLogger("trainer")


class Repository:
    """The network that is served, in its newest version.

    As TensorFlow Serving does where nothing else is said, it serves the newest version
    alone: an older one is forgotten once a newer one is loaded, and freed when the
    requests that have it are answered.
    """

    def __init__(self, name: str, model: pathlib.Path, asked: pathlib.Path, pin: bool):
        """Loads a network.

        Args:
          name: The model's name in addresses.
          model: A SavedModel, or a file of weights, as `find_model` found it.
          asked: Where the user said it was. If that is the SavedModel itself, versions
            beside it that were there before are never served.
          pin: Whether it is served for good, whatever comes.

        Raises:
          UserError: If it cannot be loaded.
        """
        self.name = name
        numbered = model.name.isdecimal() and model.is_dir()
        number = int(model.name) if numbered else 1
        self._folder = model.resolve().parent if numbered and not pin else None
        self._ignored: set[int] = set()
        if self._folder and asked.resolve() == model.resolve():
            self._ignored = {*map(_number, list_versions(self._folder))} - {number}
        self._current = load_servable(model, number)
        self._states = {number: "AVAILABLE"}
        self._troubles: dict[int, str] = {}
        self._refused: dict[pathlib.Path, tuple] = {}

    @property
    def watched(self) -> pathlib.Path | None:
        """The folder in which new versions may appear; None for none."""
        return self._folder

    def find(self, name: str, version: int | None = None) -> Servable:
        """Finds the network that a request asks for.

        Args:
          name: The model's name.
          version: Its version; the newest if None.

        Raises:
          Refusal: If it is not served.
        """
        current = self._current
        if name != self.name or version not in (None, current.number):
            asked = f"Specific({name}, {version})" if version else f"Latest({name})"
            raise Refusal(
                404,
                f"Servable not found for request: {asked}; version {current.number} of "
                f"{self.name} is served",
            )
        return current

    def describe(self, name: str, version: int | None = None) -> list[dict]:
        """Describes the state of all versions, or of one, the newest first.

        Raises:
          Refusal: If there is no such model or version.
        """
        known = dict(sorted(self._states.items(), reverse=True))
        if version is not None:
            known = {number: known[number] for number in known if number == version}
        if name != self.name or not known:
            of = f" version {version}" if version is not None else ""
            raise Refusal(404, f"Could not find any versions of model {name}{of}")
        return [
            {
                "version": str(number),
                "state": state,
                "status": {
                    "error_code": "UNKNOWN" if number in self._troubles else "OK",
                    "error_message": self._troubles.get(number, ""),
                },
            }
            for number, state in known.items()
        ]

    def look(self) -> None:
        """Loads the newest version of the folder, if it is another than is served.

        One that cannot be loaded is tried again when its files change; until then the
        one before is served. May run beside `find` and `describe`, in another thread,
        but not twice at a time.
        """
        if not self._folder:
            return
        versions = [
            path
            for path in list_versions(self._folder)
            if _number(path) not in self._ignored
        ]
        there = {_number(path) for path in versions}
        for number, state in self._states.items():
            if state == "LOADING" and number not in there:  # given up by its owner
                self._states = {n: s for n, s in self._states.items() if n != number}
                self._troubles.pop(number, None)
        if not versions or _number(versions[-1]) == self._current.number:
            return
        path, number = versions[-1], _number(versions[-1])
        files = _list_files(path)
        if self._refused.get(path) == files:
            return
        self._set_state(number, "LOADING")
        try:
            servable = load_servable(path, number)
        except UserError as error:
            LOG.warning("%s; version %d is served", error, self._current.number)
            self._refused[path] = files
            self._troubles = {**self._troubles, number: str(error)}
            return
        before, self._current = self._current.number, servable
        self._troubles = {n: t for n, t in self._troubles.items() if n != number}
        self._set_state(number, "AVAILABLE")
        self._set_state(before, "END")
        LOG.info("version %d is served, and %d no longer", number, before)
        gc.collect()  # a SavedModel holds itself in circles

    def _set_state(self, number: int, state: str) -> None:
        # Another dictionary, since `describe` may be reading this one.
        self._states = {**self._states, number: state}


def _number(path: pathlib.Path) -> int:
    return int(path.name)


def _list_files(folder: pathlib.Path) -> tuple:
    """Lists the files of a version with what changes where they do."""
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            state = path.stat()
        except OSError:  # gone meanwhile
            continue
        found.append((str(path), state.st_size, state.st_mtime_ns))
    return tuple(found)
