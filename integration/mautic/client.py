"""Calls of Mautic's API: JSON in, JSON out, every failure an error of the tree. It never repeats a call.

Two exceptions, both after an answer that says nothing was done: a refused token is replaced once (mautic:018), and a
method
that the web server blocks is sent as POST with X-HTTP-Method-Override (dossier M33).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from integration.clock import Clock
from integration.errors import ServiceError
from integration.http.breaker import Gate
from integration.http.transport import Answer, Observer, Route, Transport, is_write
from integration.mautic.access import MauticAccess, MemoryTokens, TokenBox, root
from integration.mautic.answers import SERVICE, classify, first_problem, read
from integration.mautic.auth import Login

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer: HTTP status, parsed JSON, seconds it took."""

    status: int
    value: Any
    seconds: float


class MauticClient:
    """One Mautic; safe to use from several threads. `version` is the Mautic-Version last seen ("" before).

    `heed` is called before each request: what it raises ends the work that is going. `read_only` is raised instead of
    any call that would change something.
    Raises Unreachable, Throttled, ServerFault, AuthRejected, NotSetUp and Rejected; Held where the gate refuses a call.
    """

    def __init__(
        self,
        access: MauticAccess,
        tokens: TokenBox | None = None,
        clock: Clock | None = None,
        route: Route | None = None,
        observer: Observer | None = None,
        correlation: str = "",
        gate: Gate | None = None,
    ) -> None:
        self.access = access
        self.clock = clock or Clock()
        headers = {"X-Correlation-ID": correlation} if correlation else {}
        self.transport = Transport(SERVICE, route or Route(ca=access.ca), observer, headers, gate=gate)
        self.login = Login(access, tokens or MemoryTokens(), self.transport, self.clock)
        self.version = ""
        self.skew = timedelta(0)
        self._overrides = False
        self.heed: Callable[[], None] = lambda: None
        self.read_only: ServiceError | None = None

    @property
    def calls(self) -> int:
        """Return how many HTTP requests were sent so far, token requests included."""
        return self.transport.calls

    def get(self, path: str, params: Params | None = None) -> Any:
        """Return the JSON of GET /api/`path`."""
        return self.request("GET", path, params=params).value

    def post(self, path: str, body: Any = None, params: Params | None = None) -> Any:
        """Return the JSON of POST /api/`path`; without a body none is sent."""
        return self.request("POST", path, body=body, params=params).value

    def patch(self, path: str, body: Any, params: Params | None = None) -> Any:
        """Return the JSON of PATCH /api/`path`."""
        return self.request("PATCH", path, body=body, params=params).value

    def delete(self, path: str, params: Params | None = None) -> Any:
        """Return the JSON of DELETE /api/`path`; batch deletes take `ids` from the query only (mautic:168,
        mautic:169).
        """
        return self.request("DELETE", path, params=params).value

    def request(
        self, method: str, path: str, *, body: Any = None, params: Params | None = None, timeout: float | None = None
    ) -> Reply:
        """Send one call and return its good answer; `path` is below /api/, `timeout` in seconds."""
        self.heed()
        if self.read_only is not None and is_write(method):
            raise self.read_only
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        call = _Call(method, path.strip("/"), params, content, timeout)
        answer = self._signed(call)
        with self.transport.judged(write=is_write(method)):
            error = classify(answer, self.clock.now(), basic=self.login.basic, path=call.path)
            if error is not None:
                raise error
            return Reply(answer.status, read(answer), answer.seconds)

    def _signed(self, call: _Call) -> Answer:
        header = self.login.header()
        answer = self._allowed(call, header)
        if self.login.basic or answer.status != 401 or not _token_refused(answer):
            return answer
        self.login.replace(header)
        return self._allowed(call, self.login.header())

    def _allowed(self, call: _Call, header: str) -> Answer:
        """Send the call, as POST with an override where the web server blocks its method (M33)."""
        if call.method in ("GET", "POST"):
            return self._send(call, header, override=False)
        answer = self._send(call, header, override=self._overrides)
        if self._overrides or not _method_blocked(answer):
            return answer
        second = self._send(call, header, override=True)
        self._overrides = not _method_blocked(second)
        return second if self._overrides else answer

    def _send(self, call: _Call, header: str, *, override: bool) -> Answer:
        headers = {"Authorization": header}
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        if override:
            headers["X-HTTP-Method-Override"] = call.method
        answer = self.transport.send(
            "POST" if override else call.method,
            f"{root(self.access.url)}/api/{call.path}",
            params=call.params,
            body=call.content,
            headers=headers,
            timeout=call.timeout,
        )
        self._note(answer)
        return answer

    def _note(self, answer: Answer) -> None:
        self.version = answer.headers.get("mautic-version", self.version)
        try:
            self.skew = parsedate_to_datetime(answer.headers.get("date", "")) - self.clock.now()
        except (ValueError, TypeError):
            return

    def theirs(self, moment: datetime) -> datetime:
        """Return what Mautic's own clock showed at `moment`, by the Date of its last answer."""
        return moment + self.skew


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Params | None
    content: bytes | None
    timeout: float | None


def _json(answer: Answer) -> object:
    try:
        return answer.json()[0]
    except ValueError:
        return None


def _token_refused(answer: Answer) -> bool:
    problem = first_problem(_json(answer))
    return problem is not None and problem.type == "invalid_grant"


def _method_blocked(answer: Answer) -> bool:
    return answer.status in (403, 405, 501) and first_problem(_json(answer)) is None
