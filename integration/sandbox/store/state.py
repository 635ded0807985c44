"""Everything the stand-in shop holds, behind one lock."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from integration.clock import Clock
from integration.sandbox.store.order_store import OrderStore, Row
from integration.sandbox.store.people import Person
from integration.sandbox.store.problems import unknown, unknown_user
from integration.sandbox.store.sessions_kept import Session
from integration.sandbox.store.shipping_zones import Zone, usual

# The versions whose behaviour was recorded: storefront:001, the API's own recordings (woo:005), storefront:110.
VERSIONS = ("9.9.5", "10.2.4", "10.5.0")
TABLES = ("products", "categories", "coupons", "webhooks", "notes", "refunds")
FIRST_POST = 10


class State:
    """The shop: orders, customers, products, coupons, webhooks; hold `lock` to read several things at once.

    `scramble_ties_from` says from how many found rows on a list ordered by modified repeats and loses rows that share
    a second: 371 rows came clean and 1,950 did not (woo:024 to woo:026 and woo:482 to woo:501); None switches it off.
    `has_subscriptions` gives it the routes of WooCommerce Subscriptions.
    """

    def __init__(self, clock: Clock | None = None, zone: str = "Europe/Rome") -> None:
        self.lock = threading.RLock()
        self.changes = 0
        self.clock = clock or Clock()
        self.zone = ZoneInfo(zone)
        self.chance = random.Random(1)
        self.title = "Störe Tést"
        self.currency = "EUR"
        self.home = "http://127.0.0.1"
        self.scramble_ties_from: int | None = 1000
        self.has_subscriptions = False
        self._version = VERSIONS[0]
        self.listeners: list[Callable[[str, int], None]] = []
        self._reset()

    def _reset(self) -> None:
        self.orders = OrderStore()
        self.subscriptions = OrderStore()
        self.people: dict[int, Person] = {}
        self.products: dict[int, dict[str, Any]] = {}
        self.categories: dict[int, dict[str, Any]] = {}
        self.coupons: dict[int, dict[str, Any]] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.refunds: dict[int, list[dict[str, Any]]] = {}
        self.counters: dict[str, int] = {"post": FIRST_POST}
        self.sessions: dict[str, Session] = {}
        self.zones: dict[int, Zone] = usual()

    @property
    def version(self) -> str:
        """Return which WooCommerce the shop is, one of VERSIONS."""
        return self._version

    @version.setter
    def version(self, name: str) -> None:
        if name not in VERSIONS:
            raise ValueError(f"Unknown version: {name}. Use one of {', '.join(VERSIONS)}.")
        self._version = name

    @property
    def is_ten(self) -> bool:
        """Say whether the shop is a WooCommerce 10: codes in lower case, links that bring a cart back."""
        return int(self._version.partition(".")[0]) >= 10

    def now(self) -> int:
        """Return the present second."""
        return int(self.clock.now().timestamp())

    def next_id(self, kind: str) -> int:
        """Return the next number of a kind; orders, products, coupons and refunds share `post`."""
        self.counters[kind] = self.counters.get(kind, 0) + 1
        return self.counters[kind]

    def reach_id(self, kind: str, number: int) -> None:
        """Make sure that the next number of a kind is larger than one that was loaded."""
        self.counters[kind] = max(self.counters.get(kind, 0), number)

    def changed(self, topic: str = "", number: int = 0) -> None:
        """Note a write, and tell the listeners its topic, such as order.updated, if one is given, and the item's id."""
        self.changes += 1
        if topic:
            for listener in self.listeners:
                listener(topic, number)

    def product(self, number: int) -> dict[str, Any] | None:
        """Return a product or variation that is not deleted."""
        return self.products.get(number)

    def order(self, number: int) -> Row:
        """Return an order by id; raises Refused 404."""
        row = self.orders.get(number)
        if row is None:
            raise unknown("shop_order")
        return row

    def person(self, number: int) -> Person:
        """Return an account by id; raises Refused 404, for 0 too (woo:116)."""
        person = self.people.get(number)
        if person is None:
            raise unknown_user()
        return person

    @property
    def root(self) -> str:
        """Return the address of the REST API at the shop's own home."""
        return f"{self.home}/wp-json"

    def dump(self) -> dict[str, Any]:
        """Return the whole shop as JSON values."""
        tables = {name: list(getattr(self, name).items()) for name in TABLES}
        orders = [row.dump() for row in self.orders]
        accounts_kept = [person.dump() for person in self.people.values()]
        sessions = [session.dump() for session in self.sessions.values()]
        kept = {"orders": orders, "people": accounts_kept, "counters": dict(self.counters), "sessions": sessions}
        kept["subscriptions"] = [row.dump() for row in self.subscriptions]
        return kept | {"zones": [zone.dump() for zone in self.zones.values()], **tables}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the shop by what dump() gave."""
        self._reset()
        self.orders.add_many([Row.load(each) for each in saved["orders"]])
        self.subscriptions.add_many([Row.load(each) for each in saved.get("subscriptions", [])])
        self.people = {person.id: person for person in map(Person.load, saved["people"])}
        self.counters = dict(saved["counters"])
        self.sessions = {session.key: session for session in map(Session.load, saved.get("sessions", []))}
        self.zones = {zone.id: zone for zone in map(Zone.load, saved.get("zones", []))} or usual()
        for name in TABLES:
            setattr(self, name, {int(number): entry for number, entry in saved[name]})
        self.changes += 1
