"""The documents of orders and accounts: the kept one, or for one of a bulk the one made from its number."""

from __future__ import annotations

import itertools
import random
from typing import Any

from integration.sandbox.store import demo_people
from integration.sandbox.store.addresses import ACCOUNT_PARTS, account_name, blank, fill
from integration.sandbox.store.order_building import compose
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.people import Person
from integration.sandbox.store.state import State

IDS_PER_ORDER = 100


def of_order(state: State, row: Row) -> dict[str, Any]:
    """Return an order's document, made on the spot when it is one of a bulk."""
    return row.document if row.document is not None else _bulk_order(state, row)


def own_of_order(state: State, row: Row) -> dict[str, Any]:
    """Return an order's document to be changed: one of a bulk becomes its own."""
    if row.document is None:
        row.document = _bulk_order(state, row)
    return row.document


def of_person(person: Person) -> dict[str, Any]:
    """Return an account's document, made on the spot when it is one of a bulk."""
    return person.document if person.document is not None else _bulk_person(person)


def own_of_person(person: Person) -> dict[str, Any]:
    """Return an account's document to be changed: one of a bulk becomes its own."""
    if person.document is None:
        person.document = _bulk_person(person)
    return person.document


class BulkOrderContext:
    """What one bulk order is composed with: the shop's products, and numbers and chance of its own."""

    def __init__(self, state: State, recipe: int) -> None:
        self.currency = state.currency
        self.version = state.version
        self.is_ten = state.is_ten
        self.product = state.product
        self.coupons: dict[int, dict[str, Any]] = {}
        self.chance = random.Random(recipe)
        self._numbers = itertools.count(10_000_000 + recipe * IDS_PER_ORDER)

    def next_id(self, kind: str) -> int:
        """Return the next number; bulk orders have a range each."""
        return next(self._numbers)


def _bulk_order(state: State, row: Row) -> dict[str, Any]:
    """Make the document of a bulk order from its recipe."""
    recipe = int(row.recipe or 0)
    chance = random.Random(recipe)
    wares = [number for number, entry in state.products.items() if entry["type"] == "simple"]
    lines = [
        {"product_id": chance.choice(wares), "quantity": chance.randint(1, 4)} for _ in range(chance.randint(1, 3))
    ]
    fields = {
        "billing": demo_people.address(chance, recipe, row.email),
        "line_items": lines if wares else [],
        "meta_data": demo_people.meta(chance, recipe),
        "payment_method": "cod",
        "payment_method_title": "Contrassegno",
        "customer_ip_address": f"203.0.113.{recipe % 254 + 1}",
    }
    return compose(BulkOrderContext(state, recipe), fields, "checkout")


def _bulk_person(person: Person) -> dict[str, Any]:
    """Make the document of a bulk account from its recipe."""
    recipe = int(person.recipe or 0)
    billing = demo_people.address(random.Random(recipe), recipe, person.email)
    return {
        "first_name": account_name(billing["first_name"]),
        "last_name": account_name(billing["last_name"]),
        "username": f"cust{recipe}",
        "billing": fill(blank(ACCOUNT_PARTS, True), billing),
        "shipping": blank(ACCOUNT_PARTS, False),
        "is_paying_customer": recipe % 3 != 0,
        "meta_data": [],
    }
