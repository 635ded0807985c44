"""A demo shop as unruly as the recorded one, the same for the same seed."""

from __future__ import annotations

import random
from typing import Any

from integration.sandbox.store import accounts, demo_people, documents, order_changes
from integration.sandbox.store.addresses import account_email
from integration.sandbox.store.demo_catalogue import stock
from integration.sandbox.store.order_building import compose
from integration.sandbox.store.order_changes import PAID
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.people import Person
from integration.sandbox.store.state import State

STATUSES = (
    ("completed",) * 22
    + ("processing",) * 5
    + ("pending", "pending", "on-hold", "on-hold", "cancelled", "cancelled", "failed", "shipped", "checkout-draft")
)
CURRENCIES = {8: "USD", 16: "JPY", 24: "KWD"}
YEAR = 365 * 86400


def seed(state: State, customers: int = 200, orders: int = 500, rng_seed: int = 1, ending: int | None = None) -> None:
    """Fill the shop with products, accounts and two years of orders up to `ending` (epoch seconds, now if left out)."""
    chance = random.Random(rng_seed)
    end = state.now() if ending is None else ending
    with state.lock:
        state.chance = random.Random(rng_seed)
        stock(state)
        _staff(state, end)
        buyers = [_customer(state, chance, number, end) for number in range(customers)]
        for number in range(orders):
            _order(state, chance, number, buyers, end - 2 * YEAR * (orders - number) // max(orders, 1))
        state.changed()


def _staff(state: State, end: int) -> None:
    for name, role in (("admin", "administrator"), ("shopmanager", "shop_manager"), ("reader", "subscriber")):
        fields = {"email": f"{name}@store.test", "username": name, "role": role}
        person = accounts.register(state, fields)
        person.created, person.modified = end - 2 * YEAR, None


def _customer(state: State, chance: random.Random, number: int, end: int) -> Person:
    mail = demo_people.email(chance, number, "customer")
    billing = demo_people.address(chance, number, f"billing-{mail}" if number % 13 == 12 else mail)
    fields: dict[str, Any] = {"email": mail, "username": f"cust{number}", "billing": billing}
    fields |= {name: billing[name] for name in ("first_name", "last_name")}
    if number % 17 == 16:
        fields["billing"] = {}
    person = accounts.register(state, fields)
    # An account whose e-mail has an & loses it when WordPress saves the user again (woo:109).
    person.email = account_email(person.email)
    person.created = end - chance.randint(0, 2 * YEAR)
    person.modified = None if number % 10 == 0 else min(end, person.created + chance.randint(0, YEAR // 2))
    return person


def _order(state: State, chance: random.Random, number: int, buyers: list[Person], created: int) -> None:
    fields = _fields(state, chance, number, buyers)
    document = compose(state, fields, chance.choice(("checkout", "store-api", "admin")))
    status = chance.choice(STATUSES)
    # One order in eight was changed by a bulk edit, all in the same second: the ties of woo:482 to woo:501.
    modified = state.now() - 40 * 86400 if number % 8 == 5 else created + chance.randint(0, 5 * 86400)
    row = Row(state.next_id("post"), status, created, max(created, min(modified, state.now())), document=document)
    row.customer_id, row.email = fields["customer_id"], document["billing"]["email"]
    row.paid = created + 600 if status in (*PAID, "shipped") else None
    row.completed = row.modified if status == "completed" else None
    state.orders.add(row)
    _afterwards(state, chance, number, row)


def _fields(state: State, chance: random.Random, number: int, buyers: list[Person]) -> dict[str, Any]:
    buyer = chance.choice(buyers) if buyers and number % 5 < 3 else None
    if buyer is None:
        billing = demo_people.address(chance, number, _guest_email(chance, number))
    else:
        billing = dict(documents.of_person(buyer)["billing"])
    if number % 97 == 96:
        billing["email"] = ""
    return {
        "customer_id": buyer.id if buyer else 0,
        "billing": billing,
        "currency": CURRENCIES.get(number % 25, state.currency),
        "line_items": lines(state, chance, number),
        "shipping_lines": [{"total": chance.choice(("5.00", "7.90", "0.00"))}] if number % 3 else [],
        "fee_lines": [{"name": "Contrassegno", "total": "3.50"}] if number % 20 == 12 else [],
        "coupon_lines": [{"code": "all100" if number % 60 == 17 else "save10"}] if number % 15 == 2 else [],
        "meta_data": demo_people.meta(chance, number),
        "customer_note": "Line 1\nLine 2\r\nLine 3" if number % 30 == 0 else "",
        "payment_method": chance.choice(("cod", "stripe", "ppcp-gateway", "")),
        "customer_ip_address": f"203.0.113.{number % 254 + 1}",
        "customer_user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    }


def _guest_email(chance: random.Random, number: int) -> str:
    if number % 19 == 18:
        return chance.choice(("returning.guest@example.net", "Returning.Guest@Example.net"))
    return demo_people.email(chance, number, "guest")


def lines(state: State, chance: random.Random, number: int) -> list[dict[str, Any]]:
    """Return what somebody buys: one to five things, now and then sixty, or nothing at all."""
    count = 60 if number % 120 == 77 else 0 if number % 110 == 33 else chance.randint(1, 5)
    sold = [each for each, entry in state.products.items() if entry["type"] != "variable" and entry["price"]]
    return [{"product_id": chance.choice(sold), "quantity": chance.randint(1, 3)} for _ in range(count)]


def _afterwards(state: State, chance: random.Random, number: int, row: Row) -> None:
    at = row.modified
    document = documents.own_of_order(state, row)
    if number % 21 == 4 and document["line_items"]:
        gone = {"product_id": 0, "variation_id": 0, "sku": None, "global_unique_id": None, "parent_name": None}
        document["line_items"][0].update(gone, name="Variante da cancellare", image={"id": 0, "src": ""})
    if row.status == "completed" and float(document["total"]) > 10 and number % 9 == 1:
        full = number % 18 == 1
        order_changes.refund(state, row, document["total"] if full else "5.00", "Reso completo" if full else "")
    if number % 45 == 44:
        order_changes.trash(state, row)
    state.orders.touch(row, at)
