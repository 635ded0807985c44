"""Very many orders and accounts at little cost: a few numbers each, the documents made when they are read."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

from integration.sandbox.store import demo_people
from integration.sandbox.store.addresses import ACCOUNT_PARTS, account_name, blank, fill
from integration.sandbox.store.order_building import compose
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.people import Person

if TYPE_CHECKING:
    from integration.sandbox.store.state import State

STATUSES = ("completed",) * 11 + ("processing",) * 3 + ("pending", "on-hold", "cancelled", "failed", "shipped")
GAP = 300
IDS_PER_ORDER = 100


class BulkBench:
    """A place to compose one bulk order, with numbers and chance of its own."""

    def __init__(self, state: State, recipe: int) -> None:
        self.currency = state.currency
        self.products = state.products
        self.product = state.product
        self.coupons: dict[int, dict[str, Any]] = {}
        self.chance = random.Random(recipe)
        self._numbers = itertools.count(10_000_000 + recipe * IDS_PER_ORDER)

    def next_id(self, kind: str) -> int:
        """Return the next number; bulk orders have a range each."""
        return next(self._numbers)


def order_document(state: State, row: Row) -> dict[str, Any]:
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
    return compose(BulkBench(state, recipe), fields, "checkout")


def person_document(person: Person) -> dict[str, Any]:
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


def seed_bulk(state: State, customers: int, orders: int, rng_seed: int = 7, ending: int | None = None) -> None:
    """Put in so many customers and orders; the orders lie five minutes apart and end at `ending` (epoch seconds)."""
    from integration.sandbox.store.demo_catalogue import stock

    chance = random.Random(rng_seed)
    end = state.now() if ending is None else ending
    with state.lock:
        stock(state)
        people = [_person(state, chance, number, end) for number in range(1, customers + 1)]
        state.people.update((person.id, person) for person in people)
        rows = [_order(state, chance, number, people, end - (orders - number) * GAP) for number in range(orders)]
        state.orders.add_many(rows)
        state.changed()


def _person(state: State, chance: random.Random, number: int, end: int) -> Person:
    mail = f"customer{number}@example.com"
    created = end - chance.randint(0, 3 * 365 * 86400)
    modified = min(end, created + chance.randint(0, 90 * 86400))
    return Person(state.next_id("user"), created, mail, f"cust{number:07}", modified=modified, recipe=number)


def _order(state: State, chance: random.Random, number: int, people: list[Person], created: int) -> Row:
    status = chance.choice(STATUSES)
    row = Row(state.next_id("post"), status, created, created + chance.randint(0, GAP), recipe=number)
    if people and chance.random() < 0.6:
        buyer = chance.choice(people)
        row.customer_id, row.email = buyer.id, buyer.email
    else:
        row.email = f"guest{number}@example.net"
    row.paid = created if status in ("completed", "processing", "shipped") else None
    row.completed = row.modified if status == "completed" else None
    return row
