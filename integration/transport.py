"""The one place where bytes leave for another server, and where requests' exceptions become ours.

Redirects are never followed, credentials never travel to another host, addresses are checked at the open socket, so
a name that changes between look-up and connection gains nothing.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connection import HTTPSConnection

from integration.errors import NotSetUp
from integration.errors import Unreachable

USER_AGENT = "woo-mautic/0.1"
LARGEST_ANSWER = 64 * 1024 * 1024
_METADATA = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP answer; `headers` has lower-case names, `seconds` is the time until the body was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    url: str

    @property
    def text(self) -> str:
        """Return the body as text, a byte order mark and undecodable bytes tolerated."""
        return self.body.decode("utf-8-sig", "replace")

    def json(self) -> tuple[Any, bool]:
        """Return (value, clean): the JSON of the body, clean is False when something was printed before it.

        Raises ValueError when there is no JSON (recordings woo/437, woo/438: a warning or BOM stands in front).
        """
        text = self.text
        clean = not self.body.startswith(b"\xef\xbb\xbf")
        try:
            return json.loads(text), clean
        except ValueError:
            return _embedded_json(text), False


def _embedded_json(text: str) -> Any:
    decoder = json.JSONDecoder()
    for match in list(re.finditer(r"[\[{]", text))[:200]:
        try:
            value, end = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if not text[end:].strip():
            return value
    raise ValueError("no JSON in the answer")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer or error, as it is handed to the observer; not yet masked."""

    service: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int | None
    answer_headers: Mapping[str, str]
    answer_body: str
    seconds: float
    error: str = ""


Observer = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach a server: CA file for its certificate, time-outs in seconds, hosts that may be private."""

    ca: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    private_allowed: tuple[str, ...] = ("*",)


@dataclass
class Transport:
    """Sends requests to one service ("store" or "mautic"); safe to use from several threads.

    Raises Unreachable (codes dns, refused, timeout, tls, self_signed, cut, too_large) and NotSetUp (address).
    """

    service: str
    route: Route = field(default_factory=Route)
    observer: Observer | None = None
    headers: dict[str, str] = field(default_factory=dict)
    calls: int = 0

    def __post_init__(self) -> None:
        """Prepare one session a thread."""
        self._local = threading.local()
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request and return its complete answer, whatever its status."""
        request = requests.Request(method, url, params=params, data=body, headers=self._headers(headers), auth=auth)
        started = time.monotonic()
        with self._lock:
            self.calls += 1
        try:
            prepared = self._session().prepare_request(request)
            answer = self._exchange(prepared, timeout, started)
        except _FAILURES as error:
            failure = translate(self.service, error)
            self._observe(method, url, request, body, None, time.monotonic() - started, failure.code)
            raise failure from error
        self._observe(method, prepared.url or url, prepared, body, answer, answer.seconds, "")
        return answer

    def _exchange(self, prepared: requests.PreparedRequest, timeout: float | None, started: float) -> Answer:
        limits = (self.route.connect_timeout, timeout or self.route.read_timeout)
        with self._session().send(prepared, timeout=limits, allow_redirects=False, stream=True) as response:
            body = _read(response)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body, time.monotonic() - started, prepared.url or "")

    def _headers(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        return {"Accept": "application/json", "User-Agent": USER_AGENT, **self.headers, **(extra or {})}

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.verify = self.route.ca or True
            adapter = _GuardedAdapter(self.route.private_allowed)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
        return session

    def _observe(
        self, method: str, url: str, request: Any, body: bytes | None, answer: Answer | None, seconds: float, error: str
    ) -> None:
        if self.observer is None:
            return
        sent = (body or b"").decode("utf-8", "replace")
        status, headers, text = (answer.status, answer.headers, answer.text) if answer else (None, {}, "")
        self.observer(
            Exchange(self.service, method, url, dict(request.headers), sent, status, headers, text, seconds, error)
        )


class PrivateAddress(requests.exceptions.InvalidURL):
    """The name leads to an address that may not be called."""


_FAILURES = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError)


class TooLarge(requests.exceptions.RequestException):
    """The answer is larger than any real one."""


