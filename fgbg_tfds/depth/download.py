"""Downloads original weights: verified, resumable and atomic.

The licence is printed before the download and kept beside the weights.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import pathlib
import shutil
import urllib.error
import urllib.request

import tqdm

from fgbg_tfds.depth import catalogue
from fgbg_tfds.depth.checkpoints import sources
from fgbg_tfds.errors import InputError

_BLOCK = 2**18  # Bytes read at a time.
_HDF5 = b"\x89HDF\r\n\x1a\n"
_PATIENCE = 60  # Seconds without a byte after which a connection is given up.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "name", choices=catalogue.CATALOGUE, help="the weights' name", metavar="NAME"
    )
    parser.add_argument(
        "--folder",
        type=pathlib.Path,
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
    """Downloads weights unless they are there.

    A download that was cut short is continued, if the server still has the same file.
    A file that does not match the checksum is deleted.

    Args:
      weights: Weights to download, with their checksum.
      folder: Folder of weights; they get a subfolder of their own name.

    Returns:
      The folder with the weights' files, `LICENCE.txt` and `origin.json`.

    Raises:
      InputError: If the server cannot be reached or closes the connection, or if
        checksum or content are wrong.
    """
    target = folder / weights.name
    if target.exists():
        return target
    if not weights.url:
        _fetch_preset(weights, target)
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{weights.name}.partial"
    digests = _fetch(weights, partial)
    try:
        files = _unpack(weights, partial)
        _install(weights, target, files, digests)
    finally:
        partial.unlink(missing_ok=True)
        _locate_etag(partial).unlink(missing_ok=True)
    return target


# === Fetching ===


def _locate_etag(partial: pathlib.Path) -> pathlib.Path:
    """Returns the path of the note of the server's name for this version."""
    return partial.with_name(partial.name + ".etag")


def _fetch(weights: catalogue.Weights, partial: pathlib.Path) -> dict[str, str]:
    """Downloads into `partial`, or continues it; returns the digests of the file."""
    digests = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    request = urllib.request.Request(weights.url)
    etag_file = _locate_etag(partial)
    if partial.exists() and etag_file.exists():
        request.add_header("Range", f"bytes={partial.stat().st_size}-")
        request.add_header("If-Range", etag_file.read_text())
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as response:
            _receive(response, weights, partial, digests)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            etag_file.unlink()
            return _fetch(weights, partial)
        raise InputError(
            f"{weights.url} cannot be fetched: HTTP status {error.code}; expected 200"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{weights.url} cannot be fetched: {reason or type(error).__name__}; run "
            "the command again to go on from where it stopped"
        ) from error
    found = {name: digest.hexdigest() for name, digest in digests.items()}
    if weights.md5 and found["md5"] != weights.md5:
        partial.unlink()
        raise InputError(
            f"{weights.url} has the MD5 {found['md5']}; expected {weights.md5}, so it "
            "was deleted"
        )
    return found


def _receive(
    response: http.client.HTTPResponse,
    weights: catalogue.Weights,
    partial: pathlib.Path,
    digests: dict,
) -> None:
    """Writes the response's body, and hashes it with the bytes before it."""
    continued = response.status == http.HTTPStatus.PARTIAL_CONTENT
    there = partial.stat().st_size if continued else 0
    etag = response.headers.get("ETag", "")
    # A weak tag does not promise the same bytes.
    if etag and not etag.startswith("W/"):
        _locate_etag(partial).write_text(etag)
    else:
        _locate_etag(partial).unlink(missing_ok=True)
    length = response.headers.get("Content-Length")
    total = there + int(length) if length else None
    bar = tqdm.tqdm(total=total, unit="B", unit_scale=True, desc=weights.name)
    with bar, partial.open("r+b" if continued else "wb") as file:
        while file.tell() < there:
            block = file.read(min(_BLOCK, there - file.tell()))
            bar.update(_hash(block, digests))
        while block := response.read(_BLOCK):
            file.write(block)
            bar.update(_hash(block, digests))
        if total is not None and file.tell() != total:
            raise http.client.IncompleteRead(b"", total - file.tell())


def _hash(block: bytes, digests: dict) -> int:
    for digest in digests.values():
        digest.update(block)
    return len(block)


# === Keeping ===


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
    """Writes the weights' folder under another name, then renames it."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name, content in files.items():
        (unfinished / name).write_bytes(content)
    _write_record(weights, unfinished, digests)
    unfinished.rename(target)


def _write_record(
    weights: catalogue.Weights, folder: pathlib.Path, digests: dict[str, str]
) -> None:
    (folder / "LICENCE.txt").write_text(f"{weights.licence}\n{weights.terms}\n")
    origin = {
        "name": weights.name,
        "teacher": weights.teacher,
        "url": weights.url,
        "licence": weights.licence,
        "verified": weights.md5 is not None,
        **digests,
    }
    (folder / "origin.json").write_text(json.dumps(origin, indent=2) + "\n")


def _fetch_preset(weights: catalogue.Weights, target: pathlib.Path) -> None:
    """Lets keras-hub download and verify a preset, and keeps it."""
    from fgbg_tfds.depth import depth_anything  # Needs an extra of this package.

    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        depth_anything.save_preset(weights.name, unfinished)
        _write_record(weights, unfinished, {})
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
