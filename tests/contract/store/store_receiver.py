"""Something that webhooks are delivered to: it keeps what came and answers as told."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Delivered:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def topic(self) -> str:
        """Return the webhook's topic, nothing for a ping."""
        return self.headers.get("X-WC-Webhook-Topic", "")


class Receiver:
    """A server on a port of this machine; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.delivered: list[Delivered] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.delivered.append(Delivered(self.path, dict(self.headers.items()), body))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, topic: str) -> list[Delivered]:
        """Return what came for a topic."""
        return [each for each in self.delivered if each.topic == topic]
