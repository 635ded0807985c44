"""A client that replays recorded requests: with basic auth over https, signed anew over http."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from store_recordings import Recording, at_home

from integration.sandbox.store import StoreServer
from integration.sandbox.store.auth import Pair


@dataclass(frozen=True)
class Reply:
    """What the stand-in answered."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.text)


class Client:
    """Speaks to one stand-in."""

    def __init__(self, server: StoreServer, trust: ssl.SSLContext | None = None) -> None:
        self.server = server
        self._trust = trust

    def send(self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        """Send a raw request."""
        host, port = self.server.host, self.server.port
        connection: http.client.HTTPConnection
        if self._trust:
            connection = http.client.HTTPSConnection(host, port, context=self._trust, timeout=20)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=20)
        try:
            connection.request(method, target, body, {"Accept": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read().decode("utf-8"))
        finally:
            connection.close()

    def ask(self, method: str, path: str, fields: Any = None, pair: Pair | None = None) -> Reply:
        """Send a request with credentials, JSON fields and a path below /wp-json/wc/v3."""
        target = f"/wp-json/wc/v3{path}"
        body = json.dumps(fields).encode() if fields is not None else None
        headers = {"Content-Type": "application/json"} if body else {}
        pair = pair or self.server.credentials
        if self._trust:
            return self.send(method, target, body, headers | basic(pair))
        return self.send(method, self.signed(method, target, pair), body, headers)

    def signed(self, method: str, target: str, pair: Pair) -> str:
        """Return the target signed at the shop's own time."""
        return signed(method, self.server.url, target, pair, oauth_timestamp=str(self.server.state.now()))

    def replay(self, recorded: Recording, pair: Pair | None = None) -> Reply:
        """Send a recorded request with our credentials in place of the masked ones."""
        pair = pair or self.server.credentials
        method, target = recorded.request["method"], at_home(recorded.path, self.server.url)
        given = {name: value for name, value in recorded.request["headers"] if name in ("Accept", "Content-Type")}
        given |= {name: value for name, value in recorded.request["headers"] if name == "X-Test-Fault"}
        body = recorded.request["body"].encode() if recorded.request["body"] else None
        if recorded.is_oauth:
            target = self.signed(method, _unsigned(target), pair)
        elif recorded.is_basic:
            given |= basic(pair)
        return self.send(method, target, body, given)


def basic(pair: Pair) -> dict[str, str]:
    """Return the header of HTTP basic."""
    coded = base64.b64encode(f"{pair.key}:{pair.secret}".encode()).decode()
    return {"Authorization": f"Basic {coded}"}


def _unsigned(target: str) -> str:
    path, _, query = target.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("oauth_")]
    return path + ("?" + "&".join(kept) if kept else "")


def signed(method: str, home: str, target: str, pair: Pair, **changed: Any) -> str:
    """Return the target with an OAuth 1.0a signature; `changed` replaces parameters, None leaves one out.

    `at_host` signs for another host than the one that is asked, `digest` names the algorithm, `secret` another secret.
    """
    digest = changed.pop("digest", "SHA256")
    signed_for, secret = changed.pop("at_host", home), changed.pop("secret", pair.secret)
    path, _, query = target.partition("?")
    params = {
        "oauth_consumer_key": pair.key,
        "oauth_nonce": secrets.token_hex(8),
        "oauth_signature_method": f"HMAC-{digest}",
        "oauth_timestamp": "1795204120",
        **changed,
    }
    params = {name: value for name, value in params.items() if value is not None}
    pairs = [*parse_qsl(query, keep_blank_values=True), *params.items()]
    text = "&".join(sorted(f"{_code(name)}={_code(value)}" for name, value in pairs))
    base = "&".join([method, _code(signed_for + urlsplit(path).path), _code(text)])
    made = hmac.new(f"{secret}&".encode(), base.encode(), getattr(hashlib, digest.lower())).digest()
    params["oauth_signature"] = base64.b64encode(made).decode()
    return f"{path}?{query}{'&' if query else ''}{urlencode(params)}"


def _code(text: str) -> str:
    return quote(str(text), safe="-._~")
