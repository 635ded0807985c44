"""An answer with more values than any real one is refused before it is read, and nothing of it stays."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration.errors import Unreachable
from integration.http.transport import Transport

_MOST = 100_000
_PATHS = {
    "/fewest": b"[" + b"1," * (_MOST - 2) + b"1]",
    "/too-many": b"[" + b"{}," * _MOST + b"1]",
    "/a-text": b'["' + b"x" * 5 * _MOST + b'"]',
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = _PATHS[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("integration.json_text.ANSWER_VALUES_MAX", _MOST)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/fewest", "/a-text"])
def test_an_answer_with_as_many_values_as_may_be_is_read(url: str, path: str) -> None:
    value, clean = Transport("store").send("GET", url + path).json()
    assert clean and len(value) in (_MOST - 1, 1)


def test_one_with_more_is_as_one_that_is_too_large(url: str) -> None:
    with pytest.raises(Unreachable) as caught:
        Transport("mautic").send("GET", f"{url}/too-many")
    assert (caught.value.code, caught.value.sent) == ("too_large", True)


def test_what_was_read_of_it_goes_with_the_call(url: str) -> None:
    transport = Transport("store")
    transport.send("GET", f"{url}/fewest")
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        with suppress(Unreachable):
            transport.send("GET", f"{url}/too-many")
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert left < len(_PATHS["/too-many"]) / 2
