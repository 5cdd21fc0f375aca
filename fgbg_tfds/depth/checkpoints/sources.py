"""The places of weight files: in a folder, in a zip, or alone."""

from __future__ import annotations

import hashlib
import pathlib
import struct
import zipfile
import zlib
from collections.abc import Sequence

from fgbg_tfds.errors import InputError

# The errors of `zipfile` on damage, encryption and unknown compression.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
_LARGEST = 2**30  # Bytes of one unpacked file; a guard against zip bombs.


def read_files(path: pathlib.Path, names: Sequence[str]) -> dict[str, bytes]:
    """Reads files by their bare names from a folder or zip, at any depth.

    Nothing is unpacked to the disk, so a zip's entries cannot land anywhere.

    Args:
      path: The folder or zip.
      names: Bare names such as 'encoder.pth'; each must be there exactly once.

    Returns:
      The files' bytes by name, in the order of `names`.

    Raises:
      InputError: If the path is neither folder nor zip, if a file is missing or
        there twice, or if the zip is damaged or unpacks beyond reason.
    """
    if path.is_dir():
        return {name: _find_in_folder(path, name).read_bytes() for name in names}
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{path} is neither a folder nor a zip; expected one with "
            f"{' and '.join(names)}"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _read_from_zip(archive, path, name) for name in names}
    except InputError:
        raise
    except ZIP_ERRORS as error:
        raise InputError(f"{path} is a damaged zip: {error}") from error


def _find_in_folder(folder: pathlib.Path, name: str) -> pathlib.Path:
    direct = folder / name
    if direct.is_file():
        return direct
    found = sorted(path for path in folder.rglob(name) if path.is_file())
    if len(found) != 1:
        raise InputError(f"{folder} holds {len(found)} files {name}; expected one")
    return found[0]


def _read_from_zip(archive: zipfile.ZipFile, path: pathlib.Path, name: str) -> bytes:
    found = [
        entry
        for entry in archive.infolist()
        if pathlib.PurePosixPath(entry.filename).name == name
        and not entry.filename.startswith("__MACOSX/")
    ]
    if len(found) != 1:
        raise InputError(f"{path} holds {len(found)} files {name}; expected one")
    if found[0].file_size > _LARGEST:
        raise InputError(
            f"{path}: {name} unpacks to {found[0].file_size} bytes; expected at "
            f"most {_LARGEST}"
        )
    return archive.read(found[0])


def compute_digest(files: dict[str, bytes]) -> str:
    """Computes the hex SHA-256 over the files' bytes, one after the other."""
    sha256 = hashlib.sha256()
    for content in files.values():
        sha256.update(content)
    return sha256.hexdigest()
