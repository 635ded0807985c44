"""Servers at the other end: the stand-ins, over http and over TLS, and one that says what it is told to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration.sandbox.authority import Authority
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer


@dataclass(frozen=True)
class Certificate:
    """A server's context and the authority that signed it, as PEM."""

    context: ssl.SSLContext
    ca: str


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    authority = Authority()
    return Certificate(authority.context(), authority.pem)


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture
def secure_store(certificate: Certificate) -> Iterator[StoreServer]:
    with StoreServer(tls=certificate.context) as server:
        yield server


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


class Scripted(ThreadingHTTPServer):
    """Answers each path as `answers` says (status, headers, body), any other with 404 and a page.

    A key like "/path?mark" goes before "/path" when the query has the mark; one like "POST /path" is for writes.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Speaker)
        self.scheme = "https" if context else "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def say(self, path: str, status: int, body: str | bytes = b"", **headers: str) -> None:
        text = body.encode() if isinstance(body, str) else body
        self.answers[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, text)

    def answer(self, method: str, target: str) -> tuple[int, dict[str, str], bytes]:
        path, _, query = target.partition("?")
        marked = next((key for key in self.answers if key.startswith(f"{path}?") and key.split("?")[1] in query), "")
        keys = (f"{method} {path}", marked, path)
        page = (404, {"Content-Type": "text/html"}, b"<html><body>Nothing here.</body></html>")
        return next((self.answers[key] for key in keys if key in self.answers), page)


class _Speaker(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, body = self.server.answer(self.command, self.path)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _serving(server: Scripted) -> Iterator[Scripted]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    yield from _serving(Scripted())


@pytest.fixture
def secure_scripted(certificate: Certificate) -> Iterator[Scripted]:
    yield from _serving(Scripted(certificate.context))
