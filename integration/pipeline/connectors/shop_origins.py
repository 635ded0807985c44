"""Whose page a page is: the origins of a connector's shop, and what browsers let its pages load."""

from __future__ import annotations

from urllib.parse import urlsplit

from integration.models.connector import Connector

Origin = tuple[str, str, int | None]
#: Hosts that browsers trust without https: a trial on one machine works, and nobody else reaches it.
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def homes(connector: Connector) -> set[Origin]:
    """Return the origins of the connector's shop: as it was entered, and as the shop calls itself."""
    found = {origin_of(address) for address in (connector.store_url, str(connector.store_facts.get("home") or ""))}
    return {origin for origin in found if origin[1]}


def origin_of(address: str) -> Origin:
    """Return scheme, host and port, the port of the scheme where none is said; ("", "", None) for no address."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port


def mixes_content(connector: Connector, base_url: str) -> bool:
    """Tell whether browsers load nothing of ours in the shop's pages: theirs are https, ours http (storefront.md).

    A page of theirs that nobody knows to be https says nothing against it.
    """
    return origin_of(base_url)[0] == "http" and any(scheme == "https" for scheme, _, _ in homes(connector))


def blocks_script(connector: Connector, base_url: str) -> bool:
    """Tell whether our script certainly does not run in the shop's pages."""
    return mixes_content(connector, base_url) and origin_of(base_url)[1] not in _THIS_MACHINE
