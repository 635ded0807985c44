"""Somebody changes a contact in Mautic: who wins is the connector's policy, and both values are on record (D6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.mapping import aliases
from integration.models import Delivery
from integration.queries import record
from integration.sandbox.mautic import MauticServer
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]


@pytest.fixture(params=["5.2.1", "7.0.0"])
def mautic(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    with MauticServer(version=request.param) as server:
        yield server


def synced(make_road: MakeRoad, policy: str) -> tuple[Road, dict[str, Any]]:
    """A road on which one order has reached Mautic."""
    road = make_road(SetClock(NOON), sync__policy=policy)
    order = road.order("ada@example.com", billing={"city": "Milano", "phone": "+39 02 1"})
    road.arrive(order)
    road.work()
    assert road.states() == {"delivered"}
    return road, order


def change_in_mautic(road: Road, **values: Any) -> None:
    """Somebody edits the contact in Mautic, later than anything so far; Mautic 7 leaves dateModified as it is."""
    (contact,) = road.mautic.state.contacts.values()
    contact.values.update(values)
    if road.mautic.state.major < 7:
        contact.modified = NOON + timedelta(days=3650)


def change_in_store(road: Road, order: dict[str, Any], **billing: Any) -> Delivery:
    """The shop edits the address; the change is sent."""
    road.store.shop.edit_order(order["id"], billing={**order["billing"], **billing})
    road.arrive(road.store.shop.shown(order["id"]))
    road.work()
    return road.deliveries()[-1]


def held(road: Road, alias: str) -> Any:
    (contact,) = road.mautic.state.contacts.values()
    return contact.values.get(alias)


def test_the_store_wins_by_default_and_nothing_is_read(make_road: MakeRoad) -> None:
    road, order = synced(make_road, "store")
    change_in_mautic(road, city="Roma")
    row = change_in_store(road, order, city="Torino")
    assert (row.state, held(road, "city")) == ("delivered", "Torino")


def test_mautics_value_is_kept_with_both_on_record(make_road: MakeRoad) -> None:
    road, order = synced(make_road, "mautic")
    change_in_mautic(road, city="Roma")
    row = change_in_store(road, order, city="Torino", phone="+39 02 2")
    assert (row.state, held(road, "city"), held(road, "phone")) == ("conflict", "Roma", "+39 02 2")
    assert "city “Roma” (the store has “Torino”)" in row.error
    with road.services.db.read() as session:
        (attempt,) = record.attempts(session, row.id)
    assert attempt.differs == {"city": ["Torino", "Roma"]}


def test_only_empty_fields_are_filled(make_road: MakeRoad) -> None:
    road, order = synced(make_road, "fill")
    change_in_mautic(road, city="Roma", phone="")
    row = change_in_store(road, order, city="Torino", phone="+39 02 2")
    assert (row.state, held(road, "city"), held(road, "phone")) == ("conflict", "Roma", "+39 02 2")


@pytest.mark.parametrize("policy", ["mautic", "fill"])
def test_what_nobody_else_has_changed_is_no_conflict(make_road: MakeRoad, policy: str) -> None:
    road, order = synced(make_road, policy)
    change_in_mautic(road, position="Countess")
    row = change_in_store(road, order, city="Torino")
    assert (row.state, held(road, "city")) == ("delivered", "Torino")


def test_an_older_change_in_mautic_yields_to_the_stores_where_mautic_tells_when(make_road: MakeRoad) -> None:
    road, order = synced(make_road, "mautic")
    change_in_mautic(road, city="Roma")
    tells = road.mautic.state.major < 7
    (contact,) = road.mautic.state.contacts.values()
    contact.modified = NOON + timedelta(minutes=1)
    row = change_in_store(road, order, city="Torino")
    assert (row.state, held(road, "city")) == (("delivered", "Torino") if tells else ("conflict", "Roma"))


def test_a_stamp_of_our_own_write_says_nothing(make_road: MakeRoad) -> None:
    road, order = synced(make_road, "mautic")
    change_in_mautic(road, city="Roma")
    (contact,) = road.mautic.state.contacts.values()
    contact.modified = NOON
    row = change_in_store(road, order, city="Torino")
    assert (row.state, held(road, "city")) == ("conflict", "Roma")


@pytest.mark.parametrize("policy", ["mautic", "fill"])
def test_orders_one_after_another_are_no_conflict(make_road: MakeRoad, policy: str) -> None:
    road = make_road(SetClock(NOON), sync__policy=policy, orders__create_fields=True)
    line = {"product_id": 12, "quantity": 1}
    for count in (1, 2, 3):
        road.arrive(
            road.order("ada@example.com", line_items=[line] * count, billing={"city": f" Milano  {count}&amp;"})
        )
        road.work()
        road.run("full")
    assert [row.error for row in road.deliveries() if row.state == "conflict"] == []
    assert held(road, aliases.cut(aliases.ORDER_COUNT)) == 3


def test_a_kept_conflict_is_not_raised_again_until_the_store_changes(make_road: MakeRoad) -> None:
    road, order = synced(make_road, "mautic")
    change_in_mautic(road, city="Roma")
    change_in_store(road, order, city="Torino")
    road.run("full", only=["orders"])
    assert road.deliveries()[-1].state == "skipped"
    assert change_in_store(road, order, city="Genova").state == "conflict"
