"""Finds the store's REST root behind whatever address somebody has typed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from integration.errors import AuthRejected, Held, NotSetUp, ServiceError, Throttled, Unreachable
from integration.http import upstream
from integration.http.transport import Answer, Observer, Route, Transport
from integration.store.access import SERVICE, StoreAccess, home, plain_permalinks
from integration.store.answers import classify, read, unreadable
from integration.store.client import StoreClient
from integration.store.php_values import decoded_name
from integration.store.rows import rows_of

_LINK = re.compile(r"<([^>]+)>\s*;[^,]*rel=[\"']?https://api\.w\.org/", re.IGNORECASE)
#: What is said of a store whose index is hidden, or has no wc/v3 in it.
_HIDDEN = ("rest_disabled", "no_woocommerce")
#: What a store does not tell whose index is hidden; its address is then only what was typed.
HIDDEN_INDEX = "the index of the API"
#: The cheap form of the index (woo:461); the whole one has every route in it.
INDEX_FIELDS = "name,url,home,namespaces,timezone_string,gmt_offset"
#: Nested fields of the system report (woo:006).
SYSTEM_FIELDS = "environment.version,environment.language,settings.currency,settings.number_of_decimals"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the store says of itself; `fingerprint` is the same as long as it is the same shop at the same address.

    `decimals` is how many the shop keeps of its prices, `locale` WordPress's ("de_DE"); None where it does not tell.
    `untold` says why, by the path that was asked.
    """

    rest_root: str
    name: str
    home: str
    timezone: str
    gmt_offset: float | None
    has_woocommerce: bool
    wc_version: str | None = None
    currency: str | None = None
    decimals: int | None = None
    locale: str | None = None
    fingerprint: str = ""
    untold: Mapping[str, str] = field(default_factory=dict)


def discover(access: StoreAccess, route: Route | None = None, observer: Observer | None = None) -> Discovery:
    """Return the store behind an address.

    Raises NotSetUp (not_wordpress, plain_permalinks, no_woocommerce, a redirect, a page) and the border's errors.
    """
    route = route or Route()
    transport = Transport(SERVICE, replace(route, ca=route.ca or access.ca), observer)
    root, index, shut = _found(transport, access)
    client = StoreClient(replace(access, rest_root=root), route, observer)
    if shut is not None and not answers_to_key(client):
        raise shut
    untold = {HIDDEN_INDEX: str(shut)} if shut is not None else {}
    told = _shop(client, untold)
    shop = str(index.get("home") or index.get("url") or home(access.url))
    return Discovery(
        rest_root=root,
        name=decoded_name(index.get("name")),
        home=shop,
        timezone=str(index.get("timezone_string") or ""),
        gmt_offset=offset_of(index["gmt_offset"]) if "gmt_offset" in index else None,
        has_woocommerce=True,
        wc_version=told.get("version"),
        currency=told.get("currency"),
        decimals=told.get("decimals"),
        locale=told.get("locale"),
        fingerprint=hashlib.sha256(f"{shop}|{index.get('name')}".encode()).hexdigest()[:16],
        untold=untold,
    )


def _found(transport: Transport, access: StoreAccess) -> tuple[str, Mapping[str, Any], NotSetUp | None]:
    """Return the REST root, its index, and why the index is hidden: what nobody sees may be open to the key."""
    try:
        root, index = _index(transport, access)
        _woocommerce(index)
    except NotSetUp as shut:
        if shut.code not in _HIDDEN:
            raise
        return f"{home(access.url)}/wp-json", {}, shut
    return root, index, None


def _woocommerce(index: Mapping[str, Any]) -> None:
    """Raise NotSetUp for an index without wc/v3."""
    namespaces = index.get("namespaces")
    if not isinstance(namespaces, list) or "wc/v3" not in namespaces:
        raise upstream.error_named("no_woocommerce", SERVICE)


def answers_to_key(client: StoreClient) -> bool:
    """Tell whether a WooCommerce answers to the key, be it that the key is wrong, at one call.

    Security plugins hide the index, or all of it but oembed/1.0, from who is not signed in.
    """
    if not client.access.key:
        return False
    try:
        value, _ = client.get("orders", {"per_page": 1, "_fields": "id"})
    except AuthRejected:
        return True
    except ServiceError:
        return False
    return isinstance(value, list)


def _index(transport: Transport, access: StoreAccess) -> tuple[str, Mapping[str, Any]]:
    """Return the REST root and its index: /wp-json of the address, else where the front page's Link header points."""
    root = f"{home(access.url)}/wp-json"
    answer = transport.send("GET", f"{root}/", params={"_fields": INDEX_FIELDS})
    index = _wordpress(answer)
    if index is not None:
        return root, index
    linked = _linked(transport, access)
    if linked and linked != root:
        answer = transport.send("GET", f"{linked}/", params={"_fields": INDEX_FIELDS})
        index = _wordpress(answer)
        if index is not None:
            return linked, index
    raise upstream.error_of("not_wordpress", SERVICE, answer)


