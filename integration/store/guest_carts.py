"""Fills a guest's cart in the store without a key, for a link to hand over (storefront:122 to storefront:124)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from integration.errors import ServiceError
from integration.http.transport import Answer, Observer, Route, Transport
from integration.store.access import SERVICE, StoreAccess, home

#: The header that stands for a guest's session; who holds it reads and changes the cart (storefront:030).
TOKEN = "Cart-Token"


class OutOfTime(Exception):
    """The shopper has waited long enough."""


class GuestCart:
    """A new guest's cart, `seconds` for all of its calls; a refused item is left out."""

    def __init__(self, access: StoreAccess, route: Route, observer: Observer | None, seconds: float) -> None:
        self._root = f"{access.rest_root.strip().rstrip('/') or home(access.url) + '/wp-json'}/wc/store/v1"
        self._route = replace(route, ca=route.ca or access.ca)
        self._transport = Transport(SERVICE, self._route, observer)
        self._ends = time.monotonic() + seconds
        self._token = ""

    def fill(self, items: Iterable[Mapping[str, Any]], coupon: str = "") -> str:
        """Put items and coupon into the cart and return its Cart-Token, "" when nothing could be put in.

        `items` are bodies of cart/add-item. When the time is over what is in by then is handed over.
        """
        added = 0
        try:
            self._call("GET", "cart")
            for item in items if self._token else ():
                added += self._call("POST", "cart/add-item", item)
            if added and coupon:
                self._call("POST", "cart/apply-coupon", {"code": coupon})
        except (OutOfTime, ServiceError):
            pass
        return self._token if added else ""

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bool:
        """Make a call and tell whether the store did it; each answer brings a new token of the same session."""
        answer = self._send(method, f"{self._root}/{path}", None if body is None else json.dumps(body).encode())
        self._token = answer.headers.get(TOKEN.lower(), "") or self._token
        return answer.status in (200, 201)

    def _send(self, method: str, url: str, body: bytes | None) -> Answer:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise OutOfTime
        self._transport.route = replace(self._route, connect_timeout=left, read_timeout=left, total_timeout=left)
        headers = {"Content-Type": "application/json", **({TOKEN: self._token} if self._token else {})}
        return self._transport.send(method, url, body=body, headers=headers)
