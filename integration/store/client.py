"""Calls of a store's wc/v3: JSON in, JSON out, every failure an error of the tree. It never repeats a call.

One exception, after an answer that says nothing was done: over https a 401 that may come from a web server which drops
the Authorization header is asked once more with the key in the query (dossier W01, woo:175).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from integration.errors import AuthRejected, ServiceError
from integration.http.breaker import Gate
from integration.http.transport import Answer, Observer, Route, Transport, is_write
from integration.store.access import SERVICE, StoreAccess, key_params, signature
from integration.store.answers import as_told, check_written, classify, read

Params = Mapping[str, Any]
Reply = tuple[Any, Answer]

PRINTED = "The store prints warnings or a byte order mark around its answers; switch display_errors off in PHP."
HEADER_DROPPED = (
    "The store's web server drops the Authorization header, so the key is sent in the address; ask the host to pass "
    "the header on."
)


class StoreClient:
    """One store; safe to use from several threads. `notices` holds what is odd about it but does no harm.

    `heed` is called before each request and while one is waited for: what it raises ends the work that is going.
    `read_only` is raised instead of any call that would change something.
    Raises Unreachable, Throttled, ServerFault, AuthRejected, NotSetUp and Rejected; Held where the gate refuses a call.
    """

    def __init__(
        self,
        access: StoreAccess,
        route: Route | None = None,
        observer: Observer | None = None,
        correlation: str = "",
        gate: Gate | None = None,
    ) -> None:
        self.access = access
        route = route or Route()
        route = replace(route, ca=route.ca or access.ca)
        # Caches in front of stores have served old lists (dossier 9).
        headers = {"Cache-Control": "no-cache"}
        if correlation:
            headers["X-Correlation-ID"] = correlation
        self.transport = Transport(SERVICE, route, observer, headers, gate=gate)
        self.notices: list[str] = []
        self.heed: Callable[[], None] = lambda: None
        self.read_only: ServiceError | None = None
        self._lock = threading.Lock()
        self._key_in_query = False

    @property
    def calls(self) -> int:
        """Return how many HTTP requests were sent so far."""
        return self.transport.calls

    def get(self, path: str, params: Params | None = None) -> Reply:
        """Return (value, answer) of GET wc/v3/`path`; lists among the parameters go as comma lists."""
        return self.request("GET", path, params)

    def post(self, path: str, body: Any = None, params: Params | None = None) -> Reply:
        """Return (value, answer) of POST wc/v3/`path` with a JSON body."""
        return self.request("POST", path, params, body)

    def put(self, path: str, body: Any, params: Params | None = None) -> Reply:
        """Return (value, answer) of PUT wc/v3/`path` with a JSON body."""
        return self.request("PUT", path, params, body)

    def delete(self, path: str, params: Params | None = None) -> Reply:
        """Return (value, answer) of DELETE wc/v3/`path`."""
        return self.request("DELETE", path, params)

    def request(self, method: str, path: str, params: Params | None = None, body: Any = None) -> Reply:
        """Send one call and return the JSON value with its answer."""
        self.heed()
        if self.read_only is not None and is_write(method):
            raise self.read_only
        url = f"{self.access.api}/{path.strip('/')}".rstrip("/")
        content = None if body is None else json.dumps(body).encode()
        query = prepared(params)
        in_query = self._key_in_query
        answer = self._send(method, url, query, content, in_query)
        if not in_query and self._may_lack_header(answer):
            answer = self._second(method, url, query, content, answer)
        # The index of the API answers from WordPress alone, so it says nothing of the lists that are read.
        with self.transport.judged(write=is_write(method), tells=bool(path.strip("/"))):
            error = classify(answer)
            if error is not None:
                raise error
            value, clean = read(answer)
            if method in ("POST", "PUT"):
                check_written(value, answer)
        if not clean:
            self._notice(PRINTED)
        return value, answer

    def get_public(self, path: str, params: Params | None = None) -> Reply:
        """Return (value, answer) of GET wc/store/v1/`path`, which anybody may read: the key is not sent.

        Shops shut this API while wc/v3 works, so what it answers tells the gate nothing of the store.
        """
        self.heed()
        answer = as_told(self.transport.send("GET", f"{self.access.storefront}/{path}", params=prepared(params)))
        error = classify(answer)
        if error is not None:
            raise error
        return read(answer)[0], answer

    def _send(
        self, method: str, url: str, query: dict[str, str], content: bytes | None, key_in_query: bool = False
    ) -> Answer:
        headers = {} if content is None else {"Content-Type": "application/json"}
        params = {**query, **key_params(self.access)} if key_in_query else query
        auth = None if key_in_query else signature(self.access)
        return as_told(self.transport.send(method, url, params=params, body=content, headers=headers, auth=auth))

    def _may_lack_header(self, answer: Answer) -> bool:
        if answer.status != 401 or not self.access.secure:
            return False
        error = classify(answer)
        return isinstance(error, AuthRejected) and error.code == "wrong_key"

    def _second(self, method: str, url: str, query: dict[str, str], content: bytes | None, first: Answer) -> Answer:
        """Ask with the key in the query; the first answer stands unless that got further."""
        second = self._send(method, url, query, content, key_in_query=True)
        if second.status == 401:
            return first
        self._key_in_query = True
        self._notice(HEADER_DROPPED)
        return second

    def _notice(self, text: str) -> None:
        with self._lock:
            if text not in self.notices:
                self.notices.append(text)


def prepared(params: Params | None) -> dict[str, str]:
    """Return query parameters as text: lists joined by commas, None left out, true and false as words.

    `status[]=` would break the OAuth signature, a comma list does not (woo:464 and woo:466).
    """
    return {name: _text(value) for name, value in (params or {}).items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(_text(each) for each in value)
    return str(value)