def _wordpress(answer: Answer) -> Mapping[str, Any] | None:
    """Return the index of a WordPress, None when this is none; raises what the store itself says is wrong."""
    error = classify(answer)
    if error is not None:
        if error.code in upstream.ELSEWHERE or error.status == 404 or not _speaks_wordpress(answer):
            return None
        raise error
    try:
        value, _ = read(answer)
    except ServiceError as unread:
        if unread.code in upstream.ELSEWHERE:
            return None
        raise
    return value if isinstance(value, Mapping) and "namespaces" in value else None


def _speaks_wordpress(answer: Answer) -> bool:
    """Tell whether an error may be a WordPress' own: its JSON has a code, a web page or a proxy says nothing of it."""
    try:
        value, _ = answer.json()
    except ValueError:
        return True
    return isinstance(value, Mapping) and isinstance(value.get("code"), str)


def _linked(transport: Transport, access: StoreAccess) -> str | None:
    return linked_root(transport.send("GET", f"{home(access.url)}/", headers={"Accept": "text/html"}), access)


def linked_root(answer: Answer, access: StoreAccess) -> str | None:
    """Return the root that the Link header names, asked for where the key may go: at the typed host; None without one.

    Behind a proxy WordPress names http although it is asked over https (woo:423). Raises NotSetUp: redirected when
    another host is named, plain_permalinks when the API has no address of its own.
    """
    found = _LINK.search(answer.headers.get("link", ""))
    if found is None:
        return None
    if "rest_route=" in found.group(1):
        raise plain_permalinks(answer.status)
    typed, named = urlsplit(home(access.url)), urlsplit(found.group(1))
    if named.hostname != typed.hostname:
        there = f"{named.scheme}://{named.netloc}"
        raise upstream.error_named("redirected", SERVICE, status=answer.status, target=there, suggestion=there)
    return urlunsplit((typed.scheme, typed.netloc, named.path, named.query, "")).rstrip("/")


def _shop(client: StoreClient, untold: dict[str, str]) -> dict[str, Any]:
    """Return version, currency, decimals and locale as far as the store tells; the whole report calls other servers."""
    if not client.access.key:
        return {}
    report = _optional(client, untold, "system_status", {"_fields": SYSTEM_FIELDS})
    environment, settings = (_mapping(report.get(name)) for name in ("environment", "settings"))
    # A key may read orders and not the system, or a firewall may keep it shut.
    code = settings.get("currency") or _optional(client, untold, "data/currencies/current").get("code")
    decimals = str(settings.get("number_of_decimals"))
    return {
        "version": environment.get("version"),
        "currency": str(code).upper() if code else None,
        "decimals": int(decimals) if decimals.isascii() and decimals.isdigit() else None,
        "locale": environment.get("language"),
    }


def _optional(
    client: StoreClient, untold: dict[str, str], path: str, params: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """Return what the store tells there, nothing where it does not: what is only nice to know never vetoes."""
    try:
        return _mapping(client.get(path, params)[0])
    except ServiceError as error:
        if is_about_all(error):
            raise
        untold[path] = str(error)
        return {}


def is_about_all(error: ServiceError) -> bool:
    """Tell whether an error says that nothing else would be answered either: no connection, or a limit of calls.

    A report of the system may take too long by itself.
    """
    return isinstance(error, Throttled | Held) or (isinstance(error, Unreachable) and error.code != "timeout")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def statuses(client: StoreClient) -> tuple[tuple[str, str], ...]:
    """Return (slug, name) of every order status, custom ones included (woo:134)."""
    value, answer = client.get("reports/orders/totals")
    rows = [row for row in rows_of(value, answer) if isinstance(row, Mapping) and row.get("slug")]
    return tuple((str(row["slug"]), str(row.get("name") or row["slug"])) for row in rows)


def has_route(client: StoreClient, name: str) -> bool:
    """Tell whether wc/v3 has a list of this name, at one call (woo:002).

    WooCommerce itself has `marketplace/subscriptions`, which is something else. Raises ServiceError.
    """
    value, answer = client.get("", {"_fields": "routes"})
    routes = _mapping(value).get("routes")
    if not isinstance(routes, Mapping):
        raise unreadable(answer)
    return f"/wc/v3/{name}" in routes


def offset_of(value: Any) -> float:
    """Return hours from UTC, 0 for what is none."""
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0
