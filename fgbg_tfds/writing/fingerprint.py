"""The fingerprint of a data set: a digest of all that decides its bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from fgbg_tfds.compose import Picture
from fgbg_tfds.depth import EMBEDDED_WEIGHTS
from fgbg_tfds.settings import NO_TEACHER, Settings
from fgbg_tfds.writing.recipe import open_sources

# It goes up when the same settings and pictures come to give other bytes.
GENERATION = 1
# The libraries whose versions decide bytes: they resize, encode, compute and serialise.
LIBRARIES = ("numpy", "pillow", "tensorflow", "tensorflow-datasets")


def get_versions() -> dict[str, str]:
    """Returns the versions of the libraries that decide a data set's bytes."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


CURRENT = get_versions()


def describe_origin(settings: Settings) -> dict[str, Any]:
    """Describes a build for a later one, which may be under other versions."""
    return {"settings": dataclasses.asdict(settings), "versions": get_versions()}


def compute_fingerprint(
    settings: Settings,
    foregrounds: Sequence[Picture] | None = None,
    backgrounds: Sequence[Picture] | None = None,
    versions: dict[str, str] | None = CURRENT,
) -> str:
    """Computes a hex digest of all that decides the data set's bytes.

    Settings, the pictures' names and pixels, the weights' bytes and the versions of
    libraries go in; the places of the folders do not.

    Args:
      settings: The data set's settings.
      foregrounds: The cut-outs, if they were read already.
      backgrounds: The photos, if they were read already.
      versions: The versions of `get_versions` that a data set was built with; those of
        this machine if not given, and None for one that did not record them.
    """
    sources = open_sources(settings)
    fields = dataclasses.asdict(settings) | {
        "generation": GENERATION,
        "weights": _digest_weights(settings),
    }
    if versions is not None:
        fields["versions"] = versions
    if not sources.foregrounds_drawn:
        fields["foregrounds"] = _digest(foregrounds or sources.read_foregrounds())
    if not sources.backgrounds_drawn:
        fields["backgrounds"] = _digest(backgrounds or sources.read_backgrounds())
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _digest(pictures: Sequence[Picture]) -> list[tuple[str, str]]:
    return [(picture.name, picture.sha256) for picture in pictures]


def _digest_weights(settings: Settings) -> str:
    """Digests the weights' bytes; the name of downloaded weights stands for them."""
    if settings.teacher == NO_TEACHER:
        return NO_TEACHER
    path = pathlib.Path(settings.weights or EMBEDDED_WEIGHTS).expanduser()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digests = [
        hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    ]
    return " ".join(digests) or str(settings.weights)
