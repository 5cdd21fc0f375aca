"""Opens a page in which a trained network looks at pictures, videos and a webcam.

python -m trainer.demo
python -m trainer.demo --model=runs/cpu --port=8000
"""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import pathlib
import shutil
import socket
import tempfile
import threading

from trainer.command_line import make_main, start
from trainer.errors import UserError
from trainer.extras import import_extra
from trainer.predict import add_model, find_model, parse_port, parse_positive

LOG = logging.getLogger("trainer")

HOST, PORT = "127.0.0.1", 7860
MAX_UPLOAD_MB, MAX_FRAMES = 100, 32
SESSIONS = 12  # users whose answers are kept; of more, the longest idle ones' go


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        "python -m trainer.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model(parser)
    parser.add_argument(
        "--host",
        default=HOST,
        metavar="ADDRESS",
        help="address of this machine to listen on; 0.0.0.0 is all of them, and lets "
        f"in everybody who reaches this machine (default: {HOST}, this machine alone)",
    )
    parser.add_argument(
        "--port",
        type=parse_port,
        default=PORT,
        metavar="N",
        help=f"0 is any that is free (default: {PORT})",
    )
    parser.add_argument(
        "--max_upload_mb",
        type=parse_positive,
        default=MAX_UPLOAD_MB,
        metavar="N",
        help=f"megabytes of an upload, at most (default: {MAX_UPLOAD_MB})",
    )
    parser.add_argument(
        "--max_frames",
        type=parse_positive,
        default=MAX_FRAMES,
        metavar="N",
        help="frames of a video that are answered, evenly spread, at most; fewer of "
        f"large ones (default: {MAX_FRAMES})",
    )
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Serves the page until Ctrl-C or SIGTERM.

    Raises:
      UserError: If Gradio is not installed, the port is taken, or the network cannot
        be loaded.
    """
    model = find_model(arguments.model)
    port = _find_port(arguments.host, arguments.port)
    own = tempfile.mkdtemp(prefix="fgbg-demo-")
    try:
        _serve(arguments, model, port, own)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _serve(
    arguments: argparse.Namespace, model: pathlib.Path, port: int, own: str
) -> None:
    # All files of the page lie in one folder, uploads on their way too.
    tempfile.tempdir = own
    os.environ["GRADIO_TEMP_DIR"] = str(pathlib.Path(own) / "shown")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Gradio asks its own page whether it is up, and never through a proxy.
    hosts = [os.environ.get("NO_PROXY"), arguments.host, "localhost", HOST]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, hosts))
    import_extra("gradio", "demo", "the page")
    from trainer.demo.handlers import Handlers
    from trainer.demo.network import SharedNetwork
    from trainer.demo.server import close_page, open_page

    network = SharedNetwork()
    page = open_page(
        Handlers(network, arguments.max_frames),
        arguments.host,
        port,
        arguments.max_upload_mb,
        SESSIONS,
    )
    try:
        LOG.info("http://%s:%d is up; Ctrl-C ends it", arguments.host, port)
        if not _is_local(arguments.host):
            LOG.warning("whoever reaches this machine can use the page")
        network.load(model)
        LOG.info("the network is loaded")
        threading.Event().wait()
    except KeyboardInterrupt:
        LOG.info("the page is closed")
    finally:
        close_page(page)


def _find_port(host: str, port: int) -> int:
    """Finds the port to listen on; 0 is any that is free.

    Raises:
      UserError: If it is taken, or the address is not of this machine.
    """
    try:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
            return trial.getsockname()[1]
    except socket.gaierror as error:
        raise UserError(
            f"--host={host} is no address; give one of this machine, such as {HOST}"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"--host={host} --port={port}: cannot listen there ({reason}); give "
            "another --port, such as 0 for any that is free"
        ) from error


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


main = make_main(make_parser, run)


if __name__ == "__main__":
    start(main)
