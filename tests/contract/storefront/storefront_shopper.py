"""A shopper who replays recorded requests, with a Cart-Token or with cookies and a nonce as the recording has them."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Any

from storefront_recordings import Recording, comparable, differences, recording, said

from integration.sandbox.store import StoreServer

API = "/wp-json/wc/store/v1"
SENT = (
    "Accept",
    "Content-Type",
    "User-Agent",
    "Origin",
    "X-HTTP-Method-Override",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
)


@dataclass
class Reply:
    """What the stand-in answered; headers may come several times."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    @property
    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.text)

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        return next((value for each, value in self.headers if each == name), "")


@dataclass
class Shopper:
    """One browser: what it holds of cookies, the last nonce and the last Cart-Token."""

    server: StoreServer
    jar: dict[str, str] = field(default_factory=dict)
    token: str = ""
    nonce: str = ""
    trust: ssl.SSLContext | None = None

    def send(self, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        """Send a request and keep what the answer gives: cookies, nonce, token."""
        connection = self._connection()
        try:
            text = body if isinstance(body, str) or body is None else json.dumps(body)
            connection.request(method, target, text.encode() if text else None, headers or {})
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.getheaders(), answer.read().decode("utf-8"))
        finally:
            connection.close()
        self._keep(reply)
        return reply

    def _connection(self) -> http.client.HTTPConnection:
        place = self.server.host, self.server.port
        if self.trust:
            return http.client.HTTPSConnection(*place, context=self.trust, timeout=20)
        return http.client.HTTPConnection(*place, timeout=20)

    def _keep(self, reply: Reply) -> None:
        self.nonce = reply.header("Nonce") or self.nonce
        self.token = reply.header("Cart-Token") or self.token
        for name, value in reply.headers:
            if name == "Set-Cookie":
                pair = value.partition(";")[0].partition("=")
                self.jar[pair[0]] = pair[2]
                if "Max-Age=0" in value:
                    del self.jar[pair[0]]

    @property
    def cookie(self) -> str:
        """Return the Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.jar.items())

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request to the Store API with this shopper's Cart-Token."""
        if not self.token:
            self.send("GET", f"{API}/cart")
        kind = {"Content-Type": "application/json"} if body is not None else {}
        return self.send(method, API + path, body, {"Cart-Token": self.token, **kind, **headers})

    def replay(self, number: int, **changed: str) -> Reply:
        """Send a recorded request; `changed` replaces the secrets in it."""
        recorded = recording(number)
        headers = {name: value for name in SENT if (value := recorded.asked(name)) is not None}
        if headers.get("Origin") == "https://store.test":
            headers["Origin"] = self.server.url
        secrets = {"Cart-Token": self.token, "Nonce": self.nonce, "Cookie": self.cookie} | changed
        headers |= {name: value for name, value in secrets.items() if recorded.asked(name)}
        body = recorded.request["body"]
        return self.send(
            recorded.request["method"], recorded.path, body and body.replace("***NONCE***", self.nonce), headers
        )

    def follow(self, number: int, **changed: str) -> Reply:
        """Replay a recorded request and compare the whole answer."""
        reply = self.replay(number, **changed)
        compare(self.server, recording(number), reply)
        return reply


def compare(server: StoreServer, recorded: Recording, reply: Reply) -> None:
    """Hold an answer against a recorded one: status, the headers that matter, and the body."""
    wanted = said([(name, value) for name, value in recorded.response["headers"]], server.url)
    assert reply.status == recorded.response["status"], reply.text
    assert not (found := differences(said(reply.headers, server.url), wanted)), found
    if recorded.response["body"]:
        ours, theirs = comparable(reply.json, server.url), comparable(recorded.body, server.url)
        assert not (found := differences(ours, theirs)), found
    else:
        assert not reply.text
