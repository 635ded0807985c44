"""People whose rows carry keys of the first version: a record that comes again finds them, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import select, update

from integration.identity import first_version_key, person_key_of
from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector, ContactLink, Delivery, LedgerEntry, SyncLogEntry
from tests.road.conftest import Road

IDN, ASCII = "max@bücher.example", "max@xn--bcher-kva.example"
TABLES = (ContactLink, Delivery, LedgerEntry, SyncLogEntry)
COUNT = "mautic_woo_order_count"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road()
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
    return road


def age(road: Road, email: str, *orders: Mapping[str, Any]) -> None:
    """Give the person's rows, or those of some orders alone, the key of the first version."""
    numbers = [int(order["id"]) for order in orders]
    with road.services.db.write() as session:
        for table in TABLES:
            mine = table.person_key == person_key_of(email)
            if numbers and table is LedgerEntry:
                mine &= LedgerEntry.order_id.in_(numbers)
            session.execute(update(table).where(mine).values(person_key=first_version_key(email)))


def person_keys(road: Road, table: Any) -> set[str]:
    with road.services.db.read() as session:
        return set(session.scalars(select(table.person_key)))


def contact(road: Road, email: str) -> dict[str, Any]:
    found = road.mautic.state.contact(email)
    assert found is not None
    return found.values


@pytest.mark.parametrize("email", [IDN, "max@BÜCHER.example", "max@نامه\u200cای.example"])
def test_a_record_that_comes_again_brings_its_person_along(road: Road, email: str) -> None:
    for _ in range(2):
        road.order(email)
    road.run()
    age(road, email)
    before = road.writes()
    assert road.run("full").pushed == 0
    assert road.writes() == before
    assert len(road.mautic.state.contacts) == 1
    assert (
        person_keys(road, ContactLink)
        == person_keys(road, LedgerEntry)
        == person_keys(road, Delivery)
        == {person_key_of(email)}
    )
    assert "moved" not in {delivery.event for delivery in road.deliveries()}


def test_a_live_order_is_added_to_those_of_the_first_version(road: Road) -> None:
    for _ in range(2):
        road.order(IDN)
    road.run()
    age(road, IDN)
    road.arrive(road.order(IDN))
    road.work()
    assert contact(road, ASCII)[COUNT] == 3
    assert person_keys(road, ContactLink) == {person_key_of(IDN)}
    assert "moved" not in {delivery.event for delivery in road.deliveries()}


def test_two_people_of_the_first_version_become_one_with_the_sums_of_both(road: Road) -> None:
    one = [road.order(IDN), road.order(IDN)]
    road.order(ASCII)
    road.run()
    assert contact(road, ASCII)[COUNT] == 3
    age(road, IDN, *one)
    with road.services.db.write() as session:
        session.add(LedgerEntry(**of_nobody(road)))
    road.run("full")
    assert contact(road, ASCII)[COUNT] == 3
    assert len(road.mautic.state.contacts) == 1
    assert person_keys(road, ContactLink) == {person_key_of(IDN)}
    assert first_version_key(IDN) not in person_keys(road, LedgerEntry)


def of_nobody(road: Road) -> dict[str, Any]:
    """An order of the first version in the ledger that the store does not list any more, gone there."""
    return {
        "connector_id": road.connector_id,
        "order_id": 9_000_001,
        "person_key": first_version_key(IDN),
        "status": "trash",
        "net_total": "1.00",
        "currency": "EUR",
    }


def test_a_customer_brings_the_rows_along_too(road: Road) -> None:
    road.order(IDN)
    road.run()
    age(road, IDN)
    person = road.store.shop.register_customer(email="new@store.test", first_name="Max")
    road.store.state.people[person["id"]].email = IDN
    road.run("full", only=["contacts"])
    assert len(road.mautic.state.contacts) == 1
    assert contact(road, ASCII)["firstname"] == "Max"
    assert person_keys(road, ContactLink) == person_keys(road, LedgerEntry) == {person_key_of(IDN)}


def test_who_shared_a_key_with_another_mailbox_takes_along_what_was_theirs_last(road: Road) -> None:
    sharp, double = "a@faß.example", "a@fass.example"
    road.order(sharp)
    road.run()
    age(road, sharp)
    road.run("full")
    assert person_keys(road, ContactLink) == {person_key_of(sharp)}
    assert contact(road, "a@xn--fa-hia.example")[COUNT] == 1
    road.order(double)
    road.run("full")
    assert person_keys(road, ContactLink) == {person_key_of(sharp), person_key_of(double)}
    assert (contact(road, "a@xn--fa-hia.example")[COUNT], contact(road, double)[COUNT]) == (1, 1)


def test_who_shared_a_key_leaves_the_other_mailbox_its_contact(road: Road) -> None:
    sharp, double = "a@faß.example", "a@fass.example"
    road.order(double)
    road.run()
    number = road.mautic.state.contact(double).id  # type: ignore[union-attr]  # it is there
    road.order(sharp)
    road.run("full")
    assert road.mautic.state.contact(double).id == number  # type: ignore[union-attr]
    assert road.mautic.state.contact("a@xn--fa-hia.example").id != number  # type: ignore[union-attr]
    assert (contact(road, "a@xn--fa-hia.example")[COUNT], contact(road, double)[COUNT]) == (1, 1)


def test_an_order_that_really_moves_still_counts_as_moved(road: Road) -> None:
    order = road.order(IDN)
    road.order(IDN)
    road.run()
    age(road, IDN)
    order["billing"]["email"] = "eve@example.com"
    road.arrive({**order, "date_modified_gmt": "2027-01-01T00:00:00"})
    road.work()
    assert "moved" in {delivery.event for delivery in road.deliveries()}
    assert contact(road, "eve@example.com")[COUNT] == 1
    assert contact(road, ASCII)[COUNT] == 1
