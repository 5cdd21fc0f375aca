"""Versions that come, limits, and mistakes of the command line."""

import http.client
import io
import json
import shutil
import socket
import sys

import numpy as np
import PIL.Image
import pytest
from serve_clients import encode, make_row, wait_for

from trainer.serve import __main__ as serve
from trainer.serve.servable import load_servable
from trainer.shipped import WEIGHTS_FILE


class Slow:
    """A client that has sent the half of a request."""

    def __init__(self, client, body, version=""):
        self.body = json.dumps(body).encode()
        self.connection = http.client.HTTPConnection("127.0.0.1", client.port)
        self.connection.putrequest("POST", f"/v1/models/fgbg{version}:predict")
        self.connection.putheader("Content-Length", str(len(self.body)))
        self.connection.endheaders(self.body[:100])

    def finish(self):
        """Sends the rest; gives the status and the answer."""
        self.connection.send(self.body[100:])
        answer = self.connection.getresponse()
        found = answer.status, json.load(answer)
        self.connection.close()
        return found


def read_states(client):
    found = client()[1]["model_version_status"]
    return {int(each["version"]): each["state"] for each in found}


def read_message(client, version):
    status, answer = client(f"/v1/models/fgbg/versions/{version}")
    if status == 404:
        return ""
    return answer["model_version_status"][0]["status"]["error_message"]


def test_a_version_that_appears_is_served_and_the_older_one_forgotten(
    start, pair, caplog
):
    caplog.set_level("INFO", logger="trainer")
    client = start(queue=1)
    body = {"signature_name": "compact", "instances": [make_row(*pair)]}
    # A request is taken by version 1 before it is forgotten.
    slow = Slow(client, body, "/versions/1")
    wait_for(lambda: client.predict(body)[0] == 503)
    partial = client.folder / "3.part"
    shutil.copytree(client.folder / "1", partial)
    (client.folder / "2").mkdir()  # no SavedModel
    (client.folder / "2" / "notes.txt").write_text("junk")
    partial.rename(client.folder / "3")
    wait_for(lambda: read_states(client) == {3: "AVAILABLE", 1: "END"})
    status, answer = slow.finish()
    assert status == 200
    wait_for(lambda: client.predict(body) == (200, answer))
    status, refused = client.predict(body, "/versions/1")
    assert status == 404
    assert "Specific(fgbg, 1); version 3 of fgbg is served" in refused["error"]

    # One that cannot be loaded is told, and the one before stays.
    broken = client.folder / "4"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"junk")
    wait_for(lambda: "4 cannot be loaded" in read_message(client, 4))
    assert client.predict(body) == (200, answer)
    assert "version 3 is served" in caplog.messages[-1]
    shutil.rmtree(broken)
    wait_for(lambda: read_states(client) == {3: "AVAILABLE", 1: "END"})
    shutil.copytree(client.folder / "1", client.folder / "4.part")
    (client.folder / "4.part").rename(broken)
    wait_for(lambda: read_states(client).get(4) == "AVAILABLE")
    assert read_message(client, 4) == ""


def test_a_version_that_is_named_is_served_until_a_newer_one_appears(tmp_path, start):
    folder = tmp_path / "export"
    shutil.copytree(folder / "1", folder / "2")
    client = start(asked=folder / "1")
    shutil.copytree(folder / "1", folder / "3")
    wait_for(lambda: read_states(client) == {3: "AVAILABLE", 1: "END"})


def test_a_pinned_version_stays(start, tmp_path):
    shutil.copytree(tmp_path / "export" / "1", tmp_path / "export" / "2")
    client = start(pin=True)
    assert read_states(client) == {1: "AVAILABLE"}
    assert client("/v1/models/fgbg/versions/2")[0] == 404


