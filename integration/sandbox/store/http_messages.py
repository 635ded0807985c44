"""One request to the store and one answer, apart from sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from integration.sandbox.store import rest_format
from integration.sandbox.store.problems import Refused

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"


@dataclass
class ApiRequest:
    """A request: verb, path, raw target, query read as PHP does, headers in lower case, body, and how it came in."""

    method: str
    path: str
    target: str
    headers: dict[str, str]
    body: bytes
    home: str
    secure: bool
    role: str | None = None
    rest_base: str = "/wp-json"
    crash_after: int | None = None

    def __post_init__(self) -> None:
        text = self.target.partition("?")[2]
        self.pairs = parse_qsl(text, keep_blank_values=True)
        self.query: dict[str, Any] = rest_format.parse_query(self.pairs)

    @property
    def root(self) -> str:
        """Return the address in front of every REST route, without a slash at the end."""
        return f"{self.home}{self.rest_base}"

    @property
    def fields(self) -> list[str]:
        """Return the names in `_fields`, empty for all."""
        return rest_format.names(self.query.get("_fields"))

    @property
    def ip(self) -> str:
        """Return the address the shop takes the shopper to be at."""
        return self.headers.get("x-forwarded-for", "127.0.0.1")

    @property
    def agent(self) -> str:
        """Return the shopper's browser."""
        return self.headers.get("user-agent", "")

    def flag(self, name: str) -> bool:
        """Say whether a boolean query parameter is on, as WordPress reads it."""
        return str(self.query.get(name, "")).lower() in ("1", "true", "yes", "on")

    def payload(self) -> dict[str, Any]:
        """Return the body's values, from JSON or a form; raises Refused for broken JSON (woo:205 and woo:206)."""
        if not self.body:
            return {}
        kind = self.headers.get("content-type", "")
        if "json" not in kind:
            return rest_format.parse_query(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return _json_object(self.body)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError as error:
        code, text = _php_reason(body)
        raise Refused(
            400, "rest_invalid_json", "Invalid JSON body passed.", json_error_code=code, json_error_message=text
        ) from error
    return read if isinstance(read, dict) else {}


def _php_reason(body: bytes) -> tuple[int, str]:
    # PHP calls a string that never ends a control character error (woo:205), everything else a syntax error.
    if body.count(b'"') % 2:
        return 3, "Control character error, possibly incorrectly encoded"
    return 4, "Syntax error"


@dataclass
class ApiAnswer:
    """An answer: status, body (JSON value or bytes), headers beside the usual ones, and what is done before it goes.

    A page of the shop (`is_page`) goes without the headers of the REST API.
    """

    status: int = 200
    body: Any = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    kind: str = JSON
    names_verbs: bool = True
    then: Callable[[], object] | None = None
    is_page: bool = False

    def raw(self) -> bytes:
        """Return the bytes to send."""
        return self.body if isinstance(self.body, bytes) else rest_format.encode(self.body)
