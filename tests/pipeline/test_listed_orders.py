"""Of an order nothing has to be noted where the list says of it what the ledger has, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from integration.events import Origin
from integration.models import Cart, CartState, FormerAddress, LedgerEntry
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import listed_orders, order_ledger, records
from integration.pipeline.services import Services
from tests.bench.world import order
from tests.conftest import NOON
from tests.pipeline.rows import ADA, BOB, minutes, store

NUMBERS = {11, 12}
ROWS = [order(11, "ada@example.com"), order(12, "bob@example.com")]


class Shop:
    """A connector that has read the list of two people's orders."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.id = connectors.create(services, organisation_id=1, name="Shop")
        self.read(ROWS)

    def read(self, rows: list[dict[str, Any]]) -> None:
        listed = listed_orders.digests(rows)
        with self.services.db.write() as session:
            records.note(session, NOON, self.id, records.readable(rows), Origin.FULL, listed)

    def known(self, *rows: dict[str, Any]) -> set[int]:
        with self.services.db.read() as session:
            return listed_orders.known(session, self.id, listed_orders.digests(rows or ROWS))


@pytest.fixture
def shop(services: Services) -> Shop:
    return Shop(services)


def test_what_the_list_says_again_is_known(shop: Shop) -> None:
    assert shop.known() == NUMBERS
    assert shop.known(*ROWS, order(13, "ada@example.com")) == NUMBERS


def test_a_row_that_says_something_else_is_noted(shop: Shop) -> None:
    assert shop.known({**ROWS[0], "total": "1.00"}, ROWS[1]) == {12}


CHANGES: Mapping[str, Mapping[str, Any]] = {
    "status": {"status": "refunded"},
    "whose it is": {"person_key": BOB},
    "its total": {"net_total": "1.00"},
    "it is refunded": {"refunded": True},
    "its currency": {"currency": "USD"},
    "when it was placed": {"ordered_at": minutes(1)},
    "the day": {"local_date": "2020-01-01"},
    "a newer sighting": {"modified_at": minutes(1)},
    "an event waits": {"reached_at": NOON},
    "it is gone": {"status": order_ledger.GONE, "gone_at": NOON},
    "it was gone": {"gone_at": NOON},
    "read by another list": {"listed": "0" * 32},
    "read by none": {"listed": ""},
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_entry_that_says_something_else_is_noted_again(shop: Shop, what: str) -> None:
    with shop.services.db.write() as session:
        entry = session.get_one(LedgerEntry, (shop.id, 11))
        for name, value in CHANGES[what].items():
            setattr(entry, name, value)
    assert shop.known() == {12}


def test_its_lines_are_nothing_that_the_list_tells(shop: Shop) -> None:
    with shop.services.db.write() as session:
        session.get_one(LedgerEntry, (shop.id, 11)).products = [["Mug", "MUG", 12]]
    assert shop.known() == NUMBERS


@pytest.mark.parametrize("values", [{"person_key": ADA}, {"order_id": 11}, {"bought_order_id": 11}])
def test_an_order_that_a_cart_follows_is_noted(shop: Shop, values: dict[str, Any]) -> None:
    dates = {"created_at": NOON, "changed_at": NOON, "seen_at": NOON}
    (cart,) = store(shop.services, Cart(connector_id=shop.id, key="k", source="order", **dates, **values))
    assert shop.known() == {12}
    with shop.services.db.write() as session:
        session.get_one(Cart, cart.id).state = CartState.EXPIRED
    assert shop.known() == NUMBERS


def test_orders_under_an_address_that_was_left_are_noted(shop: Shop) -> None:
    left = FormerAddress(connector_id=shop.id, person_key=ADA, customer_id=1, now_key=BOB, email="bob@example.com")
    store(shop.services, left)
    assert shop.known() == {12}
    # What is noted as somebody's of today hangs on that address, which may be given back.
    shop.read([{**ROWS[0], "date_modified_gmt": "2026-11-20T09:00:00"}])
    with shop.services.db.read() as session:
        entry = session.get_one(LedgerEntry, (shop.id, 11))
        assert (entry.person_key, entry.listed) == (BOB, "")


def test_an_order_that_is_read_whole_keeps_what_its_row_of_the_list_said(shop: Shop) -> None:
    with shop.services.db.write() as session:
        records.note(session, NOON, shop.id, records.readable(ROWS), Origin.FULL)
    assert shop.known() == NUMBERS


def test_an_older_row_leaves_the_entry_and_is_noted_each_time(shop: Shop) -> None:
    old = {**ROWS[0], "date_modified_gmt": "2020-01-01T09:00:00"}
    shop.read([old])
    assert shop.known(old) == set()
    assert shop.known() == NUMBERS
