"""The transfer of one file over HTTP: verified, and resumed where it was cut."""

from __future__ import annotations

import hashlib
import http.client
import pathlib
import urllib.error
import urllib.request

import tqdm

from fgbg_tfds.errors import InputError
from fgbg_tfds.files import name_failures

_BLOCK = 2**18  # Bytes read at a time.
_PATIENCE = 60  # Seconds without a byte after which a connection is given up.


def fetch(url: str, partial: pathlib.Path, md5: str | None) -> dict[str, str]:
    """Downloads a file, or continues with it if the server still has the same one.

    Args:
      url: The file's address.
      partial: The path to write to. It stays if the connection is cut, and so does a
        note beside it, from which the next call goes on; see `discard`.
      md5: The checksum that the file must have; None if there is none.

    Returns:
      The file's hex digests, 'md5' and 'sha256'.

    Raises:
      InputError: If the server cannot be reached or closes the connection, if the
        file cannot be written, or if the checksum is another; the file is deleted then.
    """
    digests = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    request = urllib.request.Request(url)
    etag = _read_etag(partial)
    if etag:
        request.add_header("Range", f"bytes={partial.stat().st_size}-")
        request.add_header("If-Range", etag)
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as response:
            _receive(response, partial, digests)
    except urllib.error.HTTPError as error:
        if etag and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            discard(partial)
            return fetch(url, partial, md5)
        raise InputError(
            f"{url} cannot be fetched: HTTP status {error.code}; expected 200"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{url} cannot be fetched: {reason or type(error).__name__}; run the "
            "command again to go on from where it stopped"
        ) from error
    found = {name: digest.hexdigest() for name, digest in digests.items()}
    if md5 and found["md5"] != md5:
        discard(partial)
        raise InputError(
            f"{url} has the MD5 {found['md5']}; expected {md5}, so it was deleted"
        )
    return found


def discard(partial: pathlib.Path) -> None:
    """Deletes a file that `fetch` wrote, and the note beside it."""
    partial.unlink(missing_ok=True)
    _locate_etag(partial).unlink(missing_ok=True)


def _locate_etag(partial: pathlib.Path) -> pathlib.Path:
    """Returns the path of the note of the server's name for this version."""
    return partial.with_name(partial.name + ".etag")


def _read_etag(partial: pathlib.Path) -> str:
    """Reads the server's name for this version; empty if it cannot be continued."""
    note = _locate_etag(partial)
    if not partial.exists() or not note.exists():
        return ""
    etag = note.read_text("latin-1").strip()
    return etag if etag.isprintable() else ""


def _receive(
    response: http.client.HTTPResponse, partial: pathlib.Path, digests: dict
) -> None:
    """Writes the response's body, and hashes it with the bytes before it."""
    continued = response.status == http.HTTPStatus.PARTIAL_CONTENT
    etag = response.headers.get("ETag", "")
    with name_failures(partial):
        if not continued:
            discard(partial)  # first, or its bytes might pass for the new version's
        file = partial.open("r+b" if continued else "wb")
        # A weak tag does not promise the same bytes.
        if not etag or etag.startswith("W/"):
            _locate_etag(partial).unlink(missing_ok=True)
        else:
            _locate_etag(partial).write_text(etag, "latin-1")
    there = partial.stat().st_size
    length = response.headers.get("Content-Length")
    total = there + int(length) if length else None
    bar = tqdm.tqdm(total=total, unit="B", unit_scale=True, desc=partial.stem)
    with bar, file:
        while file.tell() < there:
            block = file.read(min(_BLOCK, there - file.tell()))
            bar.update(_hash(block, digests))
        while block := response.read(_BLOCK):
            with name_failures(partial):
                file.write(block)
                file.flush()
            bar.update(_hash(block, digests))
        if total is not None and file.tell() != total:
            raise http.client.IncompleteRead(b"", total - file.tell())


def _hash(block: bytes, digests: dict) -> int:
    for digest in digests.values():
        digest.update(block)
    return len(block)
