"""TensorFlow Serving's REST addresses, for one network."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Callable

import tensorflow as tf
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from trainer.errors import summarise
from trainer.serve.limits import MEGA, Limits, Queue, Refusal
from trainer.serve.messages import describe_signatures, format_answer, parse_question
from trainer.serve.pictures import check_headers, check_pixels, find_damaged
from trainer.serve.repository import Repository
from trainer.serve.servable import Servable

LOG = logging.getLogger("trainer")

_PIECE = 65536  # bytes; a server waits for its reader between two of them
_MODEL = "/v1/models/{name}"
_VERSION = _MODEL + "/versions/{version}"


def make_app(
    repository: Repository,
    limits: Limits,
    poll: float,
    is_closing: Callable[[], bool] = lambda: False,
) -> Starlette:
    """Makes the application that answers.

    Args:
      repository: The network that is served.
      limits: The limits.
      poll: Seconds between looks for a new version.
      is_closing: Tells whether the server is about to end; what waits is then refused.
    """
    answerer = _Answerer(repository, limits, is_closing)

    @contextlib.asynccontextmanager
    async def live(_: Starlette):
        watching = asyncio.create_task(_watch(repository, poll))
        yield
        watching.cancel()
        answerer.close()

    routes = [
        Route(_MODEL + ":predict", answerer.predict, methods=["POST"]),
        Route(_VERSION + ":predict", answerer.predict, methods=["POST"]),
        Route(_MODEL + "/metadata", answerer.describe_metadata),
        Route(_VERSION + "/metadata", answerer.describe_metadata),
        Route(_VERSION, answerer.describe_status),
        Route(_MODEL, answerer.describe_status),
        Route("/v1/{rest:path}", _refuse_malformed),
    ]
    return Starlette(
        routes=routes,
        lifespan=live,
        exception_handlers={
            Refusal: _answer_refusal,
            HTTPException: _answer_http,
            Exception: _answer_failure,
        },
    )


class _Answerer:
    """Answers requests, one after the other, in a thread of its own."""

    def __init__(
        self, repository: Repository, limits: Limits, is_closing: Callable[[], bool]
    ):
        self._repository, self._limits = repository, limits
        self._is_closing = is_closing
        self._queue = Queue(limits)
        self._turn = asyncio.Lock()
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "network")

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def describe_status(self, request: Request) -> Response:
        states = self._repository.describe(*_read_address(request))
        return JSONResponse({"model_version_status": states})

    async def describe_metadata(self, request: Request) -> Response:
        servable = self._repository.find(*_read_address(request))
        described = describe_signatures(self._repository.name, servable)
        return JSONResponse(described)

    async def predict(self, request: Request) -> Response:
        limits = self._limits
        size = _read_length(request)
        try:
            if size is not None and size > limits.request_bytes:
                raise _make_too_large(limits)
            # Kept from here on, so that a newer version does not take it away.
            servable = self._repository.find(*_read_address(request))
            with contextlib.ExitStack() as stack:
                count = stack.enter_context(
                    self._queue.enter(limits.request_bytes if size is None else size)
                )
                body = await _read_body(request, limits)
                async with self._turn:
                    if self._is_closing():
                        raise Refusal(503, "the server is about to end; ask another")
                    if await request.is_disconnected():
                        return Response(status_code=499)  # nobody reads it
                    answer = await asyncio.get_running_loop().run_in_executor(
                        self._thread, _answer, servable, body, limits
                    )
                count(len(answer))
                return _Answer(answer, limits.seconds, stack.pop_all())
        except Refusal as error:
            if error.status != 408:
                await _drain(request, limits)
            raise
        except ClientDisconnect:
            return Response(status_code=499)


class _Answer(Response):
    """An answer that is sent as fast as it is read, and counts until it is."""

    media_type = "application/json"

    def __init__(self, body: bytes, seconds: float, counted: contextlib.ExitStack):
        super().__init__(body)
        self._seconds, self._counted = seconds, counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        # Whoever does not read has its connection closed.
        with self._counted, contextlib.suppress(TimeoutError):
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            for start in range(0, len(self.body), _PIECE):
                piece = self.body[start : start + _PIECE]
                async with asyncio.timeout(self._seconds):
                    await send(
                        {"type": "http.response.body", "body": piece, "more_body": True}
                    )
            await send({"type": "http.response.body", "body": b""})


def _answer(servable: Servable, body: bytes, limits: Limits) -> bytes:
    """Answers a request to predict; runs in the network's thread."""
    question = parse_question(body, servable)
    largest = check_headers(question.files, limits.pixels)
    signature = question.signature
    if not signature.takes_files:
        check_pixels([a.shape for a in question.given.values()], limits.pixels)
    elif not signature.gives_files:  # all are looked at together
        check_pixels([(question.number, 1, largest, 3)], limits.pixels)
    try:
        answers = signature(question.given)
    except tf.errors.InvalidArgumentError as error:
        message = find_damaged(question.files) or summarise(error)
        raise Refusal(400, message) from error
    except tf.errors.ResourceExhaustedError as error:
        raise Refusal(503, "not enough memory for this request; send less") from error
    return format_answer(question, answers)


async def _watch(repository: Repository, poll: float) -> None:
    told = ""
    while repository.watched:
        await asyncio.sleep(poll)
        try:
            await asyncio.to_thread(repository.look)
            told = ""
        except Exception as error:  # such as a disk that is away, and may come back
            if told != (told := summarise(error)):
                LOG.warning("cannot look into %s: %s", repository.watched, told)


def _read_address(request: Request) -> tuple[str, int | None]:
    name, version = request.path_params["name"], request.path_params.get("version")
    wrong = version is not None and not (version.isascii() and version.isdecimal())
    if wrong or ":" in name:
        raise _make_malformed(request)
    return name, None if version is None else int(version)


def _read_length(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


async def _read_body(request: Request, limits: Limits) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            async for piece in request.stream():
                body += piece
                if len(body) > limits.request_bytes:
                    raise _make_too_large(limits)
    except TimeoutError as error:
        raise Refusal(
            408, f"the request did not come within {limits.seconds:g} seconds"
        ) from error
    return bytes(body)


async def _drain(request: Request, limits: Limits) -> None:
    """Reads on and keeps nothing, since many clients only listen when they have sent.

    Not for ever: after some time and some bytes the connection is closed.
    """
    left = 4 * limits.request_bytes
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(limits.seconds):
            async for piece in request.stream():
                left -= len(piece)
                if left < 0:
                    return


def _make_too_large(limits: Limits) -> Refusal:
    return Refusal(
        413,
        f"the request has more than {limits.request_bytes / MEGA:g} MB; ask for fewer "
        "pictures at a time",
    )


def _make_malformed(request: Request) -> Refusal:
    return Refusal(400, f"Malformed request: {request.method} {request.url.path[:200]}")


async def _refuse_malformed(request: Request) -> Response:
    raise _make_malformed(request)


def _answer_error(status: int, message: str) -> Response:
    headers = {"retry-after": "1"} if status == 503 else None
    return JSONResponse({"error": message}, status, headers)


async def _answer_refusal(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refusal) else 500
    return _answer_error(status, " ".join(str(error).split()))


async def _answer_http(request: Request, error: Exception) -> Response:
    if request.url.path.startswith("/v1/"):  # a wrong method
        return await _answer_refusal(request, _make_malformed(request))
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer_error(status, "Not Found")


async def _answer_failure(_: Request, error: Exception) -> Response:
    return _answer_error(500, f"the server failed: {summarise(error)[:300]}")
