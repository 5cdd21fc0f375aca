"""The page's server."""

from __future__ import annotations

import gradio
import gradio.exceptions
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trainer.demo.handlers import Handlers
from trainer.demo.layout import FOLDER, make_theme
from trainer.demo.page import WAITING, make_page
from trainer.errors import UserError

THREADS = 6  # each keeps some memory of its own
# A browser that obeys it loads nothing from anywhere else.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "frame-ancestors 'self'; form-action 'self'"
)


class _OwnSourcesOnly:
    """Tells browsers to load nothing but the page's own files."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message.get("headers", ()), policy]
            await send(message)

        await self._app(scope, receive, send_with_policy)


def open_page(
    handlers: Handlers, host: str, port: int, max_upload_mb: int, sessions: int
) -> gradio.Blocks:
    """Opens the page, and returns while it is served by threads.

    Args:
      handlers: They do the work.
      host: Address to listen on.
      port: Port to listen on.
      max_upload_mb: Megabytes of an upload, at most.
      sessions: Number of users whose answers are kept.

    Returns:
      The page; `close` ends it.

    Raises:
      UserError: If it cannot listen there.
    """
    page = make_page(handlers).queue(max_size=WAITING)
    try:
        page.launch(
            server_name=host,
            server_port=port,
            max_threads=THREADS,
            max_file_size=f"{max_upload_mb}mb",
            state_session_capacity=sessions,
            prevent_thread_lock=True,
            share=False,
            quiet=True,
            ssr_mode=False,
            pwa=False,
            footer_links=[],
            theme=make_theme(),
            css_paths=FOLDER / "style.css",
            app_kwargs={"middleware": [Middleware(_OwnSourcesOnly)]},
        )
    except (OSError, gradio.exceptions.Error) as error:
        raise UserError(
            f"--host={host} --port={port}: the page cannot be opened there: {error}"
        ) from error
    return page


def close_page(page: gradio.Blocks) -> None:
    """Closes a page, whatever browsers still listen to it."""
    page.server.config.timeout_graceful_shutdown = 1
    page.close(verbose=False)
