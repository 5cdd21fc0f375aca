"""Configs of data sets as JSON: in a file, or on the command line of `tfds`."""

from __future__ import annotations

import itertools
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from fgbg_tfds.errors import InputError

_FLAGS = ("--config", "-c")


def read_fields(path: str) -> dict[str, Any]:
    """Reads the fields of a config from a JSON file.

    Args:
      path: The file; `~` is the home folder.

    Returns:
      The fields by name.

    Raises:
      InputError: If there is no such file, or it holds no JSON object.
    """
    try:
        text = pathlib.Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise InputError(
            f"--config {path}: cannot be read ({reason}); give a JSON file such as "
            "configs/streets.json"
        ) from error
    return parse_fields(text, f"--config {path}")


def parse_fields(text: str, origin: str) -> dict[str, Any]:
    """Parses the fields of a config.

    Args:
      text: JSON.
      origin: Its file or flag, for the message.

    Raises:
      InputError: If it is no JSON, or no object.
    """
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{origin}: is no JSON: {error.msg} at line {error.lineno}, column "
            f"{error.colno}"
        ) from error
    if not isinstance(fields, dict):
        raise InputError(
            f'{origin}: is no JSON object; write {{"name": "mine", …}}, fields as in '
            "README.md"
        )
    return fields


def check_arguments(arguments: Sequence[str]) -> None:
    """Checks JSON on the command line of `tfds`, which parses it without a word.

    Args:
      arguments: The arguments of the command.

    Raises:
      InputError: If a config in it is no JSON.
    """
    values = [b for a, b in itertools.pairwise(arguments) if a in _FLAGS]
    values += [a.split("=", 1)[1] for a in arguments if a.startswith("--config=")]
    for value in values:
        if value.startswith("{"):
            parse_fields(value, "--config")
