"""The shop's own API with keys, as the recorded requests to wc/v3 had them."""

from __future__ import annotations

from urllib.parse import urlsplit

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client
from storefront_recordings import recording
from storefront_shopper import Reply, Shopper, compare

from integration.sandbox.store import StoreServer


class Keys:
    """Asks wc/v3; over http the requests are signed instead of carrying the keys."""

    def __init__(self, server: StoreServer) -> None:
        self._server = server
        self._browser = Shopper(server)

    def ask(self, method: str, path: str, body: object = None) -> Reply:
        """Send a request to a path and query below the root of the shop."""
        kind = {"Content-Type": "application/json"} if body is not None else {}
        return self._browser.send(method, self._signed(method, path), body, kind)

    def follow(self, number: int) -> Reply:
        """Replay a recorded request and compare the whole answer."""
        recorded = recording(number)
        headers = {name: value for name in ("Content-Type", "Origin") if (value := recorded.asked(name))}
        method, body = recorded.request["method"], recorded.request["body"]
        reply = self._browser.send(method, self._signed(method, recorded.path), body, headers)
        compare(self._server, recorded, reply)
        return reply

    def _signed(self, method: str, path: str) -> str:
        keys = self._server.credentials
        stamp = str(self._server.state.now())
        client = Client(
            keys.key,
            keys.secret,
            signature_method=SIGNATURE_HMAC_SHA256,
            signature_type=SIGNATURE_TYPE_QUERY,
            timestamp=stamp,
        )
        signed, _, _ = client.sign(self._server.url + path, method)
        parts = urlsplit(signed)
        return f"{parts.path}?{parts.query}"
