"""The one place where bytes leave for another server.

Redirects are never followed, credentials never travel to another host, addresses are checked at the open socket, so
a name that changes between look-up and connection gains nothing.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import requests

from integration import json_text
from integration.http.breaker import Gate, judged
from integration.http.content_encoding import ACCEPTED, CutShort, unpacked
from integration.http.errors import FAILURES, GuardedAdapter, TooLarge, translate
from integration.http.total_time import Watchdog

USER_AGENT = "woo-mautic/0.1"
LARGEST_ANSWER = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP answer; `headers` has lower-case names, `seconds` is the time until the body was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    url: str
    _read: list[tuple[Any, bool]] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def text(self) -> str:
        """Return the body as text, a byte order mark and undecodable bytes tolerated."""
        return self.body.decode("utf-8-sig", "replace")

    def json(self) -> tuple[Any, bool]:
        """Return (value, clean): the JSON of the body, clean is False when something was printed around it.

        It is read once, for all who look at the answer. Raises ValueError when there is no whole JSON (recordings
        woo/437, woo/438: a warning or BOM stands in front).
        """
        if not self._read:
            self._read.append(self._json())
        return self._read[0]

    def _json(self) -> tuple[Any, bool]:
        text = self.text
        try:
            return json_text.loads(text), not self.body.startswith(b"\xef\xbb\xbf")
        except ValueError:
            return json_text.printed_around(text), False


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
    """How to reach a server: PEM of further authorities to trust, time-outs in seconds, hosts that may be private.

    The total time-out is for a whole call: the others begin anew with each byte.
    """

    ca: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    total_timeout: float = 300.0
    private_allowed: tuple[str, ...] = ("*",)


@dataclass
class Transport:
    """Sends requests to one service ("store" or "mautic"); safe to use from several threads.

    Raises Unreachable (codes dns, refused, timeout, tls, self_signed, foreign_authority, cut, too_large) and NotSetUp
    (address, authority_unread), and Held where the gate refuses the call.
    """

    service: str
    route: Route = field(default_factory=Route)
    observer: Observer | None = None
    headers: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    gate: Gate | None = None

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
        with self.gate.call(write=is_write(method)) if self.gate else nullcontext():
            started = time.monotonic()
            with self._lock:
                self.calls += 1
            try:
                prepared = self._session().prepare_request(request)
                answer = self._exchange(prepared, timeout, started)
            except FAILURES as error:
                # They hold what had been read, and the error that is raised holds them until the collector comes.
                traceback.clear_frames(error.__traceback__)
                failure = translate(self.service, error, own_authority=bool(self.route.ca))
                self._observe(method, url, request, body, None, time.monotonic() - started, failure.code)
                if self.gate is not None:
                    self.gate.failed(failure)
                raise failure from error
        self._observe(method, prepared.url or url, prepared, body, answer, answer.seconds, "")
        return answer

    def judged(self, *, write: bool, tells: bool = True) -> AbstractContextManager[None]:
        """Return the context in which an answer is read, so that the gate learns what it means (see breaker)."""
        return judged(self.gate, write=write, tells=tells)

    def _exchange(self, prepared: requests.PreparedRequest, timeout: float | None, started: float) -> Answer:
        limits = (self.route.connect_timeout, timeout or self.route.read_timeout)
        session = self._session()
        # Not session.send(): it reads the body of a redirect whole and parses where it leads, and keeps cookies.
        adapter = cast(GuardedAdapter, session.get_adapter(prepared.url or ""))
        with (
            Watchdog(self.route.total_timeout) as adapter.watchdog,
            adapter.send(prepared, timeout=limits, stream=True, verify=True) as response,
        ):
            body = _read(response)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body, time.monotonic() - started, prepared.url or "")

    def _headers(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        usual = {"Accept": "application/json", "Accept-Encoding": ACCEPTED, "User-Agent": USER_AGENT}
        return {**usual, **self.headers, **(extra or {})}

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            adapter = GuardedAdapter(self.route.private_allowed, self.route.ca)
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
        # A request that oauthlib has signed has bytes for header names and values.
        asked = {_plain(name): _plain(value) for name, value in request.headers.items()}
        self.observer(Exchange(self.service, method, url, asked, sent, status, headers, text, seconds, error))


def _read(response: requests.Response) -> bytes:
    """Return the whole body, unpacked here: urllib3 gives up on one whose header lies and knows no limit.

    One with more values than any answer is not kept either: reading it would take a multiple of its size.
    """
    encoding = response.raw.headers.pop("Content-Encoding", "")
    body = _whole(response)
    try:
        whole = unpacked(body, encoding, LARGEST_ANSWER)
    except CutShort as error:
        raise requests.exceptions.ChunkedEncodingError("the body ended early") from error
    if json_text.has_more_values(whole, json_text.ANSWER_VALUES_MAX):
        raise TooLarge("answer with too many values")
    return whole


def _whole(response: requests.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(65536):
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise TooLarge("answer too large")
        chunks.append(chunk)
    announced = response.headers.get("Content-Length")
    whole = response.request.method == "HEAD" or response.status_code in (204, 304)
    if not whole and announced and announced.isdigit() and size < int(announced):
        raise requests.exceptions.ChunkedEncodingError("the body ended early")
    return b"".join(chunks)


def is_write(method: str) -> bool:
    """Tell whether a method changes something."""
    return method not in ("GET", "HEAD", "OPTIONS")


def _plain(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
