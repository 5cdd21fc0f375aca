"""Memory of `trainer.predict` on a live camera of many frames.

    python benchmarks/live_memory.py --frames 100000

Serves a stream on this machine (MPEG-TS over HTTP, made as fast as it is taken), and
lets the command answer it with a scene that keeps up, until the stream ends. Frames
that come faster than they are answered are dropped, as of any camera. Prints a Markdown
table: frames that were served so far, and the command's resident memory.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import PIL.Image

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests"))

from streams import serve

LINES = 10


def main() -> None:
    """Serves, watches and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--columns", type=int, default=64)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    scene = rng.uniform(60, 160, (arguments.rows, arguments.columns, 3)).astype("u1")
    processes: list[subprocess.Popen] = []
    viewers = []

    def film():
        viewers.append(1)
        if len(viewers) == 1:  # it only asks for the size
            yield from [scene] * 50
            return
        if len(viewers) > 2:
            return
        every = max(1, arguments.frames // LINES)
        side = arguments.rows // 3
        for number in range(arguments.frames):
            if number % every == 0:
                print(f"| {number} | {read_memory(processes[0]):.0f} |", flush=True)
            frame = scene.copy()
            left = number // 25 % arguments.columns
            frame[side : 2 * side, left : left + side] = 250
            yield frame
        print(f"| {arguments.frames} | {read_memory(processes[0]):.0f} |", flush=True)

    print("| frames served | MB |\n|---|---|")
    with serve(film) as address, tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        PIL.Image.fromarray(scene).save(out / "empty.png")
        command = [
            *(sys.executable, "-m", "trainer.predict", f"--out={out / 'out'}"),
            *(f"--background={out / 'empty.png'}", "--settle=1", "--patience=5"),
            *("--write=objects", address),
        ]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        _, said = process.communicate()
        print("\n" + "\n".join(said.splitlines()[-2:]))


def read_memory(process: subprocess.Popen) -> float:
    """Reads the resident memory of a process, MB."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
