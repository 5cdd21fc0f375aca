"""Start, speed and memory of the page, `python -m trainer.demo`.

    python benchmarks/page.py --looks 100 --users 4

Starts the page, waits until it answers and until its network is loaded, and lets
several users look at a drawn example at once, through gradio_client. Prints a Markdown
table: seconds, and resident memory of the page's process.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLES = ROOT / "trainer" / "demo" / "examples"


def main() -> None:
    """Starts, looks and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--looks", type=int, default=100)
    parser.add_argument("--users", type=int, default=4)
    arguments = parser.parse_args()
    print(f"load of this machine before: {os.getloadavg()[0]:.1f}")
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer.demo", "--port=0"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = wait_for(process, r"(http://\S+) is up")
        with urllib.request.urlopen(address) as page:
            page.read()
        print("| | |\n|---|---|")
        print(f"| the page answers after | {time.monotonic() - begun:.1f} s |")
        wait_for(process, "(network is loaded)")
        print(f"| its network is loaded after | {time.monotonic() - begun:.1f} s |")
        print(f"| memory then | {read_memory(process):.0f} MB |")
        look(address, arguments.users)
        print(f"| memory after a look of each | {read_memory(process):.0f} MB |")
        each = arguments.looks // arguments.users
        begun = time.monotonic()
        with ThreadPoolExecutor(arguments.users) as pool:
            list(pool.map(lambda _: look(address, each), range(arguments.users)))
        seconds = (time.monotonic() - begun) / (each * arguments.users)
        print(f"| a look, {arguments.users} users at once | {seconds:.2f} s |")
        memory = read_memory(process)
        print(f"| memory after {each * arguments.users} more | {memory:.0f} MB |")
    finally:
        process.terminate()
        process.communicate()


def wait_for(process: subprocess.Popen, pattern: str) -> str:
    """Waits for a line of the page's log."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found[1]
    raise SystemExit("the page ended")


def look(address: str, number: int) -> None:
    """Looks as one user, several times, at the example of two cars."""
    from gradio_client import Client, handle_file

    pair = [handle_file(EXAMPLES / f"street_{n}.jpg") for n in ("empty", "cars")]
    with tempfile.TemporaryDirectory() as folder:
        client = Client(address, verbose=False, download_files=folder)
        for _ in range(number):
            answer = client.predict(*pair, 0.5, 0.05, api_name="/look_at_pictures")
            assert any("<table" in str(part) for part in answer), answer


def read_memory(process: subprocess.Popen) -> float:
    """Reads the resident memory of a process, MB."""
    pages = pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
