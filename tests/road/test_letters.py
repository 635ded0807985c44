"""Faulty records through several full syncs: one dead letter each, closed by the sync that brings them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline import outbox
from integration.pipeline.connectors import field_list
from integration.queries import dead_letters
from tests.conftest import NOON
from tests.road.conftest import Road


def waiting(road: Road) -> int:
    with road.services.db.read() as session:
        return dead_letters.waiting(session, road.connector_id)


def test_full_syncs_pile_up_no_copies_and_a_mended_record_leaves_none(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__create_fields=True)
    faulty = [road.order(f"böse{number}@example.com")["id"] for number in range(3)]
    road.order("fine@example.com")
    for _ in range(3):
        road.run("full")
    assert waiting(road) == 3
    for number in faulty[:2]:
        road.store.shop.edit_order(number, billing={"email": f"gut{number}@example.com"})
    road.run("full")
    assert waiting(road) == 1
    states = [row.state for row in road.deliveries() if row.source_id == str(faulty[0])]
    assert (states[:3], states[-1]) == (["closed"] * 3, "delivered")


def test_a_limit_that_was_raised_in_mautic_is_seen_when_it_is_sent_again(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__create_fields=True)
    road.arrive(road.order(f"ada@{'a' * 50}.{'b' * 30}.example"))
    road.work()
    [dead] = road.deliveries()
    assert (dead.state, dead.error_code) == ("dead", "email_too_long")
    for field in road.mautic.state.fields.values():
        if field["alias"] == "email":
            field["charLengthLimit"] = 191
    road.mautic.state.reindex()
    with road.services.db.write() as session:
        outbox.requeue(session, road.services.clock.now(), road.connector_id, [dead.id])
    road.work()
    assert [(row.state, row.error) for row in road.deliveries()] == [("delivered", "")]


def raise_limit(road: Road, alias: str, most: int) -> None:
    with road.mautic.state.lock:
        for field in road.mautic.state.fields.values():
            if field["alias"] == alias:
                field["charLengthLimit"] = most
        road.mautic.state.reindex()


def long_address(name: str) -> str:
    return f"{name}@{'a' * 50}.{'b' * 30}.example"


def refreshed(road: Road, *, anew: bool) -> None:
    """Read the list of fields, as a person does or the clock."""
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    field_list.refresh(road.services, connector, road.services.open_mautic(connector), anew=anew)


@pytest.mark.parametrize(("days", "anew"), [(0, True), (1, False)], ids=["by a person", "after a day"])
def test_a_learned_limit_is_asked_again(make_road: Callable[..., Road], days: int, anew: bool) -> None:
    road = make_road(clock := SetClock(NOON))
    road.arrive(road.order(long_address("ada")))
    road.work()
    written = road.writes()
    road.arrive(road.order(long_address("bob")))
    road.work()
    assert ([row.error_code for row in road.deliveries()], road.writes()) == (["email_too_long"] * 2, written)
    raise_limit(road, "email", 191)
    clock.advance(days=days)
    refreshed(road, anew=anew)
    road.arrive(road.order(long_address("cyd")))
    road.work()
    assert road.deliveries()[-1].state == "delivered"


def test_a_text_arrives_whole_where_mautic_holds_it(make_road: Callable[..., Road]) -> None:
    road = make_road()
    raise_limit(road, "company", 191)
    road.arrive(road.order("ada@example.com", billing={"company": "x" * 120}))
    road.work()
    contact = road.mautic.state.contact("ada@example.com")
    assert contact is not None and contact.values["company"] == "x" * 120


def test_a_limit_is_learned_from_one_refusal(make_road: Callable[..., Road]) -> None:
    road = make_road()
    raise_limit(road, "company", 100)
    for name, calls in (("ada", 2), ("bob", 1)):
        before = road.writes()
        road.arrive(road.order(f"{name}@example.com", billing={"company": "x" * 120}))
        road.work()
        contact = road.mautic.state.contact(f"{name}@example.com")
        assert contact is not None and len(contact.values["company"]) == 100
        assert road.writes() - before == calls
