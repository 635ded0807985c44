"""Posting to a webhook's receiver as WooCommerce does: one try, no redirects, no lookup of anything else."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

AGENT = "WooCommerce/{} Hookshot (WordPress/6.9)"


@dataclass(frozen=True)
class Message:
    """A body, the headers that go with it, and the version of WooCommerce that sends it."""

    body: bytes
    headers: dict[str, str]
    version: str


def post(url: str, message: Message, timeout: float) -> int:
    """Send the message and return the HTTP status, 0 when nobody answered."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        connection.request("POST", target, message.body, _headers(message))
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    return status


def _headers(message: Message) -> dict[str, str]:
    return {
        "User-Agent": AGENT.format(message.version),
        "Accept": "*/*",
        "Accept-Encoding": "deflate, gzip, br, zstd",
        **message.headers,
        "Connection": "close",
    }
