"""Faulty records through several full syncs: one dead letter each, closed by the sync that brings them."""

from __future__ import annotations

from collections.abc import Callable

from integration.pipeline import outbox
from integration.queries import dead_letters
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
