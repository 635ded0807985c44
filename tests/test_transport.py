"""The border to the network: every failure is ours, no redirect is followed, nothing leads where it must not."""

from __future__ import annotations

import gc
import gzip
import inspect
import io
import threading
import time
import weakref
import zlib
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from urllib3 import HTTPResponse, exceptions as urllib3_exceptions

from integration.errors import NotSetUp, Unreachable
from integration.http.errors import FAILURES, translate
from integration.http.transport import Exchange, Route, Transport
from integration.http.trust import context_of
from integration.sandbox.authority import Authority


class Handler(BaseHTTPRequestHandler):
    """Answers by its path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.answer(302, b"", {"Location": "/elsewhere"})
        elif self.path == "/redirect-nowhere":
            self.answer(302, b"moved", {"Location": "http://[bad", "Set-Cookie": "seen=1"})
        elif self.path == "/cut":
            self.answer(200, b"half", {"Content-Length": "100"})
            self.close_connection = True
        elif self.path in ("/drip", "/drip-head"):
            self.drip()
        elif self.path == "/slow":
            threading.Event().wait(1.5)
            self.answer(200, b"{}")
        else:
            self.answer(200, b'{"fine": true}')

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        """Send a byte each 50 ms, of the head or of a body without an announced length."""
        self.close_connection = True
        head = b"HTTP/1.1 200 OK\r\nX: "
        self.wfile.write(head if self.path == "/drip-head" else head + b"y\r\nConnection: close\r\n\r\n")
        with suppress(OSError):
            for _ in range(200):
                self.wfile.write(b"a")
                threading.Event().wait(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_an_answer_comes_whole_with_lower_case_headers(url: str) -> None:
    answer = Transport("store").send("GET", f"{url}/")
    assert answer.json() == ({"fine": True}, True)
    assert answer.headers["content-length"] == "14"


def test_redirects_are_not_followed(url: str) -> None:
    answer = Transport("store").send("GET", f"{url}/redirect")
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")


def test_a_redirect_to_no_address_is_an_answer_as_well_and_no_cookie_is_kept(url: str) -> None:
    seen: list[Exchange] = []
    transport = Transport("store", observer=seen.append)
    answer = transport.send("GET", f"{url}/redirect-nowhere")
    assert (answer.status, answer.body, answer.headers["location"]) == (302, b"moved", "http://[bad")
    transport.send("GET", f"{url}/")
    assert "Cookie" not in seen[-1].request_headers


def test_an_answer_that_is_too_large_is_not_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integration.http.transport.LARGEST_ANSWER", 10)
    with pytest.raises(Unreachable) as caught:
        Transport("store").send("GET", f"{url}/")
    assert (caught.value.code, caught.value.sent) == ("too_large", True)


def test_a_connection_that_was_never_made_sent_nothing() -> None:
    refused = urllib3_exceptions.NewConnectionError(None, "[Errno 113] No route to host")  # type: ignore[arg-type]  # only its text counts
    ours = translate("store", requests.exceptions.ConnectionError(refused))
    assert isinstance(ours, Unreachable)
    assert (ours.code, ours.sent) == ("unreachable", False)


@pytest.mark.parametrize(
    ("address", "code", "sent"),
    [
        ("http://does-not-exist.invalid/", "dns", False),
        ("http://127.0.0.1:1/", "refused", False),
    ],
)
def test_who_cannot_be_reached_is_named(address: str, code: str, sent: bool) -> None:
    with pytest.raises(Unreachable) as caught:
        Transport("mautic").send("GET", address)
    assert (caught.value.code, caught.value.sent, caught.value.service) == (code, sent, "mautic")
    assert caught.value.sentence.startswith("Mautic ")
    assert caught.value.hint


def test_a_cut_answer_and_a_slow_one_may_have_been_carried_out(url: str) -> None:
    with pytest.raises(Unreachable) as cut:
        Transport("store").send("GET", f"{url}/cut")
    with pytest.raises(Unreachable) as slow:
        Transport("store").send("GET", f"{url}/slow", timeout=0.2)
    assert [(e.value.code, e.value.sent) for e in (cut, slow)] == [("cut", True), ("timeout", True)]


@pytest.mark.parametrize("address", ["htp://x", "http://", "no address", "http://[::1", "http://a..b/"])
def test_an_address_that_is_none_is_not_set_up(address: str) -> None:
    with pytest.raises(NotSetUp) as caught:
        Transport("store").send("GET", address)
    assert caught.value.code == "bad_address"


def test_a_self_signed_certificate_is_refused_unless_its_authority_is_given(
    server: ThreadingHTTPServer,
) -> None:
    authority = Authority()
    server.socket = authority.context().wrap_socket(server.socket, server_side=True)
    address = f"https://127.0.0.1:{server.server_address[1]}/"
    with pytest.raises(Unreachable) as caught:
        Transport("store").send("GET", address)
    assert caught.value.code == "self_signed"
    with pytest.raises(Unreachable) as other:
        Transport("store", Route(ca=Authority("Another").pem)).send("GET", address)
    assert other.value.code == "foreign_authority"
    assert Transport("store", Route(ca=authority.pem)).send("GET", address).status == 200
    # The public authorities are trusted beside it.
    assert context_of(authority.pem).cert_store_stats()["x509_ca"] > 100


@pytest.mark.parametrize("kept", ["/nowhere/ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_an_authority_that_cannot_be_read_is_not_set_up(url: str, kept: str) -> None:
    with pytest.raises(NotSetUp) as caught:
        Transport("mautic", Route(ca=kept)).send("GET", f"{url}/")
    assert caught.value.code == "authority_unread"
    assert "Paste the certificate" in caught.value.hint


_SAMPLES = {
    "JSONDecodeError": ("no JSON", "text", 0),
    "IncompleteRead": (1, 2),
    "InvalidChunkLength": (HTTPResponse(io.BytesIO(b"x"), preload_content=False), b"zz"),
}
#: Raised for proxies only, and no proxy is ever used.
_NEVER = {"ProxySchemeUnsupported"}


def _constructed(kind: type[BaseException]) -> BaseException:
    for args in (_SAMPLES.get(kind.__name__, ()), ("text",), (None, "text"), (None, "text", "more")):
        try:
            return kind(*args)
        except TypeError:
            continue
    raise AssertionError(f"{kind} needs a sample")


_CLASSES = [
    kind
    for module in (requests.exceptions, urllib3_exceptions)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Exception)
    and not issubclass(kind, Warning)
    and kind.__module__.startswith(("requests.", "urllib3."))
    and kind.__name__ not in _NEVER
]


@pytest.mark.parametrize("kind", _CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_no_exception_of_the_libraries_crosses_the_border(kind: type[BaseException]) -> None:
    """Fails when a library grows an exception that is neither caught nor translated."""
    assert issubclass(kind, FAILURES), f"{kind} would cross the border"
    ours = translate("store", _constructed(kind))
    assert isinstance(ours, Unreachable | NotSetUp)
    assert ours.sentence.endswith(".")


def test_the_socket_is_checked_before_anything_is_sent(url: str) -> None:
    with pytest.raises(NotSetUp) as caught:
        Transport("store", Route(private_allowed=())).send("GET", f"{url}/")
    assert caught.value.code == "private_address"


@pytest.mark.parametrize("path", ["/drip", "/drip-head"])
def test_a_server_that_drips_is_left_after_the_total_time(url: str, path: str) -> None:
    transport = Transport("store", Route(read_timeout=5, total_timeout=2))
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        transport.send("GET", f"{url}{path}")
    assert time.monotonic() - began < 8
    assert (caught.value.code, caught.value.sent) == ("timeout", True)
    assert transport.send("GET", f"{url}/").status == 200


def test_the_observer_sees_answers_and_failures(url: str) -> None:
    seen: list[Exchange] = []
    transport = Transport("store", observer=seen.append)
    transport.send("GET", f"{url}/")
    with pytest.raises(Unreachable):
        transport.send("GET", f"{url}/cut")
    assert [(e.status, e.error) for e in seen] == [(200, ""), (None, "cut")]
    assert transport.calls == 2


# -- packed bodies -----------------------------------------------------------------------------------------------------

BODY = b'[{"id": 1, "name": "Ada"}]'
DEFLATED = zlib.compressobj(wbits=-zlib.MAX_WBITS)
RAW_DEFLATE = DEFLATED.compress(BODY) + DEFLATED.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(BODY), ""),
        (gzip.compress(BODY), "gzip"),
        (gzip.compress(gzip.compress(BODY)), "gzip"),
        (gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]), ""),
        (zlib.compress(BODY), ""),
        (zlib.compress(BODY), "deflate"),
        (RAW_DEFLATE, "deflate"),
        (BODY, "gzip"),
        (BODY, "deflate"),
        (BODY, "br"),
        (BODY, ""),
    ],
    # A packed body names the second in which it was packed, and the workers must find tests of the same names.
    ids=lambda value: "plain" if value == BODY else value if isinstance(value, str) else f"packed{len(value)}",
)
def test_a_body_is_read_however_it_is_packed_and_whatever_the_header_says(
    url: str, monkeypatch: pytest.MonkeyPatch, body: bytes, encoding: str
) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.answer(200, body, headers))
    assert Transport("store").send("GET", url).body == BODY


@pytest.mark.parametrize("encoding", ["gzip", ""])
def test_a_small_body_that_grows_beyond_the_limit_is_not_kept(
    url: str, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr("integration.http.transport.LARGEST_ANSWER", 100_000)
    bomb = gzip.compress(b"0" * 10_000_000)
    assert len(bomb) < 100_000
    headers = {"Content-Encoding": encoding} if encoding else {}
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.answer(200, bomb, headers))
    with pytest.raises(Unreachable) as caught:
        Transport("store").send("GET", url)
    assert caught.value.code == "too_large"


def test_a_packed_body_that_ends_early_was_cut(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.answer(200, gzip.compress(BODY)[:-12]))
    with pytest.raises(Unreachable) as caught:
        Transport("store").send("GET", url)
    assert caught.value.code == "cut"


def test_nothing_is_kept_of_a_client_that_is_done_with(url: str) -> None:
    transport = Transport("store")
    transport.send("GET", f"{url}/fine")
    adapter = weakref.ref(transport._session().get_adapter(url))
    del transport
    gc.collect()
    assert adapter() is None
