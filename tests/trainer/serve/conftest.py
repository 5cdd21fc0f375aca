"""Servers on this machine, clients of them, and pairs of pictures."""

import contextlib
import pathlib
import re
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import uvicorn
from known_network import export_known
from serve_clients import Client, encode, wait_for

from trainer.serve.app import make_app
from trainer.serve.limits import Limits
from trainer.serve.repository import Repository

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture(scope="session")
def pair():
    """An empty scene and a scene with a square, as PNG; 60 rows, 90 columns."""
    pixels = np.linspace(60, 180, 60)[:, None, None] * np.ones((1, 90, 3))
    pixels = pixels.astype(np.uint8)
    new = pixels.copy()
    new[20:45, 30:60] = (200, 20, 20)
    return encode(pixels), encode(new)


@pytest.fixture(scope="session")
def known(tmp_path_factory):
    """A SavedModel of a network whose answers are known."""
    folder = tmp_path_factory.mktemp("known") / "1"
    export_known(folder)
    return folder


@pytest.fixture(scope="module")
def served(known, tmp_path_factory):
    """A client of the command, which serves version 1 of a network for all sizes."""
    folder = tmp_path_factory.mktemp("served") / "export"
    shutil.copytree(known, folder / "1")
    command = [sys.executable, "-m", "trainer.serve", f"--model={folder}", "--port=0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/v1/models/fgbg", line):
            break
    else:
        raise AssertionError("".join(said))
    client = Client(int(found[1]))
    client.process = process
    yield client
    process.kill()
    process.wait()
    process.stderr.close()


@pytest.fixture
def start(known, tmp_path):
    """A function of limits: a client of a server in this process, of its own folder.

    The client has `folder`, the folder of versions, and `closing`, a list that is not
    empty once the server is about to end.
    """
    folder = tmp_path / "export"
    shutil.copytree(known, folder / "1")
    with contextlib.ExitStack() as stack:

        def run(pin=False, asked=folder, **limits):
            chosen = {
                "queue": 8,
                "request_bytes": 100_000,
                "waiting_bytes": 1_000_000,
                "pixels": 10_000,
            }
            repository = Repository("fgbg", folder / "1", asked, pin)
            closing = []
            app = make_app(
                repository, Limits(**chosen | limits), 0.05, lambda: bool(closing)
            )
            config = uvicorn.Config(app, port=0, log_level="error")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run)
            thread.start()

            def stop():
                server.should_exit = True
                thread.join()

            stack.callback(stop)
            wait_for(lambda: server.started)
            client = Client(server.servers[0].sockets[0].getsockname()[1])
            client.folder, client.closing = folder, closing
            return client

        yield run
