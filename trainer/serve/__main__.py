"""Runs `python -m trainer.serve`."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import socket

from trainer.command_line import make_main, start
from trainer.errors import UserError
from trainer.extras import import_extra
from trainer.predict import (
    find_model,
    parse_amount,
    parse_model,
    parse_port,
    parse_positive,
)
from trainer.serve.limits import MEGA, Limits
from trainer.shipped import PRETRAINED, SUFFIX, WEIGHTS_FILE

LOG = logging.getLogger("trainer")

LOOPBACK = "127.0.0.1"
CONNECTIONS = 1000  # open at a time; the queue is shorter
WAITING = 16  # largest requests that may wait at a time

DESCRIPTION = """Serves a network over HTTP, as TensorFlow Serving's REST does.

python -m trainer.serve
python -m trainer.serve --model=runs/cpu/export
curl http://127.0.0.1:8501/v1/models/fgbg

docs/serving.md has clients. Ctrl-C ends it.
"""


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        "python -m trainer.serve",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        type=parse_model,
        default=WEIGHTS_FILE,
        metavar="PATH",
        help="an exported network, such as runs/cpu/export/1, or a folder of versions, "
        "such as runs/cpu/export, or a run, or a file of weights, *.npz; the newest "
        "version is served, and so is a newer one that appears (default: "
        f"{PRETRAINED}, the network that comes with the package)",
    )
    parser.add_argument(
        "--pin",
        action="store_true",
        help="serve the version that is there for good, whatever appears beside it",
    )
    parser.add_argument(
        "--name",
        type=_parse_name,
        default="fgbg",
        help="name of the model in addresses, /v1/models/NAME (default: fgbg)",
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        metavar="ADDRESS",
        help="address to listen on; 0.0.0.0 lets every machine of the network ask, "
        f"without a password (default: {LOOPBACK}, this machine alone)",
    )
    parser.add_argument(
        "--port",
        type=parse_port,
        default=8501,
        metavar="N",
        help="port to listen on; 0 takes a free one (default: 8501)",
    )
    parser.add_argument(
        "--poll",
        type=parse_amount,
        default=1.0,
        metavar="SECONDS",
        help="time between looks for a new version (default: 1)",
    )
    parser.add_argument(
        "--queue",
        type=parse_positive,
        default=128,
        metavar="N",
        help="requests that are taken at a time; others are refused with 503 (default: "
        "128)",
    )
    parser.add_argument(
        "--max_request_mb",
        type=parse_amount,
        default=16.0,
        metavar="MB",
        help="size of a request, at most; larger ones are refused with 413; all that "
        f"wait may have {WAITING} times as much (default: 16)",
    )
    parser.add_argument(
        "--max_megapixels",
        type=parse_amount,
        default=2.5,
        metavar="N",
        help="size of a picture, at most, and of all pictures that the network looks "
        "at together (default: 2.5, a frame of 1920 x 1080)",
    )
    return parser


def _parse_name(text: str) -> str:
    if not text or set(text) & set("/:?#% "):
        raise argparse.ArgumentTypeError(f"{text!r} is no name for an address")
    return text


def serve(arguments: argparse.Namespace) -> None:
    """Serves until it is stopped.

    Raises:
      UserError: If there is no such network, or the address is taken.
    """
    model = find_model(arguments.model)
    if model.is_file() and model.suffix != SUFFIX:
        raise UserError(
            f"--model={model}: served are SavedModels and files *{SUFFIX} of weights"
        )
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for module in ("orjson", "starlette", "uvicorn"):
        import_extra(module, "serve", "serving")
    import uvicorn

    listening = _listen(arguments.host, arguments.port)
    from trainer.serve.app import make_app
    from trainer.serve.repository import Repository

    with listening:
        repository = Repository(arguments.name, model, arguments.model, arguments.pin)
        server = None
        app = make_app(
            repository,
            _make_limits(arguments),
            arguments.poll,
            lambda: server is not None and server.should_exit,
        )
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            limit_concurrency=CONNECTIONS,
            server_header=False,
        )
        server = uvicorn.Server(config)
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        LOG.info(
            "serving %s on http://%s:%d/v1/models/%s",
            model,
            shown,
            port,
            repository.name,
        )
        if repository.watched:
            LOG.info("newer versions are looked for in %s", repository.watched)
        if arguments.host not in (LOOPBACK, "localhost", "::1"):
            LOG.warning("whoever reaches %s may ask; there is no password", shown)
        # It comes when uvicorn has answered what it had, and ended.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
        LOG.info("stopped")


def _make_limits(arguments: argparse.Namespace) -> Limits:
    largest = round(arguments.max_request_mb * MEGA)
    return Limits(
        queue=arguments.queue,
        request_bytes=largest,
        waiting_bytes=WAITING * largest,
        pixels=round(arguments.max_megapixels * MEGA),
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        # Python appends the address to the system's words; what is no address has none.
        reason = os.strerror(error.errno or 0) if (error.errno or 0) > 0 else error
        raise UserError(
            f"--host={host} --port={port}: cannot be listened on ({reason}); give "
            "another --port, or 0 for a free one"
        ) from error


main = make_main(make_parser, serve)


if __name__ == "__main__":
    start(main)
