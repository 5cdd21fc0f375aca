"""Load on `python -m trainer.serve`: nothing lost, and memory that stays.

    python benchmarks/serve_load.py --background empty.jpg --frame frame.jpg

Starts the server on a free port of this machine and sends it rounds of requests, all
of a round at once. One in `--damaged_every` has a damaged picture: half a file, no
picture, or few bytes with more pixels than fit. Prints the bytes of an answer by
`compact` and by `serving_default`, and a Markdown table with a row a round: requests
that were answered right, refused right, and lost; the median and the 95th percentile
of their seconds, all of a round waiting in one queue; and the server's resident memory.

Right is an answer that is byte for byte that of the request that was sent alone, and a
refusal with status 400 that names the picture. All else is lost.
"""

from __future__ import annotations

import argparse
import base64
import concurrent.futures
import io
import json
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import PIL.Image

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Starts the server, asks it and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="pretrained")
    parser.add_argument("--background", type=pathlib.Path, help="default: drawn")
    parser.add_argument("--frame", type=pathlib.Path, help="default: drawn")
    parser.add_argument("--size", default="640x480", help="WIDTHxHEIGHT to resize to")
    parser.add_argument("--requests", type=int, default=100, help="of a round, at once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--damaged_every", type=int, default=5)
    arguments = parser.parse_args()
    size = tuple(map(int, arguments.size.split("x")))
    bg = read_picture(arguments.background, size, new=False)
    fgbg = read_picture(arguments.frame, size, new=True)
    process, address = start_server(arguments.model)
    try:
        good = make_body("compact", bg, fgbg)
        _, right = ask(address, good)
        _, plain = ask(address, make_body("serving_default", bg, fgbg))
        print(
            f"One answer for {size[0]} x {size[1]} pixels: {len(right):,} bytes by "
            f"compact, {len(plain):,} by serving_default.\n"
        )
        damaged = [make_body("compact", bg, f) for f in damage(fgbg)]
        head = "round", "right", "refused right", "lost", "p50 s", "p95 s", "RSS MB"
        print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        print(f"| before | | | | | | {read_memory(process):.0f} |", flush=True)
        for number in range(1, arguments.rounds + 1):
            bodies = [
                damaged[index // arguments.damaged_every % len(damaged)]
                if index % arguments.damaged_every == 0
                else good
                for index in range(arguments.requests)
            ]
            print_round(number, address, bodies, good, right, process)
    finally:
        process.send_signal(signal.SIGTERM)
        print(f"\nThe server's exit status: {process.wait(60)}")


def print_round(number, address, bodies, good, right, process) -> None:
    """Sends all requests of a round at once, and prints its row."""

    def ask_one(body):
        began = time.perf_counter()
        status, answer = ask(address, body)
        return body is good, status, answer, time.perf_counter() - began

    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as clients:
        answers = list(clients.map(ask_one, bodies))
    answered = sum(whole and answer == right for whole, _, answer, _ in answers)
    refused = sum(
        not whole and status == 400 and b"instances[0].fgbg_bytes" in answer
        for whole, status, answer, _ in answers
    )
    p50, p95 = np.percentile([seconds for *_, seconds in answers], (50, 95))
    cells = number, answered, refused, len(bodies) - answered - refused
    print(
        f"| {' | '.join(map(str, cells))} | {p50:.1f} | {p95:.1f} | "
        f"{read_memory(process):.0f} |",
        flush=True,
    )


def read_picture(path: pathlib.Path | None, size: tuple[int, ...], new: bool) -> bytes:
    """Reads a picture, or draws one, of a size in pixels, as JPEG."""
    if path:
        picture = PIL.Image.open(path).convert("RGB").resize((size[0], size[1]))
    else:
        noise = np.random.default_rng(0).normal(0, 6, (size[1], size[0], 3))
        pixels = np.linspace(60, 180, size[1])[:, None, None] + noise
        if new:
            pixels[size[1] // 3 : size[1] // 2, size[0] // 3 : size[0] // 2] = 20
        picture = PIL.Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    memory = io.BytesIO()
    picture.save(memory, "JPEG", quality=92)
    return memory.getvalue()


def damage(file: bytes) -> list[bytes]:
    """Makes files that are to be refused."""
    bomb = io.BytesIO()
    PIL.Image.new("1", (12_000, 12_000)).save(bomb, "PNG")
    return [file[: len(file) // 2], b"no picture at all", bomb.getvalue()]


def make_body(signature: str, bg: bytes, fgbg: bytes) -> bytes:
    """Makes the request for a pair of picture files."""
    files = {"bg_bytes": bg, "fgbg_bytes": fgbg}
    row = {n: {"b64": base64.b64encode(f).decode()} for n, f in files.items()}
    return json.dumps({"signature_name": signature, "instances": [row]}).encode()


def ask(address: str, body: bytes) -> tuple[int, bytes]:
    """Sends a request; gives the status, 0 for none, and the answer."""
    request = urllib.request.Request(f"{address}:predict", body)
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def start_server(model: str) -> tuple[subprocess.Popen, str]:
    """Starts the server; gives its process and the model's address."""
    command = [sys.executable, "-m", "trainer.serve", f"--model={model}", "--port=0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(rf"http://{LOOPBACK}:\d+/v1/models/\w+", line):
            return process, found[0]
    raise SystemExit("".join(said))


def read_memory(process: subprocess.Popen) -> float:
    """Reads the resident memory of a process, MB."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
