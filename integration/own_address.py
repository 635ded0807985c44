"""Where the pages are served: HOST as it is set, and as a URL has it."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Any


def host(value: Any) -> str:
    """Return a host or address to listen on; an IPv6 address may have the brackets that it has in a URL."""
    text = str(value).strip()
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def in_url(named: str, port: int) -> str:
    """Return host and port as a URL has them, an IPv6 address in brackets."""
    try:
        return f"[{IPv6Address(named)}]:{port}"
    except ValueError:
        return f"{named}:{port}"
