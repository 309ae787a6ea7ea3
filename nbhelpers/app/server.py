"""The server of the page: on this machine only, for those who have the address.

The address contains a token that cannot be guessed, and requests must name this machine as their
host. A page of another site whose name is made to point here (DNS rebinding) gets nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import tornado.httpserver
import tornado.web

from nbhelpers.app import page, uploads
from nbhelpers.app.jobs import Jobs, Judge

LOOPBACK = "127.0.0.1"
STRANGER = "Open the complete address shown in the terminal, including what follows the last slash."
GONE = "This file is no longer here: answers are not kept. Drop it again."


@asynccontextmanager
async def serving(judge: Judge, *, facts: str, port: int = 0) -> AsyncIterator[str]:
    """Serve the page for the duration of a block.

    Args:
        judge: scores a file; called in a thread, one file at a time.
        facts: HTML below the answers, on how to read them.
        port: 0 takes a free one.

    Yields:
        The address, with its token.

    Raises:
        OSError: the port is taken.
    """
    listening = socket.create_server((LOOPBACK, port))  # closes what it cannot bind
    listening.setblocking(False)
    port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="nbhelpers-app-", ignore_cleanup_errors=True) as folder:
        jobs = Jobs(judge)
        shared = {"port": port, "jobs": jobs, "folder": Path(folder), "facts": facts}
        server = tornado.httpserver.HTTPServer(
            _application(token, shared),
            max_body_size=2**62,  # `_Files` refuses with a reason, before reading any of it
            chunk_size=2**20,
        )
        server.add_sockets([listening])
        try:
            yield f"http://{LOOPBACK}:{port}/{token}/"
        finally:
            server.stop()
            await server.close_all_connections()
            await asyncio.to_thread(jobs.close)


def _application(token: str, shared: dict) -> tornado.web.Application:
    return tornado.web.Application(
        [
            (f"/{token}/", _Page, shared),
            (f"/{token}/files", _Files, shared),
            (rf"/{token}/files/([\w-]+)", _File, shared),
        ],
        default_handler_class=_Stranger,
        default_handler_args=shared,
        log_function=lambda handler: None,  # a log would contain the token and the requests
    )


@tornado.web.stream_request_body
class _Handler(tornado.web.RequestHandler):
    """Answers only requests that name this machine, and describes errors in plain text.

    The body of a request arrives in pieces, which are dropped unless a handler uses them.
    """

    def initialize(self, *, port: int, jobs: Jobs, folder: Path, facts: str) -> None:
        self._hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}
        self._jobs, self._folder, self._facts = jobs, folder, facts

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def prepare(self) -> None:
        origin = self.request.headers.get("Origin")
        origins = {f"http://{host}" for host in self._hosts}
        if self.request.host not in self._hosts or (origin and origin not in origins):
            self.refuse(403, STRANGER)

    def data_received(self, chunk: bytes) -> None:
        pass

    def refuse(self, status: int, reason: str) -> None:
        """Answer with a sentence and ignore the rest of the request."""
        self.set_status(status)
        self.finish({"error": reason})


class _Stranger(_Handler):
    """Every address without the token."""

    def prepare(self) -> None:
        self.refuse(403, STRANGER)


class _Page(_Handler):
    def get(self) -> None:
        nonce = secrets.token_urlsafe(12)
        self.set_header("Content-Security-Policy", page.policy(nonce))
        self.finish(page.page(self._facts, nonce=nonce))


class _Files(_Handler):
    """Receives a file, the body of the request, and writes it to disk as it arrives.

    A refusal ends the connection, and a browser that is still sending would not see the reason;
    therefore it first asks with GET.
    """

    _upload: uploads.Upload | None = None

    def prepare(self) -> None:
        super().prepare()
        if self._finished or self.request.method != "POST":
            return
        headers = self.request.headers
        if self._is_taken(headers.get("Content-Length")):
            self._upload = uploads.Upload(headers.get("X-File-Name"), self._folder)

    def get(self) -> None:
        if self._is_taken(self.get_query_argument("size", None)):
            self.set_status(204)

    def _is_taken(self, size: str | None) -> bool:
        """Whether a file of this size is accepted; if not, the reason is the answer."""
        try:
            uploads.check(size, folder=self._folder, unfinished=self._jobs.unfinished)
        except uploads.RefusedError as error:
            self.refuse(error.status, str(error))
            return False
        return True

    def data_received(self, chunk: bytes) -> None:
        if self._upload is None:
            return
        try:
            self._upload.write(chunk)
        except OSError as error:
            self.on_connection_close()
            self.refuse(507, f"The file cannot be stored on this computer: {error.strerror}.")

    def post(self) -> None:
        path, self._upload = self._upload.close(), None
        self.set_status(201)
        self.finish({"id": self._jobs.add(path)})

    def on_connection_close(self) -> None:
        if self._upload is not None:
            self._upload.drop()
            self._upload = None


class _File(_Handler):
    def get(self, name: str) -> None:
        facts = self._jobs.ask(name)
        if facts is None:
            self.refuse(404, GONE)
        else:
            self.finish(facts)

    def delete(self, name: str) -> None:
        self._jobs.forget(name)
        self.set_status(204)
