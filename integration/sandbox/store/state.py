"""Everything the stand-in shop holds, behind one lock, with what its people do to it."""

from __future__ import annotations

import random
import threading
from typing import Any
from zoneinfo import ZoneInfo

from integration.clock import Clock
from integration.sandbox.store import accounts, bulk, order_changes, order_json, people
from integration.sandbox.store.order_store import OrderBook, Row
from integration.sandbox.store.people import Person
from integration.sandbox.store.problems import unknown, unknown_user
from integration.sandbox.store.webhook_queue import Bells

TABLES = ("products", "categories", "coupons", "webhooks", "notes", "refunds")
FIRST_POST = 10


class State:
    """The shop: orders, customers, products, coupons, webhooks; hold `lock` to read several things at once.

    `scramble_ties_from` says from how many found rows on a list ordered by modified repeats and loses rows that share
    a second: 371 rows came clean and 1,950 did not (recordings 024 to 026 and 482 to 501); None switches it off.
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
        self.bells = Bells(self)
        self._reset()

    def _reset(self) -> None:
        self.orders = OrderBook()
        self.people: dict[int, Person] = {}
        self.products: dict[int, dict[str, Any]] = {}
        self.categories: dict[int, dict[str, Any]] = {}
        self.coupons: dict[int, dict[str, Any]] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.refunds: dict[int, list[dict[str, Any]]] = {}
        self.counters: dict[str, int] = {"post": FIRST_POST}

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
        """Note a write, and ring the webhooks of the topic, if one is given, about the item."""
        self.changes += 1
        if topic:
            self.bells.ring(topic, number)

    def product(self, number: int) -> dict[str, Any] | None:
        """Return a product or variation that is not deleted."""
        return self.products.get(number)

    def document(self, row: Row) -> dict[str, Any]:
        """Return an order's document, made on the spot when it is one of a bulk."""
        return row.document if row.document is not None else bulk.order_document(self, row)

    def own_document(self, row: Row) -> dict[str, Any]:
        """Return an order's document to be changed: one of a bulk becomes its own."""
        if row.document is None:
            row.document = bulk.order_document(self, row)
        return row.document

    def person_document(self, person: Person) -> dict[str, Any]:
        """Return an account's document, made on the spot when it is one of a bulk."""
        return person.document if person.document is not None else bulk.person_document(person)

    def order(self, number: int) -> Row:
        """Return an order by id; raises Refused 404."""
        row = self.orders.get(number)
        if row is None:
            raise unknown("shop_order")
        return row

    def person(self, number: int) -> Person:
        """Return an account by id; raises Refused 404, for 0 too (recording 116)."""
        person = self.people.get(number)
        if person is None:
            raise unknown_user()
        return person

    @property
    def customers(self) -> list[dict[str, Any]]:
        """Return all accounts as the API shows them."""
        with self.lock:
            return [people.show(self, person, self.root) for person in self.people.values()]

    @property
    def root(self) -> str:
        """Return the address of the REST API at the shop's own home."""
        return f"{self.home}/wp-json"

    def shown(self, number: int) -> dict[str, Any]:
        """Return an order as the API shows it."""
        with self.lock:
            return order_json.show(self, self.order(number), self.root)

    def place_order(self, **fields: Any) -> dict[str, Any]:
        """Let a shopper buy: fields as in `POST /orders`; e-mails go in as typed, however broken."""
        with self.lock:
            row = order_changes.create(self, fields, "checkout")
            return order_json.show(self, row, self.root)

    def change_status(self, number: int, status: str) -> dict[str, Any]:
        """Let a shopkeeper set an order's status."""
        return self.edit_order(number, status=status)

    def edit_order(self, number: int, **fields: Any) -> dict[str, Any]:
        """Let a shopkeeper edit an order: fields as in `PUT /orders/{id}`."""
        with self.lock:
            order_changes.edit(self, self.order(number), fields)
            return self.shown(number)

    def refund(self, number: int, amount: str, reason: str = "") -> dict[str, Any]:
        """Let a shopkeeper pay money back: an amount like "5.00"; the whole amount sets the status to refunded."""
        with self.lock:
            return order_changes.refund(self, self.order(number), amount, reason)

    def trash(self, number: int) -> None:
        """Let a shopkeeper move an order to the trash."""
        with self.lock:
            order_changes.trash(self, self.order(number))

    def restore(self, number: int) -> None:
        """Let a shopkeeper take an order out of the trash."""
        with self.lock:
            order_changes.restore(self, self.order(number))

    def delete_force(self, number: int) -> None:
        """Let a shopkeeper delete an order for good: no webhook tells of it."""
        with self.lock:
            order_changes.delete(self, self.order(number))

    def register_customer(self, **fields: Any) -> dict[str, Any]:
        """Let a shopper open an account: fields as in `POST /customers`."""
        with self.lock:
            return people.show(self, accounts.register(self, fields), self.root)

    def edit_customer(self, number: int, **fields: Any) -> dict[str, Any]:
        """Let a customer change the account: fields as in `PUT /customers/{id}`."""
        with self.lock:
            return people.show(self, accounts.edit(self, self.person(number), fields), self.root)

    def delete_customer(self, number: int) -> None:
        """Let a shopkeeper delete an account."""
        with self.lock:
            accounts.delete(self, self.person(number))

    def dump(self) -> dict[str, Any]:
        """Return the whole shop as JSON values."""
        tables = {name: list(getattr(self, name).items()) for name in TABLES}
        orders = [row.dump() for row in self.orders]
        accounts_kept = [person.dump() for person in self.people.values()]
        return {"orders": orders, "people": accounts_kept, "counters": dict(self.counters), **tables}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the shop by what dump() gave."""
        self._reset()
        self.orders.add_many([Row.load(each) for each in saved["orders"]])
        self.people = {person.id: person for person in map(Person.load, saved["people"])}
        self.counters = dict(saved["counters"])
        for name in TABLES:
            setattr(self, name, {int(number): entry for number, entry in saved[name]})
        self.changes += 1