def test_what_is_too_much_is_refused(start, pair):
    client = start(queue=1, request_bytes=20_000)
    body = {"signature_name": "compact", "instances": [make_row(*pair)]}
    status, answer = client.predict(b" " * 30_000)
    assert status == 413 and "the request has more than 0.02 MB" in answer["error"]
    # The same in pieces, without a length.
    connection = http.client.HTTPConnection("127.0.0.1", client.port)
    pieces = iter([b" " * 10_000] * 3)
    connection.request("POST", "/v1/models/fgbg:predict", pieces)
    response = connection.getresponse()
    assert response.status == 413 and "0.02 MB" in json.load(response)["error"]
    connection.close()

    slow = Slow(client, body)
    wait_for(lambda: client.predict(body)[0] == 503)
    assert "busy: 1 requests wait already" in client.predict(body)[1]["error"]
    assert client()[0] == 200  # it still tells its state
    assert slow.finish()[0] == 200
    wait_for(lambda: client.predict(body)[0] == 200)

    # Two pairs of 5,400 pixels are 10,800 pixels; the limit is 10,000.
    rows = [make_row(*pair)] * 2
    assert client.predict({"instances": rows, "signature_name": "compact"})[0] == 200
    status, answer = client.predict({"instances": rows})
    assert status == 400 and "0.01 megapixels are looked at together" in answer["error"]
    grey = [[[9, 9, 9]] * 11] * 1000
    status, answer = client.predict(
        {"inputs": {"bg": [grey], "fgbg": [grey]}, "signature_name": "images"}
    )
    assert status in (400, 413)


def test_what_waits_is_refused_when_it_is_about_to_end(start, pair):
    client = start()
    body = {"instances": [make_row(*pair)]}
    slow = Slow(client, body)
    client.closing.append(True)
    assert slow.finish() == (503, {"error": "the server is about to end; ask another"})


def test_the_requests_that_wait_have_so_many_bytes_at_most(start, pair):
    client = start(waiting_bytes=1000)
    status, answer = client.predict({"instances": [make_row(*pair)] * 2})
    assert status == 503
    assert "busy: requests and answers that wait have 0 MB" in answer["error"]


def test_an_answer_that_is_not_read_counts_until_its_reader_is_gone(start, pair):
    client = start(pixels=2_000_000, waiting_bytes=1_000_000)
    grey = encode(np.full((1000, 1500, 3), 90, np.uint8))
    body = json.dumps({"instances": [make_row(grey, grey)]}).encode()
    small = {"instances": [make_row(*pair)]}
    with socket.socket() as slow:
        # The system takes some megabytes of an answer on its own.
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", client.port))
        head = f"POST /v1/models/fgbg:predict HTTP/1.0\r\nContent-Length: {len(body)}"
        slow.sendall(f"{head}\r\n\r\n".encode() + body)
        wait_for(lambda: client.predict(small)[0] == 503)
        assert "answers that wait have" in client.predict(small)[1]["error"]
    wait_for(lambda: client.predict(small)[0] == 200)


def test_the_pretrained_network_is_served_too(pair):
    servable = load_servable(WEIGHTS_FILE, 1)
    assert {*servable.signatures} == {
        *("serving_default", "images", "images_with_spread", "compact")
    }
    assert {*servable.signatures["compact"].outputs} == {
        *("mask_bytes", "depth_bytes", "height", "width", "area", "box")
    }
    bg, fgbg = (np.asarray(PIL.Image.open(io.BytesIO(file))) for file in pair)
    answers = servable.signatures["images"]({"bg": bg[None], "fgbg": fgbg[None]})
    there = np.zeros((60, 90), bool)
    there[20:45, 30:60] = True
    new = answers["mask"][0, ..., 0] >= 0.5
    assert (new & there).sum() > 0.8 * (new | there).sum()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model={0}/none"], "--model={0}/none does not exist; give a folder"),
        (["--model={0}/junk"], "--model={0}/junk cannot be loaded"),
        (["--model={0}/words.onnx"], "words.onnx: served are SavedModels"),
        (
            ["--port={1}"],
            "cannot be listened on (Address already in use); give another",
        ),
    ],
)
def test_a_mistake_of_the_command_is_one_line(tmp_path, capsys, flags, message):
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "saved_model.pb").write_bytes(b"junk")
    (tmp_path / "words.onnx").write_bytes(b"junk")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        names = tmp_path, taken.getsockname()[1]
        given = [flag.format(*names) for flag in flags]
        if not flags[0].startswith("--port"):
            given.append("--port=0")
        assert serve.main(given) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ") and message.format(*names) in last


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--port=99999", "99999 is no port, 0 to 65535"),
        ("--queue=0", "0 is no whole number from 1 on"),
        ("--max_request_mb=none", "none is no number above 0"),
        ("--name=a/b", "'a/b' is no name for an address"),
    ],
)
def test_a_flag_that_is_none_is_told(capsys, flag, message):
    with pytest.raises(SystemExit):
        serve.main([flag])
    assert message in capsys.readouterr().err


def test_a_missing_library_is_named_with_its_command(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert serve.main(["--port=0"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "error: serving: uvicorn is not installed; install it with: pip install "
        "'fgbg[serve]', or in this repository: pip install '.[serve]'"
    )
