"""Downloads original weights: verified, resumable and atomic.

The licence is printed before the download and kept beside the weights.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import pathlib
import shutil
from collections.abc import Iterator

import filelock

from fgbg_tfds.depth import catalogue, transfer
from fgbg_tfds.depth.checkpoints import sources
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import name_failures, parse_path, require_writable

_ORIGIN = "origin.json"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "name", choices=catalogue.CATALOGUE, help="the weights' name", metavar="NAME"
    )
    parser.add_argument(
        "--folder",
        type=parse_path,
        help=f"folder of weights (default: ${catalogue.FOLDER_VARIABLE}, or a cache)",
    )
    parser.epilog = "NAME is one of: " + ", ".join(catalogue.CATALOGUE)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    weights = catalogue.CATALOGUE[arguments.name]
    folder = arguments.folder or catalogue.find_weights_folder()
    print(f"{weights.name}: {weights.licence}\n{weights.terms}", flush=True)
    path = download(weights, folder)
    print(f"{weights.name} is in {path}")


def download(weights: catalogue.Weights, folder: pathlib.Path) -> pathlib.Path:
    """Downloads weights unless they are there, whole.

    A download that was cut short is continued, if the server still has the same file.
    A file that does not match the checksum is deleted.

    Args:
      weights: Weights to download, with their checksum.
      folder: Folder of weights; they get a subfolder of their own name.

    Returns:
      The folder with the weights' files, `LICENCE.txt` and `origin.json`.

    Raises:
      InputError: If the server cannot be reached or closes the connection, if
        checksum or content are wrong, if the folder cannot be written to, if another
        process is downloading the same weights, or if a half of them is there.
    """
    target = folder / weights.name
    if target.exists():
        if flaw := find_flaw(weights, target):
            raise InputError(
                f"{target} is not whole: {flaw}; remove or rename that folder, and run "
                "the command again"
            )
        return target
    require_writable(
        folder, f"give another --folder, or set ${catalogue.FOLDER_VARIABLE}"
    )
    with name_failures(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder / f".{weights.name}.lock", weights.name):
        if target.exists():  # another process has just finished
            pass
        elif weights.url:
            _fetch_files(weights, target)
        else:
            _fetch_preset(weights, target)
    return target


def find_flaw(weights: catalogue.Weights, folder: pathlib.Path) -> str:
    """Finds what is wrong with a folder of weights; empty if it is whole.

    Args:
      weights: The weights.
      folder: The folder that `download` left, or another program. The digests of its
        `origin.json` are compared, which the first versions did not write.
    """
    missing = [name for name in weights.files if not (folder / name).is_file()]
    if missing:
        return f"{missing[0]} is missing"
    try:
        origin = json.loads((folder / _ORIGIN).read_text(encoding="utf-8"))
        recorded = dict(origin.get("files", {}))
    except FileNotFoundError:
        return ""
    except (ValueError, AttributeError):
        return f"{_ORIGIN} is damaged"
    for name, digest in recorded.items():
        if _digest_file(folder / name) != digest:
            return f"{name} is not the file that came"
    return ""


@contextlib.contextmanager
def _lock(path: pathlib.Path, name: str) -> Iterator[None]:
    """Keeps other downloads of the same weights from writing the same files."""
    lock = filelock.FileLock(path, timeout=0)
    try:
        with lock:
            try:
                yield
            finally:
                # Windows refuses, and does it itself after the release.
                with contextlib.suppress(OSError):
                    path.unlink()
    except filelock.Timeout as error:
        raise InputError(
            f"{name} is being downloaded to {path.parent} by another process; wait for "
            "its end"
        ) from error


# === Keeping ===


def _fetch_files(weights: catalogue.Weights, target: pathlib.Path) -> None:
    """Downloads the weights' file and keeps what is wanted of it."""
    partial = target.with_name(f"{weights.name}.partial")
    digests = transfer.fetch(weights.url, partial, weights.md5)
    try:
        _install(weights, target, _unpack(weights, partial), digests)
    finally:
        transfer.discard(partial)


def _unpack(weights: catalogue.Weights, partial: pathlib.Path) -> dict[str, bytes]:
    """Returns the files to keep. A zip's entries are read by name, never unpacked."""
    if weights.url.endswith(".zip"):
        return sources.read_files(partial, weights.files)
    content = partial.read_bytes()
    if not content.startswith(_HDF5):
        raise InputError(f"{weights.url} is no HDF5 file; expected a Keras model")
    return {weights.files[0]: content}


def _install(
    weights: catalogue.Weights,
    target: pathlib.Path,
    files: dict[str, bytes],
    digests: dict[str, str],
) -> None:
    """Writes the weights' folder."""
    with _make_folder(target) as unfinished:
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        _write_record(weights, unfinished, digests)


@contextlib.contextmanager
def _make_folder(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """Makes a folder to write to, which takes the name of `target` at the end."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with name_failures(target):
            unfinished.mkdir()
            yield unfinished
            unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_record(
    weights: catalogue.Weights, folder: pathlib.Path, digests: dict[str, str]
) -> None:
    terms = f"{weights.licence}\n{weights.terms}\n"
    (folder / "LICENCE.txt").write_text(terms, encoding="utf-8")
    origin = {
        "name": weights.name,
        "teacher": weights.teacher,
        "url": weights.url,
        "licence": weights.licence,
        "verified": weights.md5 is not None,
        **digests,
        "files": {name: _digest_file(folder / name) for name in weights.files},
    }
    text = json.dumps(origin, indent=2) + "\n"
    (folder / _ORIGIN).write_text(text, encoding="utf-8")


def _digest_file(path: pathlib.Path) -> str:
    """Computes a file's SHA-256, hexadecimal; empty if it is not there."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_preset(weights: catalogue.Weights, target: pathlib.Path) -> None:
    """Lets keras-hub download and verify a preset, and keeps it."""
    from fgbg_tfds.depth import depth_anything  # Needs an extra of this package.

    with _make_folder(target) as unfinished:
        depth_anything.save_preset(weights.name, unfinished)
        _write_record(weights, unfinished, {})
