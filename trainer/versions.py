"""Versions of an exported network: folders with whole numbers as names."""

from __future__ import annotations

import pathlib


def list_versions(folder: pathlib.Path) -> list[pathlib.Path]:
    """Lists the SavedModels among a folder's folders 1, 2, 3, …, the newest last.

    Servers such as TensorFlow Serving serve the newest.
    """
    if not folder.is_dir():
        return []
    numbered = [path for path in folder.iterdir() if path.name.isdecimal()]
    return sorted(
        (path for path in numbered if (path / "saved_model.pb").is_file()),
        key=lambda path: int(path.name),
    )
