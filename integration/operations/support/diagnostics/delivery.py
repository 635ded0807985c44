"""Whether the store's webhooks can reach us at the address they are given (dossier W27 and W34)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

#: WordPress calls no other ports (dossier 11.3).
PORTS = (80, 443, 8080)
_HINT = "Set PUBLIC_URL to the https address at which this application is reached from outside, then register again."
Advice = tuple[str, str, str]


def check(url: str) -> Advice | None:
    """Return (code, sentence, what to do) when WordPress would not deliver to this address, None when it would."""
    parts = urlsplit(url)
    if not parts.hostname or _is_private(parts.hostname):
        return (
            "delivery_private",
            "The webhooks' address is a private one, where WordPress sends nothing.",
            _HINT,
        )
    if parts.port and parts.port not in PORTS:
        sentence = f"WordPress delivers webhooks to the ports 80, 443 and 8080 only, not to {parts.port}."
        return "delivery_port", sentence, _HINT
    if parts.scheme != "https":
        sentence = "The webhooks' address is http; when a proxy sends it on to https, every delivery is lost."
        return "delivery_redirected", sentence, _HINT
    return None


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host
