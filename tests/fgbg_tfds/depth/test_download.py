"""Downloads from a server on the loopback address, whole, cut, wrong and hostile."""

import dataclasses
import hashlib
import http.server
import io
import json
import os
import signal
import threading
import zipfile

import pytest

from fgbg_tfds.depth import __main__ as command_line
from fgbg_tfds.depth import catalogue, download
from fgbg_tfds.errors import InputError


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.files`; cuts a connection off after `server.cut` bytes."""

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        if self.path not in server.files:
            self.send_error(404)
            return
        content = server.files[self.path]
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        start = 0
        wanted = self.headers.get("Range")
        if wanted and self.headers.get("If-Range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if server.etags:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : server.cut])
        if server.when_cut:
            self.wfile.flush()
            server.when_cut()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.files, server.requests, server.cut, server.etags = {}, [], None, True
        server.when_cut = None
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def pack(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


ENCODER, DEPTH = bytes(range(256)) * 3000, b"depth" * 1000
GOOD = pack(
    [
        ("mono+stereo_640x192/encoder.pth", ENCODER),
        ("mono+stereo_640x192/depth.pth", DEPTH),
        ("mono+stereo_640x192/pose.pth", b"not needed"),
    ]
)


@pytest.fixture
def offer(server):
    """Returns a function that serves a zip and describes it as the catalogue does."""

    def serve(content, md5=None, name="weights.zip"):
        server.files[f"/{name}"] = content
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        md5 = md5 or hashlib.md5(content).hexdigest()
        entry = catalogue.CATALOGUE["mono+stereo_640x192"]
        return dataclasses.replace(entry, url=url, md5=md5)

    return serve


def test_weights_arrive_with_their_licence_and_origin(offer, tmp_path):
    weights = offer(GOOD)
    path = download.download(weights, tmp_path)
    assert path == tmp_path / "mono+stereo_640x192"
    assert (path / "encoder.pth").read_bytes() == ENCODER
    assert (path / "depth.pth").read_bytes() == DEPTH
    assert "non-commercial" in (path / "LICENCE.txt").read_text()
    origin = json.loads((path / "origin.json").read_text())
    assert origin["url"] == weights.url and origin["md5"] == weights.md5
    assert origin["sha256"] == hashlib.sha256(GOOD).hexdigest()
    assert origin["verified"] is True
    assert {file.name for file in path.iterdir()} == {
        *("encoder.pth", "depth.pth", "LICENCE.txt", "origin.json")
    }
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_there_is_not_fetched_again(offer, server, tmp_path):
    weights = offer(GOOD)
    download.download(weights, tmp_path)
    download.download(weights, tmp_path)
    assert len(server.requests) == 1


def test_a_wrong_checksum_leaves_nothing(offer, tmp_path):
    weights = offer(GOOD, md5="0" * 32)
    with pytest.raises(InputError, match="expected 00000000"):
        download.download(weights, tmp_path)
    assert not (tmp_path / weights.name).exists()
    assert not list(tmp_path.glob("*.partial"))


def test_a_cut_connection_is_continued(offer, server, tmp_path):
    weights = offer(GOOD)
    server.cut = len(GOOD) // 2
    with pytest.raises(InputError, match="run the command again"):
        download.download(weights, tmp_path)
    assert not (tmp_path / weights.name).exists()
    server.cut = None
    path = download.download(weights, tmp_path)
    assert server.requests[1]["Range"] == f"bytes={len(GOOD) // 2}-"
    assert (path / "encoder.pth").read_bytes() == ENCODER
    assert list(tmp_path.iterdir()) == [path]


def test_a_cut_connection_starts_anew_if_the_file_changed(offer, server, tmp_path):
    weights = offer(GOOD)
    server.cut = len(GOOD) // 2
    with pytest.raises(InputError, match="run the command again"):
        download.download(weights, tmp_path)
    server.cut = None
    other = pack([("encoder.pth", b"new"), ("depth.pth", b"new too")])
    path = download.download(offer(other), tmp_path)
    assert (path / "encoder.pth").read_bytes() == b"new"


def test_a_cut_connection_starts_anew_without_an_etag(offer, server, tmp_path):
    weights = offer(GOOD)
    server.cut, server.etags = len(GOOD) // 2, False
    with pytest.raises(InputError, match="run the command again"):
        download.download(weights, tmp_path)
    server.cut = None
    path = download.download(weights, tmp_path)
    assert "Range" not in server.requests[1]
    assert (path / "encoder.pth").read_bytes() == ENCODER


def test_all_fetched_but_not_kept_is_fetched_anew(offer, server, tmp_path):
    weights = offer(GOOD)
    (tmp_path / f"{weights.name}.partial").write_bytes(GOOD)
    etag = f'"{hashlib.md5(GOOD).hexdigest()}"'
    (tmp_path / f"{weights.name}.partial.etag").write_text(etag)
    path = download.download(weights, tmp_path)
    assert (path / "depth.pth").read_bytes() == DEPTH


def test_an_unreachable_server_is_one_sentence(offer, server, tmp_path):
    weights = offer(GOOD)
    missing = dataclasses.replace(weights, url=weights.url + ".gone")
    with pytest.raises(InputError, match="HTTP status 404"):
        download.download(missing, tmp_path)
    nowhere = dataclasses.replace(weights, url="http://127.0.0.1:1/weights.zip")
    with pytest.raises(InputError, match="cannot be fetched"):
        download.download(nowhere, tmp_path)


def bomb():
    """A zip whose directory claims more than anyone wants to unpack."""
    content = bytearray(pack([("encoder.pth", b"x"), ("depth.pth", b"x")]))
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            pack([("../../encoder.pth", b"a"), ("/encoder.pth", b"b")]),
            "holds 2 files encoder.pth",
        ),
        (pack([("encoder.pth", b"a")]), "holds 0 files depth.pth"),
        (bomb(), "unpacks to 2147483648 bytes"),
        (b"PK\x03\x04 no zip at all", "neither a folder nor a zip"),
        (GOOD[:-3000] + b"\0" * 20, "neither a folder nor a zip"),
    ],
    ids=["twice", "incomplete", "bomb", "none", "truncated"],
)
def test_hostile_zips_are_refused(offer, tmp_path, content, words):
    inner = tmp_path / "a" / "b" / "weights"
    with pytest.raises(InputError, match=words.replace(".", r"\.")):
        download.download(offer(content), inner)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_names_in_a_zip_cannot_lead_out_of_the_folder(offer, tmp_path):
    content = pack(
        [
            ("../../../encoder.pth", ENCODER),
            ("/absolute/../depth.pth", DEPTH),
            ("../evil.txt", b"evil"),
        ]
    )
    inner = tmp_path / "a" / "b" / "weights"
    path = download.download(offer(content), inner)
    found = {file for file in tmp_path.rglob("*") if file.is_file()}
    names = ("encoder.pth", "depth.pth", "LICENCE.txt", "origin.json")
    assert found == {path / name for name in names}


def test_without_a_checksum_the_record_says_so(offer, tmp_path):
    h5 = b"\x89HDF\r\n\x1a\n and so on"
    weights = dataclasses.replace(
        catalogue.CATALOGUE["nyu"], url=offer(h5, name="nyu.h5").url
    )
    path = download.download(weights, tmp_path)
    assert (path / "nyu.h5").read_bytes() == h5
    origin = json.loads((path / "origin.json").read_text())
    assert origin["verified"] is False
    assert origin["sha256"] == hashlib.sha256(h5).hexdigest()
    wrong = dataclasses.replace(weights, url=offer(b"<html>", name="x.h5").url)
    with pytest.raises(InputError, match="no HDF5 file"):
        download.download(dataclasses.replace(wrong, name="kitti"), tmp_path)


def test_the_command_prints_the_licence_first(offer, tmp_path, monkeypatch, capsys):
    weights = offer(GOOD)
    monkeypatch.setitem(catalogue.CATALOGUE, weights.name, weights)
    monkeypatch.setenv("FGBG_WEIGHTS", str(tmp_path))
    assert command_line.main(["download", weights.name]) == 0
    printed = capsys.readouterr()
    licence, place = (printed.out.index(w) for w in ("non-commercial", str(tmp_path)))
    assert licence < place
    assert "100%" in printed.err
    assert catalogue.locate("monodepth2", weights.name) == tmp_path / weights.name


def test_the_command_fails_in_one_sentence(offer, tmp_path, monkeypatch, capsys):
    weights = offer(GOOD, md5="0" * 32)
    monkeypatch.setitem(catalogue.CATALOGUE, weights.name, weights)
    folder = str(tmp_path)
    assert command_line.main(["download", weights.name, "--folder", folder]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and "MD5" in error


# === Folders that are not as they should be ===


@pytest.fixture
def fetch(offer, monkeypatch):
    """A function of a folder: runs the command on weights that are whole."""
    weights = offer(GOOD)
    monkeypatch.setitem(catalogue.CATALOGUE, weights.name, weights)
    words = ("download", weights.name, "--folder")
    return lambda folder: command_line.main([*words, str(folder)])


def test_places_that_cannot_be_written_to_are_told_first(
    fetch, server, refusing_place, capsys
):
    assert fetch(refusing_place) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {refusing_place}: cannot be written to (")
    assert server.requests == []


def test_the_folder_may_be_in_the_home_folder(fetch, home, monkeypatch):
    assert fetch("~/weights") == 0
    assert (home / "weights" / "mono+stereo_640x192" / "depth.pth").exists()
    monkeypatch.setenv("FGBG_WEIGHTS", "~/weights")
    assert catalogue.locate("monodepth2", "mono+stereo_640x192").parent.parent == home


def remove(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    ("spoil", "name", "said"),
    [
        (remove, "depth.pth", "depth.pth is missing"),
        (cut, "encoder.pth", "encoder.pth is not the file that came"),
        (cut, "origin.json", "origin.json is damaged"),
    ],
)
def test_a_half_of_weights_is_not_taken_for_all(
    fetch, tmp_path, capsys, spoil, name, said
):
    assert fetch(tmp_path) == 0
    target = tmp_path / "mono+stereo_640x192"
    spoil(target / name)
    assert fetch(tmp_path) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {target} is not whole: {said}; remove")
    target.rename(tmp_path / "aside")
    assert fetch(tmp_path) == 0


def test_weights_that_somebody_else_put_there_are_taken(fetch, server, tmp_path):
    target = tmp_path / "mono+stereo_640x192"
    target.mkdir()
    for name in ("encoder.pth", "depth.pth"):
        (target / name).write_bytes(b"own")
    assert fetch(tmp_path) == 0
    assert server.requests == []


def test_two_downloads_do_not_write_the_same_file(fetch, server, tmp_path, capsys):
    second = []
    server.cut = len(GOOD) // 2
    server.when_cut = lambda: second.append(fetch(tmp_path))
    assert fetch(tmp_path) == 1  # it was cut, which is not of interest here
    assert second == [1] and len(server.requests) == 1
    assert "being downloaded to" in capsys.readouterr().err
    server.cut = server.when_cut = None
    assert fetch(tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mono+stereo_640x192"]


def test_ctrl_c_leaves_a_download_that_goes_on(ctrl_c, fetch, server, tmp_path, capsys):
    server.cut = len(GOOD) // 2
    note = tmp_path / "mono+stereo_640x192.partial.etag"

    def interrupt():
        while not (note.exists() and note.read_bytes()):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    server.when_cut = interrupt
    assert fetch(tmp_path) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "stopped; finished files stay"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mono+stereo_640x192.partial",
        "mono+stereo_640x192.partial.etag",
    ]
    server.cut = server.when_cut = None
    assert fetch(tmp_path) == 0
    assert server.requests[1]["Range"].startswith("bytes=")
    assert [path.name for path in tmp_path.iterdir()] == ["mono+stereo_640x192"]


def test_a_full_disk_is_not_called_a_broken_connection(
    fetch, tmp_path, capsys, full_disk
):
    with full_disk():
        assert fetch(tmp_path) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {tmp_path}") and "cannot be written" in error
    assert not (tmp_path / "mono+stereo_640x192").exists()
    assert fetch(tmp_path) == 0


@pytest.mark.parametrize("note", [b"", b"\xff\xfe", b'"a"\r\nHost: evil'])
def test_a_damaged_note_starts_anew(fetch, server, tmp_path, note):
    partial = tmp_path / "mono+stereo_640x192.partial"
    partial.write_bytes(GOOD[:100])
    partial.with_name(partial.name + ".etag").write_bytes(note)
    assert fetch(tmp_path) == 0
    assert server.requests[0].get("If-Range", "ÿþ") == "ÿþ"


def test_every_address_is_the_authors_own_and_encrypted():
    for entry in catalogue.CATALOGUE.values():
        if entry.teacher != "depth_anything":
            assert entry.url.startswith("https://")
        assert entry.terms and entry.licence
    md5 = [e.md5 for e in catalogue.CATALOGUE.values() if e.teacher == "monodepth2"]
    assert len(set(md5)) == len(md5) == 9 and all(len(each) == 32 for each in md5)
