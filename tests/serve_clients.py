"""Clients of `python -m trainer.serve`, for its tests."""

import base64
import io
import json
import time
import urllib.error
import urllib.request

import numpy as np
import PIL.Image

DEADLINE = 60  # seconds that a state is waited for


def wait_for(condition):
    """Waits until a function gives something true, and gives that."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{condition} did not come true")


class Client:
    """Asks a server: gives the status and what its JSON says."""

    def __init__(self, port):
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def __call__(self, path="/v1/models/fgbg", body=None):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, body)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def predict(self, body, version=""):
        return self(f"/v1/models/fgbg{version}:predict", body)


def encode(pixels, kind="PNG"):
    memory = io.BytesIO()
    PIL.Image.fromarray(pixels).save(memory, kind)
    return memory.getvalue()


def decode(value):
    return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(value["b64"]))))


def make_row(bg, fgbg):
    files = {"bg_bytes": bg, "fgbg_bytes": fgbg}
    return {n: {"b64": base64.b64encode(f).decode()} for n, f in files.items()}
