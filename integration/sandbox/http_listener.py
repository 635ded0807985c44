"""The socket side of a stand-in: HTTP/1.1 with connections that stay open, and answers that break off on command."""

from __future__ import annotations

import io
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class Dropped(ConnectionError):
    """The connection is to be closed; `sent` is what goes out before it (head and part of a body)."""

    def __init__(self, status: str = "", headers: list[tuple[str, str]] | None = None, sent: bytes = b"") -> None:
        super().__init__("dropped on command")
        self.status = status
        self.headers = headers or []
        self.sent = sent


class Handler(WSGIRequestHandler):
    """Answers one connection; werkzeug's own closes after each request and waits 10 ms for stray bytes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    _date = ""

    def run_wsgi(self) -> None:
        """Read the whole request, run the application, send the whole answer at once."""
        self.environ = environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self._body(environ))
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
            started.extend((status, headers))
            return self.wfile.write

        try:
            chunks = self.server.app(environ, start_response)
            self._answer(started[0], started[1], b"".join(chunks))
        except Dropped as dropped:
            self._break_off(dropped)

    def _body(self, environ: dict[str, Any]) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        if environ.get("wsgi.input_terminated"):
            body: bytes = environ["wsgi.input"].read()
            environ["CONTENT_LENGTH"] = str(len(body))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self._head(status, headers)
        self.wfile.write(body)
        self.wfile.flush()

    def _head(self, status: str, headers: list[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self._date = next((value for name, value in headers if name == "Date"), "")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name != "Date":
                self.send_header(name, value)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the answer's own date where it has one, else this machine's."""
        return self._date or super().date_time_string(timestamp)

    def _break_off(self, dropped: Dropped) -> None:
        self.close_connection = True
        if dropped.status:
            self._head(dropped.status, dropped.headers)
            self.wfile.write(dropped.sent)
            self.wfile.flush()
        hang_up(self.connection)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: the calls are noted by the server."""


def hang_up(connection: socket.socket) -> None:
    """End a connection both ways, whatever state it is in."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The other side was quicker.


class Listener(ThreadedWSGIServer):
    """A threaded server that knows its open connections, so that stopping it ends them too."""

    daemon_threads = True

    def __init__(self, *args: Any, **options: Any) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(*args, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection and serve it in a thread."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every open connection."""
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that went away; show everything else."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)