def _read(response: requests.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(65536):
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise TooLarge("answer too large")
        chunks.append(chunk)
    announced = response.headers.get("Content-Length")
    plain = "Content-Encoding" not in response.headers and response.request.method != "HEAD"
    if plain and announced and announced.isdigit() and size < int(announced) and response.status_code not in (204, 304):
        raise requests.exceptions.ChunkedEncodingError("the body ended early")
    return b"".join(chunks)


def check_peer(host: str, peer: str, allowed: tuple[str, ...]) -> None:
    """Raise PrivateAddress when `peer` is link-local, or not public while neither host nor "*" is in `allowed`."""
    address = ipaddress.ip_address(peer.split("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    if any(mapped in network for network in _METADATA if network.version == mapped.version):
        raise PrivateAddress(f"{host} leads to the reserved address {peer}")
    if not mapped.is_global and "*" not in allowed and host.lower() not in allowed:
        raise PrivateAddress(f"{host} leads to the private address {peer}")


class _Guard:
    """Mixed into urllib3's connections: looks at the peer before anything is sent."""

    private_allowed: tuple[str, ...] = ("*",)

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's connection is the next class
        try:
            check_peer(str(self.host), sock.getpeername()[0], self.private_allowed)  # type: ignore[attr-defined]  # ditto
        except PrivateAddress:
            sock.close()
            raise
        return sock


class _GuardedAdapter(HTTPAdapter):
    """An adapter without retries whose connections check where they lead."""

    def __init__(self, private_allowed: tuple[str, ...]) -> None:
        self._classes = {
            "http": type("GuardedHTTP", (_Guard, HTTPConnection), {"private_allowed": private_allowed}),
            "https": type("GuardedHTTPS", (_Guard, HTTPSConnection), {"private_allowed": private_allowed}),
        }
        super().__init__(max_retries=0, pool_maxsize=8)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give each pool the guarded connection class of its scheme."""
        super().init_poolmanager(*args, **kwargs)
        classes = dict(self.poolmanager.pool_classes_by_scheme)
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type(pool.__name__, (pool,), {"ConnectionCls": self._classes[scheme]})
            for scheme, pool in classes.items()
        }


_NAMES = {"store": "The store", "mautic": "Mautic"}


def translate(service: str, error: BaseException) -> Unreachable | NotSetUp:
    """Return our error for one of requests', urllib3's or the socket's: the only border where this happens."""
    name = _NAMES.get(service, service)
    links = _links(error)
    texts = " ".join(repr(link) for link in links)
    if any(isinstance(link, PrivateAddress) for link in links):
        return NotSetUp(service, "private_address", f"{name}'s address leads into a private network.", _PRIVATE_HINT)
    for known, code, sentence, hint, sent in _BORDER:
        if isinstance(error, known[0]) and (not known[1] or re.search(known[1], texts, re.IGNORECASE)):
            return Unreachable(service, code, f"{name} {sentence}", hint, sent=sent)
    if isinstance(error, _BAD_ADDRESSES):
        return NotSetUp(
            service, "bad_address", f"{name}'s address cannot be used.", "Check how the address is written."
        )
    return Unreachable(
        service, "unreachable", f"{name} could not be reached.", "It is tried again by itself.", sent=True
    )


_PRIVATE_HINT = "Use the public address, or name the host in the setting PRIVATE_HOSTS."
_BAD_ADDRESSES = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    UnicodeError,
)
_R = requests.exceptions
_SELF_SIGNED = r"self.signed|unable to get local issuer"
_NO_NAME = r"NameResolutionError|getaddrinfo|Name or service not known|nodename nor servname|No address associated"
_CUT = (
    r"Connection aborted|RemoteDisconnected|ConnectionReset|Connection broken|IncompleteRead|BrokenPipe|reset by peer"
)
_BORDER: tuple[tuple[tuple[Any, str], str, str, str, bool], ...] = (
    (
        (TooLarge, ""),
        "too_large",
        "sent an answer that is too large to be real.",
        "Look at what the address serves.",
        True,
    ),
    (
        (_R.SSLError, _SELF_SIGNED),
        "self_signed",
        "shows a certificate that nobody known has signed.",
        "Install a proper certificate, or give the CA file that signed it.",
        False,
    ),
    (
        (_R.SSLError, ""),
        "tls",
        "could not agree on a secure connection.",
        "Check the certificate: its dates, its name and its chain.",
        False,
    ),
    (
        (_R.ConnectTimeout, ""),
        "timeout",
        "did not accept the connection in time.",
        "Check address and firewall.",
        False,
    ),
    ((_R.ReadTimeout, ""), "timeout", "did not answer in time.", "It is tried again by itself.", True),
    (
        (_R.ConnectionError, _NO_NAME),
        "dns",
        "could not be found: its name does not resolve.",
        "Check the spelling of the address.",
        False,
    ),
    (
        (_R.ConnectionError, r"refused|Errno 111"),
        "refused",
        "refused the connection.",
        "Check that the server runs and that the port is right.",
        False,
    ),
    (
        (_R.ConnectionError, r"Read timed out"),
        "timeout",
        "did not answer in time.",
        "It is tried again by itself.",
        True,
    ),
    (
        (_R.ConnectionError, _CUT),
        "cut",
        "closed the connection before the answer was complete.",
        "It is tried again.",
        True,
    ),
    ((_R.ChunkedEncodingError, ""), "cut", "cut its answer short.", "It is tried again by itself.", True),
    ((_R.ContentDecodingError, ""), "cut", "sent an answer that cannot be decoded.", "It is tried again.", True),
)


def _links(error: BaseException) -> list[BaseException]:
    """Return the error and what is behind it: urllib3 wraps what a connection raises, some of it in `args` only."""
    found: list[BaseException] = []
    open_ = [error]
    while open_ and len(found) < 20:
        current = open_.pop(0)
        if not any(current is one for one in found):
            found.append(current)
            behind = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
            open_ += [one for one in behind if isinstance(one, BaseException)]
    return found
