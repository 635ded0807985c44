"""Fills a guest's cart in the store without a key, for a link to hand over (storefront:122 to storefront:124)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from integration.errors import Rejected, ServiceError
from integration.http.breaker import Gate
from integration.http.transport import Answer, Observer, Route, Transport
from integration.store.access import SERVICE, StoreAccess, home
from integration.store.answers import classify, unreadable

#: The header that stands for a guest's session; who holds it reads and changes the cart (storefront:030).
TOKEN = "Cart-Token"


#: Statuses by which the store refuses what was asked for, not the asking (storefront:015 to storefront:019).
_REFUSALS = (400, 409)


class OutOfTime(Exception):
    """The shopper has waited long enough."""

    def __str__(self) -> str:
        return "The store took longer than a shopper waits."


class GuestCart:
    """A new guest's cart, `seconds` for all of its calls; a refused item is left out.

    The gate learns of calls that failed on their way. What is answered tells it nothing: shops shut this API while
    wc/v3 works.
    """

    def __init__(
        self, access: StoreAccess, route: Route, observer: Observer | None, seconds: float, gate: Gate | None = None
    ) -> None:
        self._root = f"{access.rest_root.strip().rstrip('/') or home(access.url) + '/wp-json'}/wc/store/v1"
        self._route = replace(route, ca=route.ca or access.ca)
        self._transport = Transport(SERVICE, self._route, observer, gate=gate)
        self._ends = time.monotonic() + seconds
        self._token = ""

    def fill(self, items: Iterable[Mapping[str, Any]], coupon: str = "") -> str:
        """Put items and coupon into the cart and return its Cart-Token, "" when the store refuses each item.

        `items` are bodies of cart/add-item. Raises OutOfTime and ServiceError when it is not known of each item whether
        the store has it; without its coupon a cart is good.
        """
        answer = self._call("GET", "cart")
        if not self._token:
            raise unreadable(answer)
        added = sum(self._add(item) for item in items)
        if added and coupon:
            with suppress(OutOfTime, ServiceError):
                self._call("POST", "cart/apply-coupon", {"code": coupon})
        return self._token if added else ""

    def _add(self, item: Mapping[str, Any]) -> bool:
        """Add an item and tell whether the store has taken it."""
        try:
            self._call("POST", "cart/add-item", item)
        except Rejected as error:
            if error.status not in _REFUSALS:
                raise
            return False
        return True

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Make a call and return its good answer; each brings a new token of the same session."""
        answer = self._send(method, f"{self._root}/{path}", None if body is None else json.dumps(body).encode())
        self._token = answer.headers.get(TOKEN.lower(), "") or self._token
        error = classify(answer)
        if error is not None:
            raise error
        return answer

    def _send(self, method: str, url: str, body: bytes | None) -> Answer:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise OutOfTime
        self._transport.route = replace(self._route, connect_timeout=left, read_timeout=left, total_timeout=left)
        headers = {"Content-Type": "application/json", **({TOKEN: self._token} if self._token else {})}
        return self._transport.send(method, url, body=body, headers=headers)
