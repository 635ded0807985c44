"""Very many orders and accounts at little cost: a few numbers each, the documents made when they are read."""

from __future__ import annotations

import random

from integration.sandbox.store.demo_catalogue import stock
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.people import Person
from integration.sandbox.store.state import State

STATUSES = ("completed",) * 11 + ("processing",) * 3 + ("pending", "on-hold", "cancelled", "failed", "shipped")
GAP = 300


def seed_bulk(state: State, customers: int, orders: int, rng_seed: int = 7, ending: int | None = None) -> None:
    """Put in so many customers and orders; the orders lie five minutes apart and end at `ending` (epoch seconds)."""
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
