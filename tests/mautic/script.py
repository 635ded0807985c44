"""A Mautic's end of the wire: recorded or made-up answers on a real socket."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Canned:
    """An answer that waits to be given; `hold` closes the connection instead of answering."""

    status: int
    body: str
    headers: dict[str, str]
    drop: bool = False


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def recorded(number: str) -> Canned:
    """Return the answer of a recording."""
    (path,) = DATA.glob(f"{number}-*.json")
    response = json.loads(path.read_text())["exchanges"][0]["response"]
    return Canned(response["status"], response["body"], response["headers"])


def canned(value: Any, status: int = 200, **headers: str) -> Canned:
    """Return an answer of Mautic's own: JSON with its version."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Canned(status, json.dumps(value), {"Content-Type": "application/json", "Mautic-Version": "5.2.1", **names})


def page(status: int, body: str = "<html><title>No</title></html>") -> Canned:
    """Return a web server's own page."""
    return Canned(status, body, {"Content-Type": "text/html"})


def refusals(*codes: int, **details: str) -> Canned:
    """Return a batch answer in which every row is refused."""
    errors = [{"code": code, "message": "", "details": {k: [v] for k, v in details.items()}} for code in codes]
    return canned({"contacts": [], "statusCodes": list(codes), "errors": errors}, 201)


DROP = Canned(0, "", {}, drop=True)


class Script:
    """Gives the prepared answers in turn and remembers the requests."""

    def __init__(self) -> None:
        self.answers: list[Canned] = []
        self.seen: list[Seen] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def then(self, *answers: Canned | str) -> Script:
        """Queue answers; a text is the number of a recording."""
        self.answers += [recorded(answer) if isinstance(answer, str) else answer for answer in answers]
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                script.seen.append(Seen(self.command, self.path, dict(self.headers), body))
                answer = script.answers.pop(0) if script.answers else page(418, "unexpected request")
                if answer.drop:
                    self.close_connection = True
                    return
                content = answer.body.encode()
                # No Date of its own: the clock of the tests stands still.
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer

            def log_message(self, *args: Any) -> None:
                return

        return Handler
