"""Which cart of a person is the one that they are reminded of, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models import Cart, CartState
from integration.pipeline.ingest import cart_succession
from tests import cart_rows
from tests.conftest import NOON

ITEMS = [{"id": 13, "qty": 1, "variation": []}]


def add(session: Session, minutes: int = 0, **values: Any) -> Cart:
    given = {"state": CartState.ABANDONED, "items": ITEMS, **values}
    return cart_rows.keep(session, 1, NOON + timedelta(minutes=minutes), **given)


@pytest.mark.parametrize(
    ("values", "waits"),
    [
        ({}, True),
        ({"state": "active"}, True),
        ({"items": None}, True),
        ({"items": []}, False),
        ({"prepared_at": NOON}, False),
        ({"state": "expired"}, False),
        ({"state": "synced"}, False),
        ({"email": "otto@shop.example"}, False),
        ({"minutes": -1}, False),
    ],
)
def test_a_cart_waits_for_a_newer_one_that_is_still_to_be_sent(
    session: Session, values: dict[str, Any], waits: bool
) -> None:
    older, _ = add(session), add(session, **{"minutes": 1, **values})
    waiting = session.scalars(select(Cart.id).where(cart_succession.waits(), Cart.id == older.id)).all()
    assert waiting == ([older.id] if waits else [])


def test_carts_without_an_address_are_nobody_s(session: Session) -> None:
    one, other = add(session), add(session, 1)
    one.person_key = other.person_key = ""
    session.flush()
    assert session.scalars(select(Cart).where(cart_succession.waits())).all() == []
    cart_succession.succeed(session, NOON, other)
    assert (one.state, cart_succession.newer_of(session, one)) == (CartState.ABANDONED, None)


def test_of_two_that_changed_at_once_the_later_one_is_newer(session: Session) -> None:
    one, other = add(session), add(session)
    assert (cart_succession.newer_of(session, one), cart_succession.newer_of(session, other)) == (other, None)


def test_who_gives_way_when_a_newer_cart_is_made_ready_and_when_it_has_arrived(session: Session) -> None:
    unsent, sent, paying = add(session), add(session, 1, synced_at=NOON), add(session, 2, bought_order_id=7)
    newer, newest = add(session, 3), add(session, 4)
    cart_succession.make_way(session, NOON, newer)
    assert [each.state for each in (unsent, sent, paying, newest)] == ["expired", "synced", "abandoned", "abandoned"]
    cart_succession.succeed(session, NOON, newer)
    assert [each.state for each in (unsent, sent, paying, newest)] == ["expired", "expired", "abandoned", "abandoned"]
