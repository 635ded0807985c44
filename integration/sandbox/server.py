"""What both stand-ins share: a real loopback server around a Flask application, with faults on command."""

from __future__ import annotations

import concurrent.futures
import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from flask import Flask, jsonify, request
from werkzeug.wrappers import Request, Response

from integration.sandbox.background import ENDING, Background
from integration.sandbox.calls import Call, Calls
from integration.sandbox.faults import Fault, Faults, Rule
from integration.sandbox.http_listener import Dropped, Handler, Listener
from integration.sandbox.snapshot import Saveable, Snapshot

CONTROL = "/_sandbox/"
ROWS = "sandbox.rows"
NOTED = "sandbox.noted"

NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
REASONS = {
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
PAGE = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works.</h1></body></html>\n"


def nginx_page(status: int) -> Response:
    """Return the answer of the web server itself (mautic:364)."""
    return Response(NGINX.format(REASONS.get(status, str(status))), status, content_type="text/html")


def _ready_made(rule: Rule) -> Response:
    kind = "application/json" if str(rule.body).lstrip()[:1] in ("{", "[") else "text/html"
    return Response(rule.body, int(rule.value), content_type=kind)


def _sleep(seconds: float, ending: threading.Event | None) -> None:
    """Sleep; in the background only until that is to end."""
    if ending is None:
        time.sleep(seconds)
    elif ending.wait(seconds):
        raise Dropped


def _rows_sent(environ: dict[str, Any]) -> int:
    """Return how many rows a body of JSON has."""
    try:
        sent = json.loads(environ["wsgi.input"].getvalue())
    except ValueError:
        return 0
    return len(sent) if isinstance(sent, list) else 0


def note_rows(count: int) -> None:
    """Say how many batch rows the request in hand has, for `calls`."""
    request.environ[NOTED].append(count)


class SandboxServer:
    """A stand-in on a socket of this machine; subclasses register routes on `app` and give `state`.

    Use it as a context manager or with start() and stop(); a stopped server can be started again on the same port.
    """

    def __init__(
        self,
        state: Saveable,
        port: int = 0,
        save_to: Path | None = None,
        ssl_context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.port = port
        self.faults = Faults()
        self.calls = Calls()
        self.background = Background()
        self._ssl = ssl_context
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None
        self._snapshot = Snapshot(state, save_to) if save_to else None
        self.app = Flask(type(self).__name__)
        self._register_control()

    @property
    def url(self) -> str:
        """Return the address without a slash at the end; the port is known once started."""
        return f"{'https' if self._ssl else 'http'}://{self.host}:{self.port}"

    def start(self) -> Self:
        """Load the saved state, bind the port and serve."""
        if self._snapshot:
            self._snapshot.start()
        self._listener = Listener(self.host, self.port, self._wsgi, Handler, ssl_context=self._ssl)
        self.port = self._listener.port
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End every connection and what goes on in the background, free the port and save the state."""
        self.faults.clear(Fault.HANG)
        if self._listener and self._thread:
            self._listener.shutdown()
            self._thread.join()
            self._listener.hang_up()
            self._listener = self._thread = None
        self.background.end(self.faults.let_go)
        if self._snapshot:
            self._snapshot.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fault_answer(self, rule: Rule) -> Response:
        """Return what a `status` rule answers; subclasses give their own service's bodies."""
        return nginx_page(int(rule.value))

    def _register_control(self) -> None:
        self.app.add_url_rule(f"{CONTROL}faults", "faults", self._control_faults, methods=["GET", "POST", "DELETE"])
        self.app.add_url_rule(f"{CONTROL}calls", "calls", self._control_calls, methods=["GET", "DELETE"])
        self.app.add_url_rule(
            f"{CONTROL}background", "background", self._control_background, methods=["GET", "POST", "DELETE"]
        )

    def _control_faults(self) -> Any:
        if request.method == "DELETE":
            self._forget(request.args)
        elif request.method == "POST":
            orders = request.get_json()
            try:
                for order in orders if isinstance(orders, list) else [orders]:
                    self.faults.command(order)
            except (TypeError, ValueError) as error:
                return jsonify(error=str(error)), 400
        return jsonify(self.faults.as_json())

    def _forget(self, which: Any) -> None:
        if "id" in which:
            self.faults.remove(int(which["id"]))
        else:
            self.faults.clear(which.get("kind"))

    def _control_calls(self) -> Any:
        if request.method == "DELETE":
            self.calls.reset()
        return jsonify(total=self.calls.total, calls=[call._asdict() for call in self.calls][-1000:])

    def _control_background(self) -> Any:
        """Tell what goes on in the background: POST waits for it (`seconds` at most), DELETE ends it."""
        if request.method == "DELETE":
            self.background.end(self.faults.let_go)
        elif request.method == "POST":
            self.background.wait(request.args.get("seconds", type=float))
        return jsonify(running=self.background.running)

    def _wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        incoming = Request(environ)
        if incoming.path.startswith(CONTROL):
            return self.app.wsgi_app(environ, start_response)
        status = 0
        noted: list[int] = []
        environ[NOTED] = noted  # A list, for the application runs on a copy of environ.
        try:
            answer = self._cut(incoming, environ) or self._answer(incoming, environ)
            status = answer.status_code
        finally:
            self.calls.add(Call(incoming.method, incoming.path, status, environ.get(ROWS, sum(noted))))
        return answer(environ, start_response)

    def _cut(self, incoming: Request, environ: dict[str, Any]) -> Response | None:
        """Cut the answer while the work goes on in the background; None if no rule says so."""
        about = (incoming.method, incoming.path)
        if rule := self.faults.take(Fault.LOSE_ANSWER_EARLY, *about):
            self._in_background(incoming, environ)
            self.faults.hold(float(rule.value or 0))
            raise Dropped
        if rule := self.faults.take(Fault.GATEWAY, *about):
            future = self._in_background(incoming, environ)
            if not rule.value or concurrent.futures.wait([future], float(rule.value)).not_done:
                return nginx_page(504)
            self.faults.spare(rule)
            return future.result()
        return None

    def _in_background(self, incoming: Request, environ: dict[str, Any]) -> concurrent.futures.Future[Response]:
        environ[ROWS] = _rows_sent(environ)  # The work itself may not have counted them yet.
        inner = {**environ, ENDING: self.background.ending}
        return self.background.start(lambda: self._answer(incoming, inner))

    def _answer(self, incoming: Request, environ: dict[str, Any]) -> Response:
        about = (incoming.method, incoming.path)
        self._before(about, environ.get(ENDING))
        answer = self._instead(about) or Response.from_app(self.app.wsgi_app, environ, buffered=True)
        return self._after(about, answer, environ)

    def _before(self, about: tuple[str, str], ending: threading.Event | None) -> None:
        if rule := self.faults.take(Fault.HANG, *about):
            self.faults.hold(float(rule.value))
            raise Dropped
        if rule := self.faults.take(Fault.DELAY, *about):
            _sleep(float(rule.value), ending)
        if self.faults.take(Fault.DOWN, *about):
            raise Dropped

    def _instead(self, about: tuple[str, str]) -> Response | None:
        if rule := self.faults.take(Fault.STATUS, *about):
            answer = _ready_made(rule) if rule.body is not None else self.fault_answer(rule)
            if rule.retry_after is not None:
                answer.headers["Retry-After"] = f"{rule.retry_after:g}"
            return answer
        if rule := self.faults.take(Fault.HTML, *about):
            return Response(rule.body or PAGE, 200, content_type="text/html; charset=UTF-8")
        return None

    def _after(self, about: tuple[str, str], answer: Response, environ: dict[str, Any]) -> Response:
        if self.faults.take(Fault.LOSE_ANSWER, *about):
            raise Dropped
        if rule := self.faults.take(Fault.PREFIX, *about):
            answer.set_data(str(rule.value).encode() + answer.get_data())
        if rule := self.faults.take(Fault.SUFFIX, *about):
            answer.set_data(answer.get_data() + str(rule.value).encode())
        if self.faults.take(Fault.PACK, *about):
            answer.set_data(gzip.compress(answer.get_data()))
        if self.faults.take(Fault.CUT, *about):
            body = answer.get_data()
            raise Dropped(answer.status, list(answer.get_wsgi_headers(environ)), body[: len(body) // 2])
        return answer
